"""One policy walked through the history, window by window, knowing at each no more than was known then.

A window is scored by the version that was production when it began. After its end comes the policy's turn; a
retraining's cutoff is the next window, and the gate decides whether it scores it.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from ml_assets.assets.gate import verdict_on
from ml_assets.errors import MLAssetsError
from ml_assets.ml.monitoring.window_checks import CheckVerdict
from ml_assets.ml.windows import Window
from ml_assets.replay.policies import Policy, Situation
from ml_assets.replay.trainings import Trainings, Version
from ml_assets.replay.verdicts import Verdicts


@dataclass(frozen=True)
class Retraining:
    """A retraining that a policy asked for.

    Attributes:
        cutoff: First window that it might score.
        reason: Why, in the policy's words.
        promoted: Whether the gate let it.
        gate: The gate's reason.
        seconds: What the training took.
    """

    cutoff: Window
    reason: str
    promoted: bool
    gate: str
    seconds: float


@dataclass(frozen=True)
class Walk:
    """What became of a policy.

    Attributes:
        policy: Which.
        versions: Window -> the version that scored it.
        retrainings: Oldest first.
    """

    policy: Policy
    versions: Mapping[Window, Version]
    retrainings: tuple[Retraining, ...]

    @property
    def seconds(self) -> float:
        """What all retrainings took."""
        return sum(each.seconds for each in self.retrainings)


def walk(
    policy: Policy,
    windows: Sequence[Window],
    trainings: Trainings,
    verdicts: Verdicts,
    *,
    step: Callable[[], None] = lambda: None,
) -> Walk:
    """Walk a policy through windows.

    Args:
        policy: Which.
        windows: In a row; the first version is trained for the first of them.
        trainings, verdicts: Shared by all policies.
        step: Called after each window.
    """
    champion, last = trainings.of(windows[0]), windows[0]
    versions: dict[Window, Version] = {}
    retrainings = []
    for window in windows:
        versions[window] = champion
        reason = policy.decide(_situation(window, last, versions, verdicts)) if window != windows[-1] else ""
        if reason:
            last = window.shift(1)
            try:
                done = _retrained(last, reason, champion, trainings)
            except MLAssetsError as failure:  # as in production, which stays as it was
                done = Retraining(last, reason, False, f"the training failed: {failure}", 0.0)
            champion = trainings.of(last) if done.promoted else champion
            retrainings.append(done)
        step()
    return Walk(policy, versions, tuple(retrainings))


def _retrained(cutoff: Window, reason: str, champion: Version, trainings: Trainings) -> Retraining:
    challenger, landed = trainings.of(cutoff), trainings.landed
    held_out = landed.training_set(cutoff, ("validation", "test"))
    name = f"the version of {champion.cutoff.key}"
    verdict = verdict_on(landed.problem, challenger.model, held_out, champion.model, name)
    return Retraining(cutoff, reason, verdict.promote, verdict.reason, challenger.seconds)


def _situation(latest: Window, last: Window, versions: Mapping[Window, Version], verdicts: Verdicts) -> Situation:
    since = {window: version for window, version in versions.items() if window >= last}

    def judged() -> dict[Window, Sequence[CheckVerdict]]:
        return {window: verdicts.of(version, window, latest) for window, version in since.items()}

    return Situation(latest, last, judged, lambda: verdicts.drift(versions[latest], latest, latest))
