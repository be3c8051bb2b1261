"""The page of a drift report: verdicts and distances in Evidently's widgets, one file that opens offline.

Nothing is decided or measured here. The page is put together rather than taken from `DataDriftPreset`, which
knows nothing of missing values, ignored columns or several thresholds, and takes many times as long: it
computes every column three times from all rows and draws two plotly figures for each.
"""

from collections.abc import Mapping
from html import escape
from json import dumps
from typing import TYPE_CHECKING

from ml_assets.ml.monitoring.distances import LESS_THAN, REFERENCE_COLOR, WINDOW_COLOR, Measured, plain_text
from ml_assets.ml.quality.metrics import Metrics, shown
from ml_assets.spec import DriftPolicy
from ml_assets.telemetry import disable_telemetry

if TYPE_CHECKING:
    from evidently.legacy.model.widget import BaseWidgetInfo

    from ml_assets.ml.monitoring.verdicts import ColumnDrift, DriftResult

_LONG_NAME = 24
_SPELLED_OUT = {"mae": "mean absolute error", "bias": "bias (prediction - label)"}


def page(
    title: str,
    result: "DriftResult",
    policy: DriftPolicy,
    measured: Mapping[str, Measured],
    quality: tuple[Metrics, Metrics] | None,
) -> str:
    """The page: verdicts, predictions and labels, features with their distributions, metrics if known.

    Args:
        quality: Metrics on all labelled rows, (reference, window).

    Returns:
        One HTML document with everything in it; its ids differ from run to run.
    """
    disable_telemetry()
    from evidently.core.metric_types import render_widgets
    from evidently.legacy.renderers.html_widgets import text_widget

    outcomes = [result.prediction, *([result.target] if result.target else [])]
    features = sorted(result.features, key=lambda f: (not f.drifted, -(f.distance or 0.0), f.column))
    widgets = [
        text_widget(text=f"# {plain_text(title)}\n\n{result.note}"),
        _summary(result, policy),
        _table("Predictions and labels", outcomes, result, measured),
        _table("Features, drifted ones first", features, result, measured),
    ]
    if quality is not None:
        widgets.append(_metrics(*quality))
    document = render_widgets(widgets).replace(dumps(LESS_THAN).strip('"'), "\\u003c")
    return document.replace("<head>", f"<head><title>{escape(title)}</title>", 1).lstrip()


def _summary(result: "DriftResult", policy: DriftPolicy) -> "BaseWidgetInfo":
    from evidently.legacy.renderers.html_widgets import CounterData, counter

    drifted = sum(bool(f.drifted) for f in result.watched)
    share = f"{result.drifted_share:.0%} (limit {policy.max_drifted_share:.0%})" if result.watched else "not judged"
    counters = [
        CounterData(f"drifted of {len(result.watched)} watched features", str(drifted)),
        CounterData("of their importance in the model", share),
        CounterData("predictions", _verdict(result.prediction)),
    ]
    if result.target is not None:
        counters.append(CounterData("labels", _verdict(result.target)))
    return counter(counters=counters)


def _table(
    title: str, columns: list["ColumnDrift"], result: "DriftResult", measured: Mapping[str, Measured]
) -> "BaseWidgetInfo":
    from evidently.legacy.renderers.html_widgets import (
        ColumnDefinition,
        ColumnType,
        RichTableDataRow,
        RowDetails,
        rich_table_data,
    )

    weighed = {f.column for f in result.features} if any(f.weight for f in result.features) else set()

    def row(column: "ColumnDrift") -> RichTableDataRow:
        seen = measured.get(column.column)
        ignored = column.column in result.ignored
        fields = {
            "column": plain_text(_breakable(column.column)),
            "verdict": _verdict(column) + (" (ignored)" if ignored else ""),
            "distance": _distance(column.distance),
            "threshold": f"{column.threshold:g}",
            "chance": "" if column.p_value is None else f"{column.p_value:.2g}",
            "weight": f"{column.weight:.1%}" if column.column in weighed else "",
            "method": column.method,
            "missing": f"{column.missing_reference:.1%} / {column.missing_current:.1%}",
            "note": column.note,
            "reference": _bars(seen.reference if seen else ()),
            "current": _bars(seen.current if seen else ()),
        }
        return RichTableDataRow(fields, RowDetails().with_part("Distribution", seen.figure) if seen else None)

    bars = {"xField": "x", "yField": "y", "color": WINDOW_COLOR}
    definitions = [
        ColumnDefinition("Column", "column"),
        ColumnDefinition("Reference", "reference", ColumnType.HISTOGRAM, options=bars | {"color": REFERENCE_COLOR}),
        ColumnDefinition("Window", "current", ColumnType.HISTOGRAM, options=bars),
        ColumnDefinition("Verdict", "verdict"),
        ColumnDefinition("Distance", "distance"),
        ColumnDefinition("Threshold", "threshold"),
        ColumnDefinition("p", "chance"),
        ColumnDefinition("Importance", "weight"),
        ColumnDefinition("Method", "method"),
        ColumnDefinition("Missing before / now", "missing"),
        ColumnDefinition("Note", "note"),
    ]
    return rich_table_data(title=title, columns=definitions, data=[row(column) for column in columns], rows_per_page=50)


def _bars(shares: tuple[float, ...]) -> dict[str, list[float]]:
    return {"x": [float(i) for i in range(len(shares))], "y": list(shares)}


def _breakable(name: str) -> str:
    """A long name with places to break it, or it pushes the other columns off the page."""
    return name if len(name) <= _LONG_NAME else name.replace("_", "_\u200b")


def _distance(value: float | None) -> str:
    if value is None:
        return ""
    return f"{value:.3g}" if value < 100 else f"{value:,.0f}"


def _verdict(column: "ColumnDrift") -> str:
    return {True: "drifted", False: "stable", None: "not judged"}[column.drifted]


def _metrics(reference: Metrics, current: Metrics) -> "BaseWidgetInfo":
    from evidently.legacy.renderers.html_widgets import CounterData, counter

    sides = (reference, current)
    names = dict.fromkeys(name for side in sides for name in side.values)
    counters = [
        CounterData(
            _SPELLED_OUT.get(name, name.replace("_", " ")),
            " / ".join(shown(side.values[name]) if name in side.values else "undefined" for side in sides),
        )
        for name in names
    ]
    counters.append(CounterData("labelled rows", f"{reference.rows:,} / {current.rows:,}"))
    return counter(title="Metrics on all labelled rows, reference / window", counters=counters)
