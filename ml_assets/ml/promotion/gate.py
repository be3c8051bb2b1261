"""The promotion gate: is the challenger better than the champion on the same held-out rows, and within all limits?

Here the parts of the verdict come together; segments are compared in `segments.py`, costs measured in `model_cost.py`.
"""

from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ml_assets.ml.promotion.segments import SegmentVerdict
from ml_assets.ml.quality.bootstrap import bootstrap_gains, gain
from ml_assets.ml.quality.metrics import evaluate, shown
from ml_assets.ml.quality.scores import Labels, Scores, known
from ml_assets.spec import MetricName, Promotion, Task

LEAST_DAYS = 10
"""Days from which `blocks: auto` draws days: an interval from fewer blocks says little (a convention)."""


@dataclass(frozen=True)
class Verdict:
    """The gate's decision with its numbers.

    Attributes:
        promote: Whether the challenger becomes the champion.
        reason: One sentence.
        challenger, champion: Errors on the same rows, the metric itself or 1 - score; None where undefined.
        gain: Relative gain, (champion - challenger) / champion; above zero the challenger is better.
        low, high: Two-sided interval of the gain, each side at the declared one-sided confidence.
        rows: Rows compared.
        segments: The same comparison on the declared segments.
        size_bytes, latency_ms: What the challenger costs; None where it was not asked for.
    """

    promote: bool
    reason: str
    challenger: float | None
    champion: float | None
    gain: float | None
    low: float | None
    high: float | None
    rows: int
    segments: tuple[SegmentVerdict, ...] = ()
    size_bytes: int | None = None
    latency_ms: float | None = None

    def numbers(self) -> dict[str, float]:
        """What there is of errors, gain and interval, and of costs."""
        names = {"challenger": "challenger_error", "champion": "champion_error", "gain": "gain"}
        names |= {"low": "gain_low", "high": "gain_high", "size_bytes": "model_bytes", "latency_ms": "latency_ms"}
        found = {names[name]: getattr(self, name) for name in names}
        return {name: value for name, value in found.items() if value is not None}

    def segment_numbers(self) -> list[dict[str, Any]]:
        """The segments as plain values."""
        return [asdict(segment) for segment in self.segments]


def compare(
    label: Labels, challenger: Scores, champion: Scores, day: NDArray[np.int64], policy: Promotion, *, against: str
) -> Verdict:
    """Compare two models on the same rows by a paired bootstrap over days or rows.

    Args:
        label: (n,) labels; rows without one are left out.
        challenger: Scores of the new model.
        champion: Scores of the model in production, or of the baseline where there is none.
        day: (n,) integer, equal for rows of the same day.
        policy: Metric, least gain, confidence, blocks, samples and seed.
        against: Name of the champion for the reason, e.g. "version 3".
    """
    there = known(challenger.task, label)
    label, day = label[there], day[there]
    ours, theirs = challenger.take(there), champion.take(there)
    metrics = evaluate(label, ours), evaluate(label, theirs)
    if reason := metrics[0].undefined(policy.metric):
        return _undecided(f"{policy.metric} is undefined, since {reason}", len(label))
    errors = [found.error(policy.metric) for found in metrics]
    block = blocks_of(day, policy)
    if block is None:
        text = "the test rows lie on one day, so whole days cannot be drawn; declare `promotion.blocks: row`"
        return _undecided(text, len(label), *errors)
    gains = bootstrap_gains(
        policy.metric, label, ours, theirs, block, samples=policy.bootstrap_samples, seed=policy.seed
    )
    gains = gains[~np.isnan(gains)]
    if not len(gains):
        return _undecided(f"{policy.metric} is undefined in every resample", len(label), *errors)
    relative = float(gain(np.array(errors[:1]), np.array(errors[1:]))[0])
    low, high = (float(q) for q in np.quantile(gains, [1 - policy.confidence, policy.confidence]))
    promote = relative > policy.min_gain and low > 0
    values = [shown(found.value(policy.metric)) for found in metrics]
    text = f"{policy.metric} {values[0]} against {values[1]} of {against} ({relative:+.1%}, {low:+.1%} to {high:+.1%})"
    reason = f"better: {text}" if promote else f"not surely better: {text}"
    return Verdict(promote, reason, errors[0], errors[1], relative, low, high, len(label))


def within_limits(
    verdict: Verdict,
    policy: Promotion,
    *,
    segments: tuple[SegmentVerdict, ...],
    size_bytes: int,
    latency_ms: float | None,
) -> Verdict:
    """The verdict with segments and costs: a better challenger that breaks a limit is not promoted."""
    broken = [f"worse on segment {segment}, limit {-policy.max_segment_loss:+.1%}" for segment in _worst(segments)]
    if policy.max_model_bytes is not None and size_bytes > policy.max_model_bytes:
        broken.append(f"too large: {size_bytes:,} bytes > {policy.max_model_bytes:,}")
    if policy.max_latency_ms is not None and latency_ms is not None and latency_ms > policy.max_latency_ms:
        broken.append(f"too slow: {latency_ms:.3g} ms for 1,000 rows > {policy.max_latency_ms:g}")
    found = replace(verdict, segments=segments, size_bytes=size_bytes, latency_ms=latency_ms)
    if not broken:
        return found
    return replace(found, promote=False, reason="; ".join([*broken, verdict.reason]))


def _worst(segments: tuple[SegmentVerdict, ...], most: int = 3) -> list[SegmentVerdict]:
    """Those that failed, the worst ones of many: all of them are in the numbers."""
    return sorted((each for each in segments if not each.passed), key=lambda each: each.gain or 0.0)[:most]


def baseline(task: Task, metric: MetricName, label: Labels, rows: int) -> tuple[Scores, str]:
    """What a champion has to beat where there is none: the best that says the same of every row.

    Args:
        task: Kind of label.
        metric: What will be compared: the mean has the least rmse, the median the least mae.
        label: (m,) known labels of the validation rows.
        rows: How many rows to say it of.

    Returns:
        Its scores, and its name for the reason.
    """
    if task == "multiclass":
        shares = pd.Series(label).value_counts(normalize=True).sort_index()
        values = np.tile(shares.to_numpy(np.float64), (rows, 1)).astype(np.float64)
        return Scores(task, values, tuple(shares.index)), "the class frequencies of the validation rows"
    if task == "binary":
        return Scores(task, np.full(rows, float(label.mean()))), "the base rate of the validation rows"
    one, name = (np.median(label), "median") if metric == "mae" else (label.mean(), "mean")
    return Scores(task, np.full(rows, float(one))), f"the {name} of the validation rows"


def blocks_of(day: NDArray[np.int64], policy: Promotion) -> NDArray[np.int64] | None:
    """(n,) number of each row's block; None where days are asked for and there is only one."""
    days = len(np.unique(day))
    if policy.blocks == "row" or (policy.blocks == "auto" and days < LEAST_DAYS):
        return np.arange(len(day))
    return day if days > 1 else None


def _undecided(why: str, rows: int, challenger: float | None = None, champion: float | None = None) -> Verdict:
    return Verdict(False, f"not judged: {why}", challenger, champion, None, None, None, rows)
