"""The retraining policy: which judged windows are bad, and when that is worth a retraining. It only decides.

What becomes of a retraining that fails is the business of `attempts.py`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from ml_assets.ml.windows import Window, windows_over
from ml_assets.spec import RetrainingPolicy

QUALITY = "model_quality"


@dataclass(frozen=True)
class Decision:
    """What to do, and why.

    Attributes:
        retrain: Whether to train.
        reason: One sentence, for the sensor's tick.
        cutoff: Partition of the training, the window after the newest scored one.
        cause: What the retraining is for; equal causes are one retraining.
        bad: Bad windows that count, oldest first.
        checks: Their failed checks.
    """

    retrain: bool
    reason: str
    cutoff: str = ""
    cause: str = ""
    bad: tuple[str, ...] = ()
    checks: tuple[str, ...] = ()


def decide(
    judged: Mapping[Window, Sequence[str]],
    last_cutoff: datetime | None,
    policy: RetrainingPolicy,
    *,
    scored: Window | None = None,
    lookahead_days: int = 0,
) -> Decision:
    """Apply the policy to what is known of the windows.

    Args:
        judged: Window -> names of its failed checks (none: a good window); windows without a verdict are absent.
        last_cutoff: Training cutoff of the latest training, whether it was promoted or not; None before the first.
        policy: The declared policy.
        scored: Newest scored window. Where labels come late it is newer than the latest judged one, and the training
            uses all that was known at its end.
        lookahead_days: Days after a window's end until its labels are known.
    """
    if last_cutoff is None:
        return Decision(False, "No version was ever trained: materialise the first one.")
    # Windows before the cutoff were scored by a former version: a retraining has answered them already.
    failed = {
        window: [check for check in checks if check in policy.checks]
        for window, checks in sorted(judged.items())
        if window.start >= last_cutoff
    }
    if not failed:
        return Decision(False, f"No window is judged since the training cutoff {last_cutoff.date()}.")
    latest = max(failed)
    decision = _as_of(latest, failed, last_cutoff, policy)
    if not decision.retrain:
        return decision
    cutoff = max(latest, scored or latest).shift(1)
    if waiting := _wait_for_labels(failed, last_cutoff, policy, cutoff, timedelta(days=lookahead_days)):
        return Decision(False, f"{decision.reason} {waiting}")
    cause = f"after {last_cutoff.date()}: {', '.join(decision.bad)}"
    return Decision(True, decision.reason, cutoff.key, cause, decision.bad, decision.checks)


def _as_of(
    latest: Window, failed: Mapping[Window, Sequence[str]], last_cutoff: datetime, policy: RetrainingPolicy
) -> Decision:
    """Whether the policy is met when `latest` is the newest judged window."""
    first = latest.shift(1 - policy.of_last)
    bad = [window for window, checks in failed.items() if checks and first <= window <= latest]
    if latest not in bad:
        return Decision(False, f"The latest window {latest.key} is good.")
    worse = [window for window in bad if QUALITY in failed[window]]
    lost = latest in worse and len(worse) >= min(policy.quality_windows, policy.bad_windows)
    names = ", ".join(window.key for window in bad)
    if not lost and len(bad) < policy.bad_windows:
        text = f"{len(bad)} bad of the last {policy.of_last} windows ({names}); {policy.bad_windows} needed."
        return Decision(False, text)
    cooldown = min(policy.cooldown_windows, policy.quality_cooldown_windows) if lost else policy.cooldown_windows
    since = len(windows_over(latest.cadence, last_cutoff, latest.end))
    if since < cooldown:
        return Decision(
            False, f"Cooldown: {since} of {cooldown} windows since the cutoff {last_cutoff.date()}; bad: {names}."
        )
    checks = tuple(sorted({check for window in bad for check in failed[window]}))
    text = f"{len(bad)} bad windows of the last {policy.of_last} ({names}): {', '.join(checks)}."
    return Decision(True, text, bad=tuple(window.key for window in bad), checks=checks)


def _wait_for_labels(
    failed: Mapping[Window, Sequence[str]],
    last_cutoff: datetime,
    policy: RetrainingPolicy,
    cutoff: Window,
    late: timedelta,
) -> str:
    """Why a training for `cutoff` is too early; "" where it is not.

    What is waited for are the windows that first met the policy, not those that came to it meanwhile: the wait ends.
    """
    first = latest = max(failed)
    if cutoff.start >= latest.end + late:
        return ""
    for window in sorted(failed, reverse=True):
        if window.shift(policy.of_last) < first:
            break  # an older story, which ended by itself
        if _as_of(window, failed, last_cutoff, policy).retrain:
            first = window
    due, end = first.end + late, first.shift(1 + policy.label_wait_windows)
    if cutoff.start >= due or cutoff >= end:
        return ""
    text = f"Waits for the labels of {first.key}, which a cutoff from {due:%Y-%m-%d %H:%M} UTC on can use"
    return f"{text}; at the latest it trains for {end.key}."
