"""What a version's own held-out rows let expect of a window: the interval of its error and of its bias.

Errors are relative to what the best constant would get on the same rows, so that a week of harder rows is no loss. Only
expectations are here; what follows from them is `window_checks.py`'s, the resampling is `bootstrap.py`'s.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from math import exp, log, sqrt

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ml_assets.ml.monitoring.block_noise import FEWEST_BLOCKS, critical_distance
from ml_assets.ml.promotion.gate import LEAST_DAYS
from ml_assets.ml.quality.bootstrap import draws, resampled
from ml_assets.ml.quality.metrics import ADDITIVE, evaluate
from ml_assets.ml.quality.ranking import Floats, Weights
from ml_assets.ml.quality.scores import Labels, Scores, known, label_of, read_scores
from ml_assets.spec import MetricName, Problem, QualityPolicy


@dataclass(frozen=True, eq=False)
class Judgeable:
    """Labelled rows with their scores.

    Attributes:
        label: (n,) known labels.
        scores: Of the same rows.
        day: (n,) integer, equal for rows of the same day.
    """

    label: Labels
    scores: Scores
    day: NDArray[np.int64]

    @classmethod
    def of(cls, problem: Problem, frame: pd.DataFrame) -> "Judgeable":
        """The rows of a frame that have a label; it has scores, the label and `event_timestamp`."""
        label = label_of(problem.task, frame[problem.label.name])
        there = known(problem.task, label)
        day = pd.to_datetime(frame["event_timestamp"], utc=True).dt.floor("D").to_numpy(dtype="datetime64[us]")
        return cls(label[there], read_scores(problem.task, frame).take(there), day[there].astype(np.int64))

    def __len__(self) -> int:
        """Number of rows."""
        return len(self.label)


@dataclass(frozen=True)
class Standing:
    """How rows stand, in errors of the best constant on them.

    Attributes:
        error: Relative error.
        bias: Mean prediction - mean label, relative to the spread of the labels; None for classes.
        unit: What the error is relative to: 1 where no constant is better than another (average_precision, f1_macro).
    """

    error: float
    bias: float | None
    unit: float = 1.0


@dataclass(frozen=True)
class Expected:
    """What a window may have if nothing changed.

    Attributes:
        error: Relative error of the held-out rows.
        unit: What it is relative to: the best constant's error on them.
        high: Upper end of the interval of a window's relative error.
        bias: Interval of its relative bias; None for classes.
    """

    error: float
    unit: float
    high: float
    bias: tuple[float, float] | None


@dataclass(frozen=True, eq=False)
class HeldOut:
    """What is known of a version's own held-out rows.

    Attributes:
        error: Its error on its test rows, the metric itself or 1 - score; None where it was undefined.
        rows: Held-out rows to draw from; without them there is no interval, and only declared limits count.
        blocks: How each time block that the version was fitted on stands: too well, but by how much they differ tells
            how much blocks do.
    """

    error: float | None
    rows: Judgeable | None = None
    blocks: Sequence[Standing] = ()
    _known: dict[tuple[int, QualityPolicy], Expected | None] = field(default_factory=dict)

    def expected(self, policy: QualityPolicy, window: Judgeable) -> Expected | None:
        """The intervals for a window of such a size; None where the held-out rows have no such error.

        Draws as many days of the held-out rows as the window has (single rows, where the held-out ones are of few
        days): small windows get wide intervals. As wide as the blocks' differences they are at least.
        """
        if self.rows is None or not len(window):
            return None
        days = len(np.unique(self.rows.day))
        blocks = self.rows.day if days >= LEAST_DAYS else np.arange(len(self.rows))
        drawn = len(window)
        if days >= LEAST_DAYS:
            drawn = min(len(np.unique(window.day)), max(1, round(len(window) * days / len(self.rows))))
        if (drawn, policy) not in self._known:
            self._known[drawn, policy] = self._expected(policy, blocks, drawn)
        return self._known[drawn, policy]

    def _expected(self, policy: QualityPolicy, blocks: NDArray[np.int64], drawn: int) -> Expected | None:
        assert self.rows is not None  # asked for by `expected`
        here = standing(policy.metric, self.rows)
        if here is None:
            return None
        errors, biases = _drawn(policy, self.rows, blocks, drawn)
        high = max(float(np.quantile(errors, 1 - policy.false_alarm_rate)) if len(errors) else here.error, here.error)
        spread = _spread([log(each.error) for each in self.blocks if each.error > 0], policy.false_alarm_rate)
        high = max(high, here.error * exp(spread))
        if biases is None or here.bias is None:
            return Expected(here.error, here.unit, high, None)
        ends = np.quantile(biases, [policy.false_alarm_rate / 2, 1 - policy.false_alarm_rate / 2])
        usual = _spread([each.bias for each in self.blocks if each.bias is not None], policy.false_alarm_rate / 2)
        low, top = min(float(ends[0]), here.bias - usual, 0.0), max(float(ends[1]), here.bias + usual, 0.0)
        return Expected(here.error, here.unit, high, (low, top))


def standing(metric: MetricName, rows: Judgeable) -> Standing | None:
    """How rows stand; None where the metric is undefined on them, or all have the same label."""
    metrics = evaluate(rows.label, rows.scores)
    if metrics.undefined(metric):
        return None
    once, none = np.ones((1, 1), dtype=np.int64), np.zeros(len(rows), dtype=np.int64)
    by = float(_constant(metric, rows, none)(once)[0])
    if not by > 0:
        return None
    if rows.scores.task == "multiclass":
        return Standing(metrics.error(metric) / by, None, by)
    scale = by if rows.scores.task == "regression" else float(rows.label.std()) or 1.0
    return Standing(metrics.error(metric) / by, metrics.values["bias"] / scale, by)


def held_out_of(problem: Problem, error: float | None, rows: pd.DataFrame, blocks: Sequence[Standing] = ()) -> HeldOut:
    """What is known of a version.

    Args:
        problem: Names the label.
        error: The version's own error on its test rows.
        rows: (n, ...) its held-out rows, with scores, label and `event_timestamp`.
        blocks: How its time blocks stand.
    """
    return HeldOut(error, Judgeable.of(problem, rows), blocks)


def _spread(values: Sequence[float], rate: float) -> float:
    """How far one more value lies above the mean of these with probability `rate`; 0 for too few to tell."""
    if len(values) < FEWEST_BLOCKS + 1:
        return 0.0
    deviation = float(np.std(values, ddof=1)) * sqrt(1 + 1 / len(values))
    return critical_distance(deviation, len(values) - 1, 2 * rate)


def _drawn(
    policy: QualityPolicy, rows: Judgeable, blocks: NDArray[np.int64], drawn: int
) -> tuple[Floats, Floats | None]:
    """Relative errors and biases of resampled windows; NaN ones (a single label) are left out."""
    _, index = np.unique(blocks, return_inverse=True)
    size = np.bincount(index)
    error_of, by_of = resampled(policy.metric, rows.label, rows.scores, index), _constant(policy.metric, rows, index)
    errors, biases = [], []
    biased = rows.scores.task != "multiclass"
    away = np.bincount(index, rows.scores.values - rows.label) if biased else None
    for counts in draws(len(size), len(rows), samples=policy.bootstrap_samples, seed=policy.seed, drawn=drawn):
        n = counts @ size
        error = error_of(counts) / n if policy.metric in ADDITIVE else error_of(counts)
        by = by_of(counts)
        with np.errstate(divide="ignore", invalid="ignore"):
            errors.append((np.sqrt(error) if policy.metric == "rmse" else error) / by)
            if away is not None:
                biases.append((counts @ away) / n / (by if rows.scores.task == "regression" else rows.label.std()))
    found = np.concatenate(errors)
    return found[np.isfinite(found)], _finite(np.concatenate(biases)) if biases else None


def _finite(values: Floats) -> Floats | None:
    kept = values[np.isfinite(values)]
    return kept if len(kept) else None


def _constant(metric: MetricName, rows: Judgeable, index: NDArray[np.int64]) -> Callable[[Weights], Floats]:
    """From (s, blocks) counts to (s,) errors of the best constant on what was drawn.

    The mean's rmse, the median's mae (the median of all these rows), the class frequencies' log loss, brier and
    accuracy, half of the auc. Where it would say nothing (average_precision, f1_macro), 1.
    """
    size = np.bincount(index)
    if metric in ("rmse", "mae"):
        middle = rows.label.mean() if metric == "rmse" else np.median(rows.label)
        away = rows.label - middle
        first = np.bincount(index, away if metric == "rmse" else np.abs(away))
        second = np.bincount(index, away**2)

        def numbers(counts: Weights) -> Floats:
            mean = counts @ first / (counts @ size)
            return np.sqrt(np.maximum(counts @ second / (counts @ size) - mean**2, 0)) if metric == "rmse" else mean

        return numbers
    if metric not in ADDITIVE:
        return lambda counts: np.full(len(counts), 0.5 if metric == "auc" else 1.0)
    codes, names = pd.factorize(rows.label)
    each = np.stack([np.bincount(index, codes == code, len(size)) for code in range(len(names))], axis=1)

    def classes(counts: Weights) -> Floats:
        share = counts @ each / (counts @ size)[:, None]
        if metric == "accuracy":
            return np.asarray(1 - share.max(axis=1))
        if metric == "brier":
            return np.asarray(share[:, 0] * (1 - share[:, 0]))
        return np.asarray(-(share * np.log(np.where(share > 0, share, 1.0))).sum(axis=1))

    return classes
