"""The distance between the two sides of each column, as a metric of an Evidently report, with its figure.

The formulas are Evidently's, applied to summaries of all rows (`summaries.distances`): its own pass over the rows
takes a hundred times as long. Evidently gets the distances, and keeps the record. Thresholds only pass through to
it; verdicts are `report.py`'s.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from ml_assets.ml.monitoring.preflight import Sides
from ml_assets.ml.monitoring.summaries import (
    Bounded,
    CategorySummary,
    ColumnSummary,
    NumberSummary,
    jensen_shannon,
    wasserstein_normed,
)
from ml_assets.ml.monitoring.summaries.distances import LEAST_NORM
from ml_assets.telemetry import disable_telemetry

if TYPE_CHECKING:
    from evidently.legacy.model.widget import BaseWidgetInfo

REFERENCE_COLOR, WINDOW_COLOR = "#4d4d4d", "#ed0400"
LESS_THAN = "\ue0f1\ue0f2"
"""Stands for "<" until a page is written: Evidently puts its JSON unescaped into a script element, where a
category named "</script>" would end it and run what follows."""
_MOST_BARS = 30
_FINEST = 1e-150
_TAILS = 0.001
"""Share of the values, at either end, that the outermost bars hold together: else one outlier hides the rest."""


@dataclass(frozen=True)
class Measured:
    """What is known of one column.

    Attributes:
        distance: Distance of all rows, and how far the summaries may be off.
        record: The metric as in Evidently's own JSON: name, configuration, value.
        figure: Widget with both distributions.
        reference: Shares of the reference in the bars of the figure, 0..1.
        current: Shares of the window in the same bars.
    """

    distance: Bounded
    record: Mapping[str, object]
    figure: "BaseWidgetInfo"
    reference: tuple[float, ...]
    current: tuple[float, ...]


def method_of(sides: Sides, column: str) -> str:
    """Evidently's default above 1000 rows, at every size: below, it would turn to p-values without saying so."""
    return "jensenshannon" if sides.categorical(column) else "wasserstein"


def measure_distances(sides: Sides, columns: Iterable[str]) -> dict[str, Bounded]:
    """Distance of each of the columns that has values on both sides; missing values do not enter it."""
    return {column: _distance(sides, column) for column in columns if min(sides.values(column))}


def measure(sides: Sides, distances: Mapping[str, Bounded], thresholds: Mapping[str, float]) -> dict[str, Measured]:
    """Record and figure of each distance.

    Args:
        sides: Both sides.
        distances: From `measure_distances`.
        thresholds: Column -> threshold, which Evidently's record states.
    """
    if not distances:
        return {}
    records = _records(sides, {column: bounded.value for column, bounded in distances.items()}, thresholds)
    return {column: _measured(sides, column, bounded, records[column]) for column, bounded in distances.items()}


def evidently_version() -> str:
    """Version of Evidently that keeps the record."""
    disable_telemetry()
    import evidently

    return str(evidently.__version__)


def plain_text(value: str) -> str:
    """Text from the data as it may enter a widget; see `LESS_THAN`."""
    return value.replace("<", LESS_THAN)


def _distance(sides: Sides, column: str) -> Bounded:
    before, now = sides.of(column)
    if sides.categorical(column) or not isinstance(before, NumberSummary) or not isinstance(now, NumberSummary):
        return jensen_shannon(before, now)
    # Evidently norms by at least 0.001, so a rate of finer spread could never drift. The distance has no unit.
    return wasserstein_normed(before, now, least_norm=max(before.std, _FINEST) if before.std else LEAST_NORM)


def _records(
    sides: Sides, distances: Mapping[str, float], thresholds: Mapping[str, float]
) -> dict[str, Mapping[str, object]]:
    """Evidently's record of each distance: its report runs over one row, which holds them."""
    disable_telemetry()
    from evidently import DataDefinition, Dataset, Report

    metric = _known_distance()
    metrics = {c: metric(column=c, method=method_of(sides, c), threshold=thresholds[c]) for c in distances}
    # Sums over categories follow their order in their last digits: nine decimals are always the same.
    row = pd.DataFrame([{column: round(value, 9) for column, value in distances.items()}])
    definition = DataDefinition(numerical_columns=list(distances), categorical_columns=[])
    known = Dataset.from_pandas(row, definition)
    snapshot = Report(list(metrics.values())).run(known, known)
    records = {column: snapshot.metric_results[m.metric_id].to_dict() for column, m in metrics.items()}
    return {
        column: {"metric": record["metric_name"], "config": record["config"], "value": record["value"]}
        for column, record in records.items()
    }


