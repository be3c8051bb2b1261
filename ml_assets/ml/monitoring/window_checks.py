"""The verdicts on one scored window, one per check, as plain values: what a check says, and with which numbers.

What was measured comes from `report.py` and `metrics.py`; Dagster's checks (`assets`) and `ml-assets replay` both ask
here, so they cannot disagree. When bad windows are worth a retraining is `retraining.py`'s business.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from math import log

from ml_assets.ml.monitoring.baseline import Baseline
from ml_assets.ml.monitoring.block_noise import p_value, unseen_share
from ml_assets.ml.monitoring.held_out import HeldOut, Judgeable
from ml_assets.ml.monitoring.quality_limits import Limits, limits_of, signed
from ml_assets.ml.monitoring.summaries import TableSummary
from ml_assets.ml.monitoring.verdicts import ColumnDrift, DriftResult
from ml_assets.ml.quality.metrics import Metrics, error_of, shown
from ml_assets.ml.quality.scores import PREDICTION
from ml_assets.spec import CheckName, DriftPolicy, QualityPolicy, Task

DRIFT_CHECKS: tuple[CheckName, ...] = ("data_drift", "prediction_drift", "target_drift")
NOT_JUDGED = "Not judged"
_LISTED = 5

__all__ = [
    "DRIFT_CHECKS",
    "CheckVerdict",
    "HeldOut",
    "data_quality_verdict",
    "drift_verdicts",
    "expected_quality_verdict",
    "quality_verdict",
    "with_segments",
    "without_verdict",
]


@dataclass(frozen=True)
class CheckVerdict:
    """What one check says of one window.

    Attributes:
        check: Its name.
        passed: False: the window is bad by this check. A window that was not judged has passed.
        judged: Whether there is a verdict; without one `text` begins with "Not judged" and says why.
        text: One sentence.
        numbers: What it was judged by.
        segments: What it says of each declared segment; one that fails has failed the check.
    """

    check: CheckName
    passed: bool
    judged: bool
    text: str
    numbers: Mapping[str, float]
    segments: Mapping[str, "CheckVerdict"] = field(default_factory=dict)


def without_verdict(check: CheckName, reason: str, numbers: Mapping[str, float] | None = None) -> CheckVerdict:
    """A check that could not judge, and why."""
    plain = reason.removeprefix(f"{NOT_JUDGED}: ").removeprefix("not judged: ").rstrip(".")
    return CheckVerdict(check, True, False, f"{NOT_JUDGED}: {plain}.", numbers or {})


def with_segments(verdict: CheckVerdict, segments: Mapping[str, CheckVerdict]) -> CheckVerdict:
    """The verdict on all rows, and on each segment: bad where one of them is."""
    if not segments:
        return verdict
    bad = {name: each for name, each in segments.items() if not each.passed}
    judged = sum(each.judged for each in segments.values())
    numbers = {**verdict.numbers, "segments_judged": float(judged), "segments_failed": float(len(bad))}
    if not bad:
        return replace(verdict, numbers=numbers, segments=segments)
    said = "; ".join(f"segment {name}: {each.text.rstrip('.')}" for name, each in list(bad.items())[:_LISTED])
    more = f"; and {len(bad) - _LISTED} more segments" if len(bad) > _LISTED else ""
    before = "" if verdict.judged and not verdict.passed else "All rows: "
    text = f"{said}{more}. {before}{verdict.text}" if before else f"{verdict.text} {said}{more}."
    return replace(verdict, passed=False, judged=True, text=text, numbers=numbers, segments=segments)


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
    metrics: Metrics,
    held_out: HeldOut,
    policy: QualityPolicy,
    *,
    scored: int,
    task: Task,
    unit: str = "",
    rows: Judgeable | None = None,
) -> CheckVerdict:
    """The check `model_quality`.

    Args:
        metrics: Of the window's labelled rows.
        held_out: Of the version that scored it.
        policy: The limits.
        scored: Rows of the window, with a label or without.
        task: Kind of label.
        unit: Of the label, for the text.
        rows: The labelled rows; without them only the declared limits count, no interval.
    """
    if reason := _unjudged(metrics, held_out.error, policy, scored):
        return without_verdict("model_quality", reason, metrics.as_dict())
    assert held_out.error is not None  # or there was a reason
    limits = limits_of(metrics, held_out, policy, rows)
    wrong = limits.broken(task, unit)
    text = "; ".join([*wrong, _compared(metrics, held_out.error, limits, policy, task, unit)])
    if metrics.unknown_class_rows:
        text += f"; {metrics.unknown_class_rows:,} rows of classes that the model does not know"
    numbers = {**metrics.as_dict(), **limits.numbers()}
    return CheckVerdict("model_quality", not wrong, True, f"{text}.", numbers)


def data_quality_verdict(
    baseline: Baseline, current: TableSummary, features: Sequence[str], policy: DriftPolicy
) -> CheckVerdict:
    """The check `data_quality`: missing, new or impossible values, beyond what some block of the reference had.

    Args:
        baseline: Of the version that scored the window.
        current: The window.
        features: The version's features.
        policy: The limits.
    """
    if current.rows < policy.min_rows:
        return without_verdict("data_quality", f"{current.rows:,} rows < {policy.min_rows:,}")
    odd: dict[str, str] = {}
    shares = []
    for name in features:
        now, before, noise = current.columns[name], baseline.summary.columns[name], baseline.noise.get(name)
        missing = now.missing / now.rows
        unseen = unseen_share(before, now)
        more_missing = missing - (noise.missing[1] if noise else before.missing / max(before.rows, 1))
        more_unseen = unseen - (noise.unseen if noise else 0.0)
        if more_missing > policy.max_odd_share:
            odd[name] = f"{name} {missing:.0%} missing"
        elif more_unseen > policy.max_odd_share:
            odd[name] = f"{name} {unseen:.0%} new or out of range"
        shares.append((missing, unseen))
    worst = {"missing_share": max(m for m, _ in shares), "unseen_share": max(u for _, u in shares)}
    numbers = {**worst, "odd_features": float(len(odd)), "limit": policy.max_odd_share}
    if not odd:
        return CheckVerdict("data_quality", True, True, f"Values of {len(features)} features are as known.", numbers)
    more = f" and {len(odd) - _LISTED} more" if len(odd) > _LISTED else ""
    return CheckVerdict("data_quality", False, True, f"{', '.join(list(odd.values())[:_LISTED])}{more}.", numbers)


def expected_quality_verdict(
    baseline: Baseline, current: TableSummary, drift: DriftPolicy, quality: QualityPolicy
) -> CheckVerdict:
    """The check `expected_quality`: an early warning, before labels; see `expected_error.py` for what it cannot see.

    Args:
        baseline: Of the version that scored the window.
        current: The window.
        drift: Says how many rows are needed.
        quality: The limits.
    """
    if current.rows < drift.min_rows:
        return without_verdict("expected_quality", f"{current.rows:,} rows < {drift.min_rows:,}")
    curve = baseline.curve
    ratio = curve.ratio(current.columns[PREDICTION]) if curve else None
    if curve is None or not ratio:
        return without_verdict("expected_quality", f"{quality.metric} cannot be told from predictions")
    usual = curve.usual()
    chance = None if usual is None else p_value(abs(log(ratio)), usual, len(curve.ratios))
    worse = ratio > 1 + quality.min_loss and (chance is None or chance < quality.false_alarm_rate)
    text = (
        f"{quality.metric}'s error expected at {ratio:.2f} of the held-out one, from the predictions alone (no labels)"
    )
    numbers = {"expected_ratio": ratio} | ({} if chance is None else {"p_value": chance})
    return CheckVerdict("expected_quality", not worse, True, f"{text}.", numbers)


def _data(result: DriftResult, policy: DriftPolicy) -> CheckVerdict:
    share, limit = result.drifted_share, policy.max_drifted_share
    drifted = sorted((c for c in result.watched if c.drifted), key=lambda c: -c.weight)
    numbers = {"drifted_share": share, "limit": limit, "drifted_features": float(len(drifted))}
    if not result.judged or not result.watched:
        return without_verdict("data_drift", "no feature has a verdict" if result.judged else result.note, numbers)
    text = f"{len(drifted)} of {len(result.watched)} features drifted, {share:.0%} of importance (limit {limit:.0%})"
    text += f": {', '.join(c.column for c in drifted)}." if drifted else "."
    return CheckVerdict("data_drift", share <= limit, True, text, numbers)


def _column(check: CheckName, column: ColumnDrift | None, result: DriftResult) -> CheckVerdict:
    if column is None or column.drifted is None or column.distance is None:
        return without_verdict(check, column.note if column is not None and column.note else result.note)
    text = f"{column.method} {column.distance:.3f}, limit {column.threshold:.3g}."
    numbers = {"distance": column.distance, "limit": column.threshold}
    numbers |= {} if column.p_value is None else {"p_value": column.p_value}
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


def _compared(metrics: Metrics, expected: float, limits: Limits, policy: QualityPolicy, task: Task, unit: str) -> str:
    """The window against the held-out rows. A score's error is 1 - score, and the other way round."""
    value, before = (shown(error_of(policy.metric, each)) for each in (limits.error, expected))
    text = f"{policy.metric} {value} against {before} held out"
    if limits.harder is not None and abs(limits.harder - 1) >= policy.min_loss:
        text += f", on rows {limits.harder:.2f} times as hard"
    bias = metrics.values.get("bias")
    return text if bias is None else f"{text}, bias {signed(task, unit, bias)}"
