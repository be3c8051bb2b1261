"""A block bootstrap: how sure is a metric, and, paired, that one model's error is smaller than another's?

Only resampling lives here; what follows from it is `gate.py`'s.
"""

from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray

from ml_assets.ml.quality.metrics import ADDITIVE, f1_macro, predicted_codes, rankings, row_losses, true_codes
from ml_assets.ml.quality.ranking import Floats, Weights
from ml_assets.ml.quality.scores import Labels, Scores
from ml_assets.spec import GREATER_IS_BETTER, MetricName

_CELLS = 4_000_000
"""Weights held at once, resamples x rows: 32 MB."""

_NO_BETTER = -1.0
"""Gain over a champion without any error: there is none to have, and an error counts as one twice as large."""


def bootstrap_gains(
    metric: MetricName,
    label: Labels,
    challenger: Scores,
    champion: Scores,
    block: NDArray[np.int64],
    *,
    samples: int,
    seed: int,
) -> Floats:
    """Relative gains, 1 - challenger's error / champion's error, under resampled blocks.

    Whole blocks are drawn with replacement, the same ones for both models: rows of a day share their weather or
    their customers, and resampling days keeps that dependence (Künsch 1989, "The jackknife and the bootstrap for
    general stationary observations").

    Args:
        metric: What is compared.
        label: (n,) known labels.
        challenger, champion: Scores of the same rows.
        block: (n,) integers, equal for rows of the same block.
        samples, seed: How many resamples, and the seed of the drawing.

    Returns:
        (samples,) gains, at most 1; NaN where a resample leaves one class only and the metric needs two.
    """
    _, index = np.unique(block, return_inverse=True)
    blocks = int(index.max()) + 1
    ours, theirs = (resampled(metric, label, scores, index) for scores in (challenger, champion))
    drawn = draws(blocks, len(label), samples=samples, seed=seed)
    return np.concatenate([gain(ours(counts), theirs(counts), root=metric == "rmse") for counts in drawn])


def bootstrap_interval(
    metric: MetricName,
    label: Labels,
    scores: Scores,
    block: NDArray[np.int64],
    *,
    confidence: float,
    samples: int,
    seed: int,
) -> tuple[float, float] | None:
    """Interval of a metric's value (not its error) under resampled blocks.

    Args:
        metric: Which.
        label: (n,) known labels, n > 0.
        scores: Of the same rows.
        block: (n,) integers, equal for rows of the same block.
        confidence: Of each side: 0.9 gives the 10% and the 90% quantile.
        samples, seed: How many resamples, and the seed of the drawing.

    Returns:
        Low and high; None where no resample has the metric.
    """
    _, index = np.unique(block, return_inverse=True)
    blocks, size = int(index.max()) + 1, np.bincount(index)
    errors = resampled(metric, label, scores, index)
    found = []
    for counts in draws(blocks, len(label), samples=samples, seed=seed):
        error = errors(counts) / (counts @ size) if metric in ADDITIVE else errors(counts)
        found.append(np.sqrt(error) if metric == "rmse" else error)
    values = np.concatenate(found)
    values = values[~np.isnan(values)]
    if not len(values):
        return None
    low, high = (float(q) for q in np.quantile(values, [1 - confidence, confidence]))
    return (1.0 - high, 1.0 - low) if metric in GREATER_IS_BETTER else (low, high)


def gain(challenger: Floats, champion: Floats, *, root: bool = False) -> Floats:
    """Relative gains of errors (with `root`, of squared ones); NaN stays NaN."""
    ratio = challenger / np.where(champion > 0, champion, 1.0)
    ratio = np.where(champion > 0, ratio, np.where(challenger > 0, 1.0 - _NO_BETTER, 1.0))
    relative = 1.0 - (np.sqrt(ratio) if root else ratio)
    return np.where(np.isnan(challenger) | np.isnan(champion), np.nan, relative)


def draws(blocks: int, rows: int, *, samples: int, seed: int, drawn: int | None = None) -> Iterator[Weights]:
    """(s, blocks) how often each block is drawn, in parts that keep the weights of the rows in memory.

    Args:
        blocks, rows: How many there are.
        samples, seed: How many resamples, and the seed of the drawing.
        drawn: Blocks of a resample, when not as many as there are.
    """
    rng = np.random.default_rng(seed)
    at_once = max(1, _CELLS // rows)
    for first in range(0, samples, at_once):
        yield rng.multinomial(drawn or blocks, np.full(blocks, 1 / blocks), size=min(at_once, samples - first))


def resampled(
    metric: MetricName, label: Labels, scores: Scores, index: NDArray[np.int64]
) -> Callable[[Weights], Floats]:
    """From (s, blocks) counts to (s,) errors; of an additive metric up to a factor that both models share."""
    if metric in ADDITIVE:
        sums: Floats = np.bincount(index, weights=row_losses(metric, label, scores)).astype(np.float64)
        return lambda counts: np.asarray(counts @ sums, dtype=np.float64)
    if metric == "f1_macro":
        truth, predicted = true_codes(label, scores), predicted_codes(scores)
        return lambda counts: np.array([1.0 - f1_macro(truth, predicted, count[index]) for count in counts])
    ordered = rankings(label, scores)

    def error(counts: Weights) -> Floats:
        weights = counts[:, index]
        each = [one.auc(weights) if metric == "auc" else one.average_precision(weights) for one in ordered]
        return 1.0 - _mean_of_defined(np.stack(each))

    return error


def _mean_of_defined(values: Floats) -> Floats:
    """(s,) means over the classes that a resample has; NaN where it has none of them, or no other."""
    defined = ~np.isnan(values)
    count = defined.sum(axis=0)
    return np.where(count > 0, np.where(defined, values, 0.0).sum(axis=0) / np.maximum(count, 1), np.nan)
