"""One numeric column in a few thousand points: exact while they suffice, else with a known error.

Here belong making and merging the summary. Distances between two of them are in `distances.py`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt
from typing import Any

import numpy as np

from ml_assets.ml.monitoring.summaries.compressing import Points, compress, gathered

MOST_POINTS = 4096
"""Points kept of a column. Up to so many distinct values its summary is exact."""
TOLERANCE = 0.001
"""Error of a summary of rows, in standard deviations. A hundredth of the threshold that Evidently sets at 0.1."""
_MERGED_TOLERANCE = TOLERANCE / 10
LARGEST = 1e150
"""Larger numbers have no finite variance in float64; like infinite ones they count as missing."""


@dataclass(frozen=True, eq=False)
class NumberSummary:
    """What is known of a numeric column, without its rows.

    Attributes:
        rows: Rows.
        missing: Rows without a value: null, NaN, infinite, or beyond `LARGEST`.
        mean: Of the values, of all rows; 0 where there are none.
        squares: Sum of the squared deviations from the mean.
        least: Smallest value; 0 where there are none.
        largest: Largest value.
        points: Their distribution.
    """

    rows: int
    missing: int
    mean: float
    squares: float
    least: float
    largest: float
    points: Points

    @property
    def values(self) -> int:
        """Rows with a value."""
        return self.rows - self.missing

    @property
    def std(self) -> float:
        """Standard deviation of the values (divided by n), as of all rows; 0 where there are none."""
        return sqrt(self.squares / self.values) if self.values else 0.0

    @property
    def exact(self) -> bool:
        """Whether the points are the values themselves."""
        return self.points.error == 0

    @property
    def distinct(self) -> int:
        """Distinct values; of an inexact summary more than `MOST_POINTS`, which is then the answer."""
        return len(self.points.at) if self.exact else MOST_POINTS

    def as_plain(self) -> dict[str, Any]:
        """What JSON can hold."""
        return {
            "kind": "numbers",
            "rows": self.rows,
            "missing": self.missing,
            "mean": self.mean,
            "squares": self.squares,
            "least": self.least,
            "largest": self.largest,
            "at": self.points.at.tolist(),
            "counts": self.points.counts.tolist(),
            "error": self.points.error,
            "rank_error": self.points.rank_error,
        }

    @classmethod
    def from_plain(cls, plain: dict[str, Any]) -> "NumberSummary":
        """The summary that `as_plain` gave."""
        at, counts = np.array(plain["at"], dtype=np.float64), np.array(plain["counts"], dtype=np.int64)
        points = Points(at, counts, plain["error"], plain["rank_error"])
        plain = {name: plain[name] for name in ("rows", "missing", "mean", "squares", "least", "largest")}
        return cls(**plain, points=points)


def summarise_numbers(column: np.ndarray) -> NumberSummary:
    """Summary of rows; sorts them once.

    Args:
        column: (n,) float64, any unit; NaN and infinite values count as missing. n may be 0.
    """
    rows, values = len(column), np.sort(column)  # NaN comes last
    values = values[np.searchsorted(values, -LARGEST) : np.searchsorted(values, LARGEST, side="right")]
    if not len(values):
        nothing = Points(np.array([]), np.array([], dtype=np.int64))
        return NumberSummary(rows, rows, 0.0, 0.0, 0.0, 0.0, nothing)
    ends = float(values[0]) + 0.0, float(values[-1]) + 0.0  # no -0.0
    mean = float(values.mean())
    away = values - mean
    squares = float(np.square(away, out=away).sum())
    if ends[0] == ends[1]:  # the mean of equal numbers is not always one of them
        mean, squares = ends[0], 0.0
    last = values[1:] != values[:-1]
    if np.count_nonzero(last) < MOST_POINTS:
        first = np.append(0, np.flatnonzero(last) + 1)
        points = Points(values[first] + 0.0, np.diff(first, append=len(values)))
    else:
        points = compress(values, tolerance=_tolerance(TOLERANCE, squares, len(values)), most=MOST_POINTS)
    return NumberSummary(rows, rows - len(values), mean, squares, *ends, points)


def merge_numbers(parts: Sequence[NumberSummary]) -> NumberSummary:
    """Summary of all rows of the parts, without their rows.

    The errors of the parts count by their rows, and putting points together adds `TOLERANCE` / 10 or what 4,096
    points cost: merge many at once rather than one after the other. Moments are exact up to rounding (Chan, Golub
    & LeVeque 1983).

    Args:
        parts: At least one.
    """
    rows, missing = sum(part.rows for part in parts), sum(part.missing for part in parts)
    there = [part for part in parts if part.values]
    if len(there) < 2:
        only = there[0] if there else parts[0]
        return NumberSummary(rows, missing, only.mean, only.squares, only.least, only.largest, only.points)
    n = np.array([part.values for part in there], dtype=float)
    means = np.array([part.mean for part in there])
    mean = float(means @ n / n.sum())
    squares = float(sum(part.squares for part in there) + (means - mean) ** 2 @ n)
    at, counts = gathered(
        np.concatenate([part.points.at for part in there]), np.concatenate([part.points.counts for part in there])
    )
    error = float(np.array([part.points.error for part in there]) @ n / n.sum())
    rank_error = float(np.array([part.points.rank_error for part in there]) @ n / n.sum())
    points = Points(at, counts, error, rank_error)
    if len(at) > MOST_POINTS:
        fewer = compress(at, counts, tolerance=_tolerance(_MERGED_TOLERANCE, squares, n.sum()), most=MOST_POINTS)
        # Errors add up: distances obey the triangle inequality.
        points = Points(fewer.at, fewer.counts, fewer.error + error, fewer.rank_error + rank_error)
    ends = min(part.least for part in there), max(part.largest for part in there)
    return NumberSummary(rows, missing, mean, squares, *ends, points)


def _tolerance(deviations: float, squares: float, values: float) -> float:
    """So many standard deviations, in the unit of the column, > 0."""
    return max(deviations * sqrt(squares / values), float(np.finfo(float).tiny))
