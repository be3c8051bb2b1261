"""The verdicts on one scored window, one per check, as plain values: what a check says, and with which numbers.

What was measured comes from `drift.py` and `metrics.py`; Dagster's checks (`assets`) and `ml-assets replay` both ask
here, so they cannot disagree. When bad windows are worth a retraining is `retraining.py`'s business.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from ml_assets.ml.drift_verdicts import ColumnDrift, DriftResult
from ml_assets.ml.metrics import Metrics, error_of, shown
from ml_assets.spec import GREATER_IS_BETTER, CheckName, DriftPolicy, QualityPolicy, Task

DRIFT_CHECKS: tuple[CheckName, ...] = ("data_drift", "prediction_drift", "target_drift")
NOT_JUDGED = "Not judged"


@dataclass(frozen=True)
class CheckVerdict:
    """What one check says of one window.

    Attributes:
        check: Its name.
        passed: False: the window is bad by this check. A window that was not judged has passed.
        judged: Whether there is a verdict; without one `text` begins with "Not judged" and says why.
        text: One sentence.
        numbers: What it was judged by.
    """

    check: CheckName
    passed: bool
    judged: bool
    text: str
    numbers: Mapping[str, float]


@dataclass(frozen=True)
class HeldOut:
    """What is known of a version's own held-out rows.

    Attributes:
        error: Its error there, the metric itself or 1 - score; None where it was undefined.
    """

    error: float | None


def without_verdict(check: CheckName, reason: str, numbers: Mapping[str, float] | None = None) -> CheckVerdict:
    """A check that could not judge, and why."""
    return CheckVerdict(check, True, False, f"{NOT_JUDGED}: {reason.rstrip('.')}.", numbers or {})


def drift_verdicts(result: DriftResult, policy: DriftPolicy, *, labels: int) -> list[CheckVerdict]:
    """The checks of `DRIFT_CHECKS`, in that order.

    Args:
        result: What was found of the window.
        policy: The limits.
        labels: Labels of the window that are known by now.
    """
    data, predictions = _data(result, policy), _column("prediction_drift", result.prediction, result)
    if not labels:
        return [data, predictions, without_verdict("target_drift", "no label is known yet")]
    return [data, predictions, _column("target_drift", result.target, result)]


def quality_verdict(
    metrics: Metrics, held_out: HeldOut, policy: QualityPolicy, *, scored: int, task: Task, unit: str = ""
) -> CheckVerdict:
    """The check `model_quality`.

    Args:
        metrics: Of the window's labelled rows.
        held_out: Of the version that scored it.
        policy: The limits.
        scored: Rows of the window, with a label or without.
        task: Kind of label.
        unit: Of the label, for the text.
    """
    if reason := _unjudged(metrics, held_out.error, policy, scored):
        return without_verdict("model_quality", reason, metrics.as_dict())
    assert held_out.error is not None  # or there was a reason
    error, expected, bias = metrics.error(policy.metric), held_out.error, metrics.values.get("bias")
    wrong = []
    if error > policy.max_ratio * expected:
        wrong.append(f"{_name(policy.metric)} {shown(error)} > {policy.max_ratio} x {shown(expected)}")
    if policy.max_bias is not None and bias is not None and abs(bias) > policy.max_bias:
        wrong.append(f"bias {_signed(task, unit, bias)} beyond {policy.max_bias:g}")
    # A score's error is 1 - score, and the other way round.
    value, before = (shown(error_of(policy.metric, each)) for each in (error, expected))
    good = f"{policy.metric} {value} against {before} held out"
    good += f", bias {_signed(task, unit, bias)}" if bias is not None else ""
    text = "; ".join(wrong) or good
    if metrics.unknown_class_rows:
        text += f"; {metrics.unknown_class_rows:,} rows of classes that the model does not know"
    numbers = {**metrics.as_dict(), "error": error, "held_out": expected}
    numbers |= {"ratio": error / expected} if expected else {}
    return CheckVerdict("model_quality", not wrong, True, f"{text}.", numbers)


def _data(result: DriftResult, policy: DriftPolicy) -> CheckVerdict:
    share, limit = result.drifted_share, policy.max_drifted_share
    drifted = [c.column for c in result.watched if c.drifted]
    numbers = {"drifted_share": share, "limit": limit, "drifted_features": float(len(drifted))}
    if not result.judged:
        return CheckVerdict("data_drift", True, False, result.note, numbers)
    text = f"{len(drifted)} of {len(result.watched)} features drifted ({share:.0%}, limit {limit:.0%})"
    text += f": {', '.join(drifted)}." if drifted else "."
    return CheckVerdict("data_drift", share <= limit, True, text, numbers)


def _column(check: CheckName, column: ColumnDrift | None, result: DriftResult) -> CheckVerdict:
    if column is None or column.drifted is None or column.distance is None:
        note = column.note if column is not None and column.note else result.note
        return without_verdict(check, note.removeprefix(f"{NOT_JUDGED}: ").removeprefix("not judged: "))
    text = f"{column.method} {column.distance:.3f}, limit {column.threshold}."
    numbers = {"distance": column.distance, "limit": column.threshold}
    return CheckVerdict(check, not column.drifted, True, text, numbers)


def _unjudged(metrics: Metrics, expected: float | None, policy: QualityPolicy, scored: int) -> str:
    """Why there is no verdict on the quality, or ""."""
    if not scored:
        return "the window has no rows"
    if metrics.rows < policy.min_rows:
        return f"{metrics.rows:,} labels < {policy.min_rows:,}"
    if reason := metrics.undefined(policy.metric):
        return f"{policy.metric} is undefined, since {reason}"
    return "" if expected is not None else f"{policy.metric} was undefined on the version's held-out rows"


def _signed(task: Task, unit: str, bias: float) -> str:
    """A bias with its unit; that of a probability needs more digits and has none."""
    return f"{bias:+.4f}" if task == "binary" else f"{bias:+.2f} {unit}".rstrip()


def _name(metric: str) -> str:
    return f"1 - {metric}" if metric in GREATER_IS_BETTER else metric
