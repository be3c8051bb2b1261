"""The tests with p-values that Evidently takes for references of up to 1,000 values, from summaries.

They are as Evidently makes them (0.7.23), traits included: its chi-squared takes the reference for exact. Distances
are in `distances.py`, the choice between all of them in `defaults.py`.
"""

from math import sqrt

import numpy as np

from ml_assets.ml.monitoring.summaries.distances import Bounded, ColumnSummary, aligned
from ml_assets.ml.monitoring.summaries.numbers import NumberSummary

_EXACT_ROWS = 10_000
"""Up to so many rows SciPy computes the p-value of Kolmogorov and Smirnov exactly."""


def kolmogorov_smirnov(reference: NumberSummary, current: NumberSummary) -> Bounded:
    """p-value of the two-sided, two-sample test of Kolmogorov and Smirnov, 0..1.

    Exact where both summaries are. Else the error is the range of p-values over the largest error of the statistic
    by the asymptotic formula, widened by twice its distance from the exact one: an estimate, no proof.

    Args:
        reference: At least one value.
        current: At least one value.
    """
    from scipy.stats import ks_2samp, kstwo

    n, m = reference.values, current.values
    cells, _ = aligned(reference, current)
    statistic = float(
        np.abs(np.subtract(*(np.cumsum(side) / count for side, count in zip(cells, (n, m), strict=True)))).max()
    )
    effective = np.round(n * m / (n + m))
    value = asymptotic = float(np.clip(kstwo.sf(statistic, effective), 0, 1))
    if max(n, m) <= _EXACT_ROWS:
        rows = (np.repeat(side.points.at, side.points.counts) for side in (reference, current))
        value = float(ks_2samp(*rows)[1])
    off = reference.points.rank_error + current.points.rank_error
    if not off:
        return Bounded(value)
    ends = kstwo.sf(np.clip([statistic - off, statistic + off], 0, 1), effective)
    return Bounded(value, float(np.abs(ends - asymptotic).max()) + 2 * abs(value - asymptotic))


def chi_squared(reference: ColumnSummary, current: ColumnSummary) -> Bounded:
    """p-value of Pearson's chi-squared test of the current counts against the reference's shares, 0..1.

    A value that the reference lacks gives 0. Exact if the reference is: categories that the current side has in
    buckets are then more than the reference's.

    Args:
        reference: At least one value.
        current: At least one value, of the same kind of column.
    """
    from scipy.stats import chisquare

    cells, rest = aligned(reference, current)
    if rest[1].any() or cells[1][cells[0] == 0].any():
        return Bounded(0.0)
    return Bounded(float(chisquare(cells[1], cells[0] * (current.values / reference.values))[1]))


def two_proportions(reference: ColumnSummary, current: ColumnSummary) -> Bounded:
    """p-value of the two-sided z-test of two proportions, 0..1; 1 where there is one value only.

    Args:
        reference: At least one value; with the other side at most two distinct ones, counted exactly.
        current: At least one value, of the same kind of column.
    """
    from scipy.stats import norm

    cells, _ = aligned(reference, current)
    if cells.shape[1] < 2:
        return Bounded(1.0)
    n, m = reference.values, current.values
    pooled = cells[:, 1].sum() / (n + m)
    z = (cells[0, 1] / n - cells[1, 1] / m) / sqrt(pooled * (1 - pooled) * (1 / n + 1 / m))
    return Bounded(float(2 * (1 - norm.cdf(abs(z)))))
