"""Distances between two columns from their summaries, each with the bound of its error.

The formulas are Evidently's (0.7.23, `calculations/stattests`), applied to counts instead of rows. p-values are in
`p_values.py`, the choice between all of them in `defaults.py`.
"""

from dataclasses import dataclass
from math import log, sqrt

import numpy as np

from ml_assets.ml.monitoring.summaries.categories import BUCKETS, CategorySummary, bucket
from ml_assets.ml.monitoring.summaries.numbers import NumberSummary

ColumnSummary = NumberSummary | CategorySummary
LEAST_NORM = 0.001
"""Evidently divides by no smaller standard deviation."""
_ROUNDING = 1e-9


@dataclass(frozen=True)
class Bounded:
    """A number, and how far the one of all rows may be from it.

    Attributes:
        value: The number.
        error: Largest difference, >= 0; rounding of float64 (1e-9) is left out.
    """

    value: float
    error: float = 0.0

    def sure(self, threshold: float) -> bool:
        """Whether all rows would be on the same side of a threshold."""
        return abs(self.value - threshold) > self.error + _ROUNDING * self.value or not self.error


def wasserstein_normed(reference: NumberSummary, current: NumberSummary, *, least_norm: float = LEAST_NORM) -> Bounded:
    """First Wasserstein distance divided by the reference's standard deviation.

    Exact where both summaries are. Else the error is that of both summaries over the same divisor: the distance is
    a metric, so by the triangle inequality it moves by no more than the distributions were moved.

    Args:
        reference: At least one value.
        current: At least one value.
        least_norm: Smallest divisor, in the unit of the column, > 0.

    Returns:
        The distance, >= 0, in standard deviations of the reference.
    """
    norm = max(reference.std, least_norm)
    every = np.unique(np.concatenate([reference.points.at, current.points.at]))
    apart = np.abs(np.subtract(*(_shares_until(side, every) for side in (reference, current))))
    value = float(apart[:-1] @ np.diff(every))
    return Bounded(value / norm, (reference.points.error + current.points.error) / norm)


def jensen_shannon(reference: ColumnSummary, current: ColumnSummary) -> Bounded:
    """Jensen-Shannon distance (square root of the divergence, natural logarithm), value by value.

    Exact where both summaries are; of numbers it is one only for few distinct values. Else it lies between the
    distance with every bucket as one category (putting categories together never adds divergence) and the one with
    all rows in buckets in different categories (the divergence is at most ln(2) per row); the answer is the middle.

    Args:
        reference: At least one value.
        current: At least one value, of the same kind of column.

    Returns:
        The distance, 0..0.833.
    """
    cells, rest = aligned(reference, current)
    n, m = reference.values, current.values
    counted = _divergence(cells[0] / n, cells[1] / m)
    least = counted + _divergence(rest[0] / n, rest[1] / m)
    most = counted + (rest[0].sum() / n + rest[1].sum() / m) / 2 * log(2)
    low, high = sqrt(max(least, 0)), sqrt(max(most, least, 0))
    return Bounded((low + high) / 2, (high - low) / 2)


def aligned(reference: ColumnSummary, current: ColumnSummary) -> tuple[np.ndarray, np.ndarray]:
    """Counts of the same values on both sides: (2, k) counted on both, (2, BUCKETS) all other rows.

    Numbers are taken as they are in the points, in their order; categories by name.
    """
    if isinstance(reference, NumberSummary) and isinstance(current, NumberSummary):
        every = np.union1d(reference.points.at, current.points.at)
        cells = np.zeros((2, len(every)), dtype=np.int64)
        for row, summary in zip(cells, (reference, current), strict=True):
            row[np.searchsorted(every, summary.points.at)] = summary.points.counts
        return cells, np.zeros((2, BUCKETS), dtype=np.int64)
    sides = [side for side in (reference, current) if isinstance(side, CategorySummary)]
    if len(sides) != 2:
        raise TypeError("a numeric column cannot be compared with categories")
    names = sorted({name for side in sides for name in side.counts})
    common = [name for name in names if all(side.known(name) for side in sides)]
    cells = np.array([[side.counts.get(name, 0) for name in common] for side in sides], dtype=np.int64)
    rest = np.array([side.rest for side in sides])
    for name in set(names).difference(common):
        for position, side in enumerate(sides):
            rest[position, bucket(name)] += side.counts.get(name, 0)
    return cells, rest


def _shares_until(side: NumberSummary, every: np.ndarray) -> np.ndarray:
    """(k,) share of the values up to each of `every`, 0..1."""
    until = np.append(0, np.cumsum(side.points.counts)) / side.values
    return until[np.searchsorted(side.points.at, every, side="right")]


def _divergence(p: np.ndarray, q: np.ndarray) -> float:
    """Jensen-Shannon divergence in nats of two (k,) arrays of shares; 0 * log(0) is 0."""
    middle = (p + q) / 2
    terms = [side[side > 0] * np.log(side[side > 0] / middle[side > 0]) for side in (p, q)]
    return float(sum(part.sum() for part in terms)) / 2
