"""Evidently's distance between two samples of each column, with the figure of both distributions.

Thresholds only pass through to Evidently's record; verdicts are `drift.py`'s. Columns come in plain
(`preflight.py`).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np

from ml_assets.ml.preflight import Sides
from ml_assets.spec import FeatureType
from ml_assets.telemetry import disable_telemetry

if TYPE_CHECKING:
    from evidently.legacy.model.widget import BaseWidgetInfo

METHODS: Mapping[FeatureType, str] = {
    "float": "wasserstein",
    "int": "wasserstein",
    "string": "jensenshannon",
}
"""Evidently's defaults above 1000 rows, at every size: below, it would turn to p-values without saying so."""

REFERENCE_COLOR, WINDOW_COLOR = "#4d4d4d", "#ed0400"
LESS_THAN = "\ue0f1\ue0f2"
"""Stands for "<" until a page is written: Evidently puts its JSON unescaped into a script element, where a
category named "</script>" would end it and run what follows."""
_MOST_BARS = 30


@dataclass(frozen=True)
class Measured:
    """What Evidently says about one column.

    Attributes:
        distance: Value of the metric, >= 0.
        record: The metric as in Evidently's own JSON: name, configuration, value.
        figure: Widget with both distributions.
        reference: Shares of the reference in the bars of the figure, 0..1.
        current: Shares of the window in the same bars.
    """

    distance: float
    record: Mapping[str, object]
    figure: "BaseWidgetInfo"
    reference: tuple[float, ...]
    current: tuple[float, ...]


def measure(sides: Sides, thresholds: Mapping[str, float]) -> dict[str, Measured]:
    """Evidently's distance for each column that has values on both sides.

    Args:
        sides: Plain columns; missing values are dropped before comparing.
        thresholds: Column to measure -> threshold, which Evidently's record states.
    """
    columns = [column for column in thresholds if min(sides.values(column))]
    if not columns:
        return {}
    disable_telemetry()
    from evidently import DataDefinition, Dataset, Report

    texts = [column for column in columns if sides.types[column] == "string"]
    definition = DataDefinition(
        numerical_columns=[column for column in columns if column not in texts], categorical_columns=texts
    )
    metric = _distance_metric()
    metrics = {
        column: metric(column=column, method=METHODS[sides.types[column]], threshold=thresholds[column])
        for column in columns
    }
    # The window comes first: `run` takes (current, reference).
    snapshot = Report(list(metrics.values())).run(
        Dataset.from_pandas(sides.current[columns], definition),
        Dataset.from_pandas(sides.reference[columns], definition),
    )
    return {column: _measured(snapshot.metric_results[m.metric_id]) for column, m in metrics.items()}


def evidently_version() -> str:
    """Version of Evidently that measured."""
    disable_telemetry()
    import evidently

    return str(evidently.__version__)


def plain_text(value: str) -> str:
    """Text from the data as it may enter a widget; see `LESS_THAN`."""
    return value.replace("<", LESS_THAN)


@cache
def _distance_metric() -> Any:
    """Evidently's `ValueDrift`, its figure made of plain data.

    Building plotly's objects takes about 80% of the original's time and two thirds of its size.
    """
    from evidently.metrics import ValueDrift

    class ColumnDistance(ValueDrift):
        def to_calculation(self) -> Any:
            calculation = super().to_calculation()
            calculation._render = lambda drift, *_: [_figure(drift)]
            return calculation

    return ColumnDistance


def _measured(result: Any) -> Measured:
    record = result.to_dict()
    figure = result.widget[0]
    reference, current = (tuple(trace["y"]) for trace in figure.params["data"])
    distance = float(result.value)
    # Sums over categories follow the hash seed in their last digits: nine decimals are always the same.
    plain = {"metric": record["metric_name"], "config": record["config"], "value": round(distance, 9)}
    return Measured(distance, plain, figure, reference, current)


def _figure(drift: Any) -> "BaseWidgetInfo":
    """Both distributions in the bars that Evidently cut, as shares: sides of different size compare."""
    from evidently.legacy.renderers.html_widgets import plotly_data

    sides = (drift.reference.distribution, drift.current.distribution)
    bars, shares, shape = _categories(*sides) if drift.column_type == "cat" else _bins(*sides)
    data = [
        {"type": "bar", "name": name, "x": bars, "y": share, "marker": {"color": color}, **shape}
        for name, color, share in zip(("reference", "window"), (REFERENCE_COLOR, WINDOW_COLOR), shares, strict=True)
    ]
    layout = {
        "barmode": "overlay" if shape else "group",
        "xaxis": {
            "title": {"text": plain_text(drift.column_name)},
            "type": "linear" if shape else "category",
        },
        "yaxis": {"title": {"text": "share of values"}, "tickformat": ".0%"},
    }
    return plotly_data(title="", data=data, layout=layout)


def _bins(reference: Any, current: Any) -> tuple[list[float], list[list[float]], dict[str, object]]:
    edges = np.asarray(reference.x, dtype=float)
    shares = [[_short(y) for y in np.asarray(side.y) / max(np.sum(side.y), 1)] for side in (reference, current)]
    widths = [_short(width) for width in np.diff(edges)]
    return [_short(x) for x in (edges[:-1] + edges[1:]) / 2], shares, {"width": widths, "opacity": 0.6}


def _categories(reference: Any, current: Any) -> tuple[list[str], list[list[float]], dict[str, object]]:
    """The most frequent categories of either side, in the reference's order; the others as one bar."""
    counts = [dict(zip(map(str, side.x), map(int, side.y), strict=True)) for side in (reference, current)]
    shares = [{key: n / max(sum(side.values()), 1) for key, n in side.items()} for side in counts]
    every = sorted(set(shares[0]) | set(shares[1]), key=lambda key: (-shares[0].get(key, 0), key))
    frequent = set(sorted(every, key=lambda key: -max(s.get(key, 0) for s in shares))[:_MOST_BARS])
    bars = [key for key in every if key in frequent]
    values = [[_short(side.get(key, 0)) for key in bars] for side in shares]
    if len(every) > len(bars):
        values = [[*side, _short(max(1 - sum(side), 0))] for side in values]
        bars.append(f"{len(every) - len(bars)} others")
    return [plain_text(bar) for bar in bars], values, {}


def _short(value: float) -> float:
    return float(f"{value:.5g}")
