"""The promotion gate: is the challenger better than the champion on the same held-out rows?"""

from dataclasses import asdict, dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ml_assets.ml.bootstrap import bootstrap_gains, gain
from ml_assets.ml.metrics import evaluate, shown
from ml_assets.ml.scores import Labels, Scores, known
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
    """

    promote: bool
    reason: str
    challenger: float | None
    champion: float | None
    gain: float | None
    low: float | None
    high: float | None
    rows: int

    def numbers(self) -> dict[str, float]:
        """What there is of errors, gain and interval."""
        names = {"challenger": "challenger_error", "champion": "champion_error", "gain": "gain"}
        names |= {"low": "gain_low", "high": "gain_high"}
        return {names[name]: value for name, value in asdict(self).items() if name in names and value is not None}


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
    block = _blocks(day, policy)
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


def _blocks(day: NDArray[np.int64], policy: Promotion) -> NDArray[np.int64] | None:
    """(n,) number of each row's block; None where days are asked for and there is only one."""
    days = len(np.unique(day))
    if policy.blocks == "row" or (policy.blocks == "auto" and days < LEAST_DAYS):
        return np.arange(len(day))
    return day if days > 1 else None


def _undecided(why: str, rows: int, challenger: float | None = None, champion: float | None = None) -> Verdict:
    return Verdict(False, f"not judged: {why}", challenger, champion, None, None, None, rows)