@cache
def _known_distance() -> Any:
    """Evidently's `ValueDrift` of a distance that is known: it reads it where it would find the rows."""
    from evidently.metrics import ValueDrift

    class KnownDistance(ValueDrift):
        def to_calculation(self) -> Any:
            calculation = super().to_calculation()

            def calculate(_context: Any, current: Any, _reference: Any) -> Any:
                result = calculation.result(float(current.column(self.column).data.iloc[0]))
                result.widget = []
                return result

            calculation.calculate = calculate
            return calculation

    return KnownDistance


def _measured(sides: Sides, column: str, distance: Bounded, record: Mapping[str, object]) -> Measured:
    from evidently.legacy.renderers.html_widgets import plotly_data

    before, now = sides.of(column)
    bars: list[float] | list[str]
    if isinstance(before, NumberSummary) and isinstance(now, NumberSummary) and not sides.categorical(column):
        bars, shares, shape = _bins(before, now)
    else:
        bars, shares, shape = _categories(before, now)
    data = [
        {"type": "bar", "name": name, "x": bars, "y": share, "marker": {"color": color}, **shape}
        for name, color, share in zip(("reference", "window"), (REFERENCE_COLOR, WINDOW_COLOR), shares, strict=True)
    ]
    layout = {
        "barmode": "overlay" if shape else "group",
        "xaxis": {"title": {"text": plain_text(column)}, "type": "linear" if shape else "category"},
        "yaxis": {"title": {"text": "share of values"}, "tickformat": ".0%"},
    }
    reference, current = (tuple(share) for share in shares)
    return Measured(distance, record, plotly_data(title="", data=data, layout=layout), reference, current)


def _bins(reference: NumberSummary, current: NumberSummary) -> tuple[list[float], list[list[float]], dict[str, object]]:
    """Both distributions in the same bars of equal width, as shares: sides of different size compare."""
    ends = np.array([_quantiles(side, (_TAILS, 1 - _TAILS)) for side in (reference, current)])
    edges = np.histogram_bin_edges([], bins=_MOST_BARS, range=(float(ends.min()), float(ends.max())))
    shares = []
    for side in (reference, current):
        within = np.clip(side.points.at, edges[0], edges[-1])
        counts = np.histogram(within, edges, weights=side.points.counts)[0]
        shares.append([_short(share) for share in counts / side.values])
    width = _short(float(edges[1] - edges[0]))
    return [_short(x) for x in (edges[:-1] + edges[1:]) / 2], shares, {"width": width, "opacity": 0.6}


def _quantiles(side: NumberSummary, shares: tuple[float, ...]) -> np.ndarray:
    until = np.cumsum(side.points.counts)
    return side.points.at[np.searchsorted(until, np.array(shares) * until[-1])]


def _categories(
    reference: ColumnSummary, current: ColumnSummary
) -> tuple[list[str], list[list[float]], dict[str, object]]:
    """The most frequent categories of either side, in the reference's order; the others as one bar."""
    shares = [{key: n / side.values for key, n in _counts(side).items()} for side in (reference, current)]
    every = sorted(set(shares[0]) | set(shares[1]), key=lambda key: (-shares[0].get(key, 0), key))
    frequent = set(sorted(every, key=lambda key: -max(s.get(key, 0) for s in shares))[:_MOST_BARS])
    bars = [key for key in every if key in frequent]
    values = [[_short(side.get(key, 0)) for key in bars] for side in shares]
    if len(every) > len(bars):
        values = [[*side, _short(max(1 - sum(side), 0))] for side in values]
        bars.append(f"{len(every) - len(bars)} others")
    return [plain_text(bar) for bar in bars], values, {}


def _counts(side: ColumnSummary) -> Mapping[str, int]:
    if isinstance(side, CategorySummary):
        return side.counts
    counts = side.points.counts.tolist()
    return {str(at).removesuffix(".0"): count for at, count in zip(side.points.at.tolist(), counts, strict=True)}


def _short(value: float) -> float:
    return float(f"{value:.5g}")
