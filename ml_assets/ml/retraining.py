"""The retraining policy: which judged windows are bad, and when that is worth a retraining. It only decides."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from ml_assets.ml.windows import Window, windows_over
from ml_assets.spec import RetrainingPolicy


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
) -> Decision:
    """Apply the policy to what is known of the windows.

    Args:
        judged: Window -> names of its failed checks (none: a good window); windows without a verdict are absent.
        last_cutoff: Training cutoff of the latest training, whether it was promoted or not; None before the first.
        policy: The declared policy.
        scored: Newest scored window. Where labels come late it is newer than the latest judged one, and the training
            uses all that was known at its end.
    """
    if last_cutoff is None:
        return Decision(False, "No version was ever trained: materialise the first one.")
    # Windows before the cutoff were scored by a former version: a retraining has answered them already.
    windows = sorted(window for window in judged if window.start >= last_cutoff)
    if not windows:
        return Decision(False, f"No window is judged since the training cutoff {last_cutoff.date()}.")
    latest = windows[-1]
    recent = [window for window in windows if window.start > latest.shift(-policy.of_last).start]
    bad = [window for window in recent if judged[window]]
    names = tuple(window.key for window in bad)
    if latest not in bad:
        return Decision(False, f"The latest window {latest.key} is good.")
    if len(bad) < policy.bad_windows:
        text = f"{len(bad)} bad of the last {policy.of_last} windows ({', '.join(names)}); {policy.bad_windows} needed."
        return Decision(False, text)
    since = len(windows_over(latest.cadence, last_cutoff, latest.end))
    if since < policy.cooldown_windows:
        text = f"Cooldown: {since} of {policy.cooldown_windows} windows since the cutoff {last_cutoff.date()}."
        return Decision(False, text)
    checks = tuple(sorted({check for window in bad for check in judged[window]}))
    cutoff = max(latest, scored or latest).shift(1).key
    return Decision(
        True,
        f"{len(bad)} bad windows of the last {policy.of_last} ({', '.join(names)}): {', '.join(checks)}.",
        cutoff=cutoff,
        cause=f"cutoff {last_cutoff.date()} answered by {cutoff}",
        bad=names,
        checks=checks,
    )
