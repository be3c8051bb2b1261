"""The promotion gate: is the challenger better than the champion on the same held-out rows?"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ml_assets.ml.metrics import Floats, regression_metrics
from ml_assets.spec import Promotion


@dataclass(frozen=True)
class Verdict:
    """The gate's decision with its numbers.

    Attributes:
        promote: Whether the challenger becomes the champion.
        reason: One sentence.
        challenger, champion: Errors on the same rows, in the label's unit.
        gain: Relative gain, (champion - challenger) / champion; above zero the challenger is better.
        low, high: Two-sided interval of the gain, each side at the declared one-sided confidence.
        rows: Rows compared.
    """

    promote: bool
    reason: str
    challenger: float
    champion: float
    gain: float
    low: float
    high: float
    rows: int


def compare(
    label: Floats, challenger: Floats, champion: Floats, day: NDArray[np.int64], policy: Promotion, *, against: str
) -> Verdict:
    """Compare two models on the same rows by a paired bootstrap over whole days.

    Flights of a day share their weather, so single rows are not independent; resampling days keeps that
    dependence (a block bootstrap: Künsch 1989, "The jackknife and the bootstrap for general stationary
    observations").

    Args:
        label: (n,) float64, finite.
        challenger: (n,) predictions of the new model.
        champion: (n,) predictions of the model in production, or of the baseline where there is none.
        day: (n,) integer, equal for rows of the same day.
        policy: Metric, least gain, confidence, samples and seed.
        against: Name of the champion for the reason, e.g. "version 3".
    """
    errors = [regression_metrics(label, prediction).error(policy.metric) for prediction in (challenger, champion)]
    gain = 1.0 - errors[0] / errors[1]
    gains = _bootstrap(label, challenger, champion, day, policy)
    low, high = (float(q) for q in np.quantile(gains, [1 - policy.confidence, policy.confidence]))
    promote = gain > policy.min_gain and low > 0
    text = (
        f"{policy.metric} {errors[0]:.2f} against {errors[1]:.2f} of {against} ({gain:+.1%}, {low:+.1%} to {high:+.1%})"
    )
    reason = f"better: {text}" if promote else f"not surely better: {text}"
    return Verdict(promote, reason, errors[0], errors[1], gain, low, high, len(label))


def _bootstrap(
    label: Floats, challenger: Floats, champion: Floats, day: NDArray[np.int64], policy: Promotion
) -> Floats:
    """(samples,) relative gains under resampled days."""
    _, index = np.unique(day, return_inverse=True)
    loss = [
        (prediction - label) ** 2 if policy.metric == "rmse" else np.abs(prediction - label)
        for prediction in (challenger, champion)
    ]
    sums = np.stack([np.bincount(index, weights=part) for part in loss])
    days = sums.shape[1]
    rng = np.random.default_rng(policy.seed)
    counts = rng.multinomial(days, np.full(days, 1 / days), size=policy.bootstrap_samples)
    ours, theirs = counts @ sums[0], counts @ sums[1]
    ratio = np.sqrt(ours / theirs) if policy.metric == "rmse" else ours / theirs
    return 1.0 - ratio
