"""Metrics that depend on the order of scores, under many weightings of the rows at once (a bootstrap needs that).

Ordering is done once per ranking, so that a weighting costs a few passes over the rows and no sort.
"""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Weights = NDArray[np.int64]


class Ranking:
    """Rows of two kinds, positive and negative, in the order of their scores."""

    def __init__(self, positive: NDArray[np.bool_], score: Floats) -> None:
        """Order the rows.

        Args:
            positive: (n,) whether a row is of the class that should score high.
            score: (n,) finite; equal scores are ties.
        """
        self._order = np.argsort(score, kind="stable")
        ordered = score[self._order]
        self._negative = ~positive[self._order]
        self._positives = np.flatnonzero(~self._negative)
        # Of each positive row: where the rows of its score begin, and where they end.
        self._first = np.searchsorted(ordered, ordered[self._positives], side="left")
        self._last = np.searchsorted(ordered, ordered[self._positives], side="right")

    def auc(self, weights: Weights) -> Floats:
        """Area under the ROC curve: how often a positive row scores above a negative one, ties counted half.

        Args:
            weights: (s, n) how often each row counts, in s weightings.

        Returns:
            (s,) in 0..1; NaN where a weighting leaves one kind of rows only.

        Source: Mann and Whitney (1947); Hanley and McNeil (1982), "The meaning and use of the area under a ROC curve".
        """
        ordered = weights[:, self._order]
        below = _before(ordered * self._negative)
        positive = ordered[:, self._positives]
        wins = (positive * (below[:, self._first] + below[:, self._last])).sum(axis=1) / 2
        return _ratio(wins, positive.sum(axis=1) * below[:, -1])

    def average_precision(self, weights: Weights) -> Floats:
        """Mean precision at the scores of the positive rows (no interpolation, as in scikit-learn).

        Args:
            weights: (s, n) how often each row counts, in s weightings.

        Returns:
            (s,) in 0..1; NaN where a weighting leaves one kind of rows only.
        """
        ordered = weights[:, self._order]
        every, negatives = _before(ordered), _before(ordered * self._negative)
        positive = ordered[:, self._positives]
        selected = every[:, -1:] - every[:, self._first]
        wrong = negatives[:, -1:] - negatives[:, self._first]
        # A row of weight 0 may select nothing; its precision then counts for nothing.
        precision = 1.0 - wrong / np.maximum(selected, 1)
        total = positive.sum(axis=1)
        return np.where(negatives[:, -1] > 0, _ratio((positive * precision).sum(axis=1), total), np.nan)


def _before(values: NDArray[np.int64]) -> NDArray[np.int64]:
    """(s, n + 1) sums of the values before each place."""
    sums = np.zeros((values.shape[0], values.shape[1] + 1), dtype=np.int64)
    np.cumsum(values, axis=1, out=sums[:, 1:])
    return sums


def _ratio(part: NDArray[np.float64], whole: NDArray[np.int64]) -> Floats:
    return np.where(whole > 0, part / np.maximum(whole, 1), np.nan)
