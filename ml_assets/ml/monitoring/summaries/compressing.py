"""Fewer points for a distribution on a line, with the distance that this costs.

Only the geometry is here: what the points are for, and how far they may be off, is `numbers.py`'s.
"""

from dataclasses import dataclass

import numpy as np

_FEWEST = 256
"""Cells at least, so that pictures and ranks stay readable where one outlier makes every other distance small."""
_DECIMALS = 12
_MARKS, _ENDS = 2**17, 64
"""Where there are more values, so many tell where cells begin, and those at either end one by one."""
_NOISE = 1.3
"""Gaps between random points scatter, so that S is a little below that of their density (by sqrt(pi) / 2)."""


@dataclass(frozen=True, eq=False)
class Points:
    """A distribution as weighted points.

    Attributes:
        at: (k,) float64, strictly increasing.
        counts: (k,) int64, rows at each point, > 0.
        error: Wasserstein distance to what they stand for, in the unit of the values; 0: they are it.
        rank_error: Largest difference of the two distribution functions, 0..1.
    """

    at: np.ndarray
    counts: np.ndarray
    error: float = 0.0
    rank_error: float = 0.0


def gathered(at: np.ndarray, counts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Sorted points, equal ones added up: (k,) float64 strictly increasing, (k,) int64.

    Args:
        at: (n,) float64 in any order, finite.
        counts: (n,) int64.
    """
    order = np.argsort(at, kind="stable")
    at, counts = at[order], counts[order]
    first = np.flatnonzero(np.concatenate([[True], at[1:] != at[:-1]])) if len(at) else np.array([], dtype=int)
    return at[first], np.add.reduceat(counts, first) if len(at) else counts


def compress(at: np.ndarray, counts: np.ndarray | None = None, *, tolerance: float, most: int) -> Points:
    """As few points as keep within a tolerance, `most` at most.

    Neighbours are put together in cells, each at its median. Of all cell widths, those that follow the inverse root
    of the density give the least Wasserstein distance for a number of cells (Panter & Dite 1951, for the absolute
    instead of the squared error), so every cell gets an equal share of S = sum(sqrt(gap * weight)): an outlier has a
    cell of its own, and dense parts are shared out by rank. The cost is about S^2 / (4 * cells). That is only a
    guess to start from: the error is measured over all values.

    Args:
        at: (n,) float64, sorted, finite, n >= 2; not all equal.
        counts: (n,) int64, > 0, rows at each; None: one each.
        tolerance: Wasserstein distance that is allowed, in the unit of the values, > 0.
        most: Points at most; where they do not suffice, the error is larger than the tolerance, and says so.
    """
    rows = np.arange(len(at) + 1) if counts is None else np.append(0, np.cumsum(counts))
    middle = at[len(at) // 2]  # far from 0, sums of what is left lose no digits
    weighted = at - middle if counts is None else (at - middle) * counts
    marks, along = _along(at, rows)
    cells = int(np.clip(_NOISE * along[-1] ** 2 / (4 * tolerance), min(_FEWEST, most), most))
    while True:
        edges = marks[np.searchsorted(along, np.arange(1, cells) * (along[-1] / cells))]
        points = _points(at, rows, weighted, middle, np.unique(np.append(0, edges)), tolerance)
        if points.error <= tolerance or cells >= most:
            return points
        cells = min(most, int(cells * 1.1 * points.error / tolerance) + 1)


def _along(at: np.ndarray, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Positions in `at`, where there are very many values not all, and the sum of sqrt(gap * weight) up to each."""
    n = len(at)
    marks = np.arange(n)
    if n > 2 * _MARKS:
        marks = np.concatenate([marks[:_ENDS], marks[_ENDS : -_ENDS : n // _MARKS], marks[-_ENDS:]])
    steps = np.sqrt(np.diff(at[marks]) * np.diff(rows[marks]) / rows[-1])
    along = np.append(0, np.cumsum(steps))
    return marks, along if along[-1] else marks.astype(float)  # gaps too small for float64


def _points(
    at: np.ndarray, rows: np.ndarray, weighted: np.ndarray, middle: float, starts: np.ndarray, tolerance: float
) -> Points:
    """One point for each cell; cells begin at `starts`, the first at 0."""
    ends = np.append(starts[1:], len(at))
    mass = rows[ends] - rows[starts]
    medians = np.searchsorted(rows[1:], rows[starts] + (mass + 1) // 2)
    # Short numbers make short files. Clipped to its cell, a point stays in its order.
    points = np.clip(_rounded(at[medians], tolerance), at[starts], at[ends - 1]) + 0.0  # no -0.0
    turn = np.clip(np.searchsorted(at, points), starts, ends - 1)  # left of it nothing is above its point
    sums = np.add.reduceat(weighted, np.stack([starts, turn], axis=1).ravel()).reshape(-1, 2)
    below_rows, above_rows = rows[turn] - rows[starts], rows[ends] - rows[turn]
    below = np.where(turn > starts, below_rows * (points - middle) - sums[:, 0], 0.0)
    above = sums[:, 1] - above_rows * (points - middle)
    total = int(rows[-1])
    error = max(float((below + above).sum()) / total, float(np.nextafter(0, 1)))
    wide = mass[at[starts] != at[ends - 1]]
    first = np.flatnonzero(np.append(True, points[1:] != points[:-1]))  # equal values may lie in two cells
    return Points(points[first], np.add.reduceat(mass, first), error, int(wide.max(initial=0)) / total)


def _rounded(at: np.ndarray, tolerance: float) -> np.ndarray:
    decimals = int(np.ceil(-np.log10(tolerance))) + 2
    return np.round(at, decimals) if abs(decimals) <= _DECIMALS else at
