"""Evidently's default verdict on a column, from summaries: which method, which threshold, drifted or not.

What a policy makes of it is the business of `ml.monitoring.report`.
"""

from collections.abc import Callable
from dataclasses import dataclass

from ml_assets.ml.monitoring.summaries.categories import CategorySummary
from ml_assets.ml.monitoring.summaries.distances import Bounded, ColumnSummary, jensen_shannon, wasserstein_normed
from ml_assets.ml.monitoring.summaries.numbers import NumberSummary
from ml_assets.ml.monitoring.summaries.p_values import chi_squared, kolmogorov_smirnov, two_proportions

FEW_VALUES = 5
"""Evidently takes numbers of so few distinct values, on both sides together, for categories."""
SMALL_REFERENCE = 1000
"""Up to so many values of the reference Evidently takes tests with p-values."""
_METHODS: dict[str, tuple[Callable[..., Bounded], float]] = {
    "wasserstein": (wasserstein_normed, 0.1),
    "jensenshannon": (jensen_shannon, 0.1),
    "ks": (kolmogorov_smirnov, 0.05),
    "chisquare": (chi_squared, 0.05),
    "z": (two_proportions, 0.05),
}


@dataclass(frozen=True)
class DefaultVerdict:
    """What Evidently says of a column by default.

    Attributes:
        method: Evidently's name of the method.
        score: Its distance or p-value.
        threshold: Evidently's threshold for it.
        drifted: Its verdict.
        sure: Whether the verdict is that of all rows; False: the threshold is within the error of the score.
    """

    method: str
    score: Bounded
    threshold: float
    drifted: bool
    sure: bool


def default_verdict(reference: ColumnSummary, current: ColumnSummary) -> DefaultVerdict:
    """The verdict of Evidently's `DataDriftPreset` without options (0.7.23).

    Args:
        reference: At least one value.
        current: At least one value, of the same kind of column.
    """
    method = default_method(reference, current)
    measure, threshold = _METHODS[method]
    score = measure(reference, current)
    drifted = {
        "ks": score.value <= threshold,
        "chisquare": score.value < threshold,
        "z": score.value < threshold,
    }.get(method, score.value >= threshold)
    return DefaultVerdict(method, score, threshold, drifted, score.sure(threshold))


def default_method(reference: ColumnSummary, current: ColumnSummary) -> str:
    """Evidently's name of the method that it takes."""
    few = few_values(reference, current)
    if reference.values > SMALL_REFERENCE:
        return "jensenshannon" if few or isinstance(reference, CategorySummary) else "wasserstein"
    if few or isinstance(reference, CategorySummary):
        return "chisquare" if distinct(reference, current) > 2 else "z"
    return "ks"


def few_values(reference: ColumnSummary, current: ColumnSummary) -> bool:
    """Whether both sides together have `FEW_VALUES` distinct values at most."""
    return distinct(reference, current) <= FEW_VALUES


def distinct(reference: ColumnSummary, current: ColumnSummary) -> int:
    """Distinct values of both sides together; where a side is not exact, at least so many."""
    if isinstance(reference, NumberSummary) and isinstance(current, NumberSummary):
        if reference.exact and current.exact:
            return len({*reference.points.at.tolist(), *current.points.at.tolist()})
        return max(reference.distinct, current.distinct)
    sides = [side for side in (reference, current) if isinstance(side, CategorySummary)]
    return max(len({name for side in sides for name in side.counts}), *(side.distinct for side in sides))
