"""What a replay found, as plain values: for the terminal, the page and the record."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass

from ml_assets.ml.quality.metrics import error_of
from ml_assets.replay.losses import CONFIDENCE, Comparison, Estimate, Losses
from ml_assets.replay.policies import EVERY
from ml_assets.replay.walk import Retraining, Walk
from ml_assets.spec import GREATER_IS_BETTER, Problem


@dataclass(frozen=True)
class Point:
    """One window under one policy.

    Attributes:
        window: Key.
        version: Cutoff of the version that scored it.
        value: The metric; None where it is undefined.
        loss: Error up to here, the first window included, against the policy that all are compared with.
    """

    window: str
    version: str
    value: Estimate | None
    loss: Estimate | None


@dataclass(frozen=True)
class Retrained:
    """One retraining; see `walk.Retraining`."""

    cutoff: str
    reason: str
    promoted: bool
    gate: str


@dataclass(frozen=True)
class Outcome:
    """One policy.

    Attributes:
        name, title: Of the policy.
        retrainings: Oldest first.
        seconds: What they took, by the clock.
        value: The metric over all windows, of its error the mean over rows (of rmse the root of the mean square).
        loss: The error against the policy that all are compared with; 0.01 is one percent more.
        real_alarms: Retrainings before which production had surely lost quality.
        moments, real_moments: Times at which a retraining was possible and its version is known, and those of them
            at which production had surely lost quality: what alarms at random would find.
        points: Window by window.
    """

    name: str
    title: str
    retrainings: tuple[Retrained, ...]
    seconds: float
    value: Estimate | None
    loss: Estimate | None
    real_alarms: int
    moments: int
    real_moments: int
    points: tuple[Point, ...]

    @property
    def promoted(self) -> int:
        """Retrainings whose version went to production."""
        return sum(each.promoted for each in self.retrainings)


@dataclass(frozen=True)
class Report:
    """A replay.

    Attributes:
        problem, description, metric, unit: What was predicted, and how it is measured.
        against: Name of the policy that all are compared with.
        first, last: Keys of the first and the last window.
        rows: Labelled rows of all windows.
        trials: Trials of each retraining.
        outcomes: One per policy.
    """

    problem: str
    description: str
    metric: str
    unit: str
    against: str
    first: str
    last: str
    rows: int
    trials: int
    outcomes: tuple[Outcome, ...]

    @property
    def possible(self) -> int:
        """How many retrainings there might have been."""
        return len(self.outcomes[0].points) - 1

    def outcome(self, name: str) -> Outcome | None:
        """That of a policy, if it was replayed."""
        return next((each for each in self.outcomes if each.name == name), None)

    def to_json(self) -> str:
        """All of it but what the clock said: the same history gives the same bytes."""
        plain = asdict(self)
        for outcome in plain["outcomes"]:
            del outcome["seconds"]
        return json.dumps(plain | {"confidence": 2 * CONFIDENCE - 1}, indent=1, sort_keys=True) + "\n"


def report_on(problem: Problem, walks: Sequence[Walk], comparison: Comparison, trials: int) -> Report:
    """Compare walks over the same windows.

    Args:
        problem: Whose history it is.
        walks: One per policy; they are compared with the one that retrains every window, or else with the first.
        comparison: Of those windows.
        trials: Trials of each retraining.
    """
    against = next((walk for walk in walks if walk.policy.name == EVERY), walks[0])
    losses = [comparison.losses(walk) for walk in walks]
    other = losses[walks.index(against)]
    outcomes = [_outcome(walk, own, other, comparison) for walk, own in zip(walks, losses, strict=True)]
    windows = comparison.windows
    return Report(
        problem=problem.name,
        description=problem.description,
        metric=comparison.metric,
        unit="" if problem.task != "regression" else problem.label.unit,
        against=against.policy.name,
        first=windows[0].key,
        last=windows[-1].key,
        rows=round(float(other.rows.sum())),
        trials=trials,
        outcomes=tuple(outcomes),
    )


def _outcome(walk: Walk, losses: Losses, against: Losses, comparison: Comparison) -> Outcome:
    windows = comparison.windows
    real = {w for w in windows[1:] if comparison.trainings.has(w) and comparison.real_loss(walk, w)}
    points = [
        Point(
            window.key,
            walk.versions[window].cutoff.key,
            comparison.window_error(walk.versions[window], window),
            comparison.loss(losses, against, place + 1),
        )
        for place, window in enumerate(windows)
    ]
    return Outcome(
        name=walk.policy.name,
        title=walk.policy.title,
        retrainings=tuple(_plain(each) for each in walk.retrainings),
        seconds=walk.seconds,
        value=_as_metric(comparison.error(losses, len(windows)), comparison.metric),
        loss=comparison.loss(losses, against, len(windows)),
        real_alarms=sum(each.cutoff in real for each in walk.retrainings),
        moments=sum(comparison.trainings.has(window) for window in windows[1:]),
        real_moments=len(real),
        points=tuple(points),
    )


def _plain(done: Retraining) -> Retrained:
    return Retrained(done.cutoff.key, done.reason, done.promoted, done.gate)


def _as_metric(error: Estimate | None, metric: str) -> Estimate | None:
    """Of a score 1 - error; its interval turns round."""
    if error is None or metric not in GREATER_IS_BETTER:
        return error
    ends = [None if end is None else error_of(metric, end) for end in (error.high, error.low)]
    return Estimate(error_of(metric, error.value), *ends)
