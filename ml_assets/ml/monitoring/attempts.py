"""Attempts at a retraining: how often and when one that failed is tried again. It only decides.

One rule holds over all: a cause is answered once. Attempts are read from Dagster's runs, so nothing is lost when a
process is killed.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from ml_assets.spec import RetrainingPolicy

AttemptState = Literal["created", "in_flight", "failed", "cancelled", "succeeded"]
LONGEST_BACKOFF = timedelta(days=1)
_QUEUED_AFTER = timedelta(hours=1)


@dataclass(frozen=True)
class Attempt:
    """A run that trained, or is to train.

    Attributes:
        run: Dagster run.
        cutoff: Partition that it trains.
        state: What became of it; `created` is a run that nobody has put into the queue yet.
        at: When it last changed.
        cause: Why, for people; "" of a run by hand.
        cause_id: `Decision.cause` of the retraining; "" of a run by hand.
        number: Number among the attempts at its cause, from 1; 0 of a run by hand.
        windows, checks: Bad windows and failed checks that it was started for.
        again: Whether Dagster's own run retries start it anew after its failure.
    """

    run: str
    cutoff: str
    state: AttemptState
    at: datetime
    cause: str = ""
    cause_id: str = ""
    number: int = 0
    windows: tuple[str, ...] = ()
    checks: tuple[str, ...] = ()
    again: bool = False

    @property
    def over(self) -> bool:
        """Whether it failed or was cancelled."""
        return self.state in ("failed", "cancelled")


def may_be_retried(attempt: Attempt, policy: RetrainingPolicy) -> bool:
    """Whether a failed training is tried again: not one by hand, and not one that a person cancelled."""
    return attempt.state == "failed" and (attempt.again or 0 < attempt.number <= policy.max_retries)


def next_attempt(cause_id: str, attempts: Sequence[Attempt], policy: RetrainingPolicy, now: datetime) -> int | str:
    """Number of the attempt that is due now, or why there is none.

    Args:
        cause_id: `Decision.cause`.
        attempts: All trainings, of this cause and others, by the sensor and by hand; none of them in flight.
        policy: The declared policy.
        now: The clock.
    """
    mine = [attempt for attempt in attempts if attempt.cause_id == cause_id]
    if done := [attempt for attempt in mine if attempt.state == "succeeded"]:
        return f"Answered by run {done[0].run[:8]}."
    ended = sorted((attempt for attempt in mine if attempt.over), key=lambda each: each.at)
    if ended and not may_be_retried(ended[-1], policy):
        last = ended[-1]
        how = "was cancelled" if last.state == "cancelled" else f"failed, the last of {last.number} attempts"
        return f"Given up: run {last.run[:8]} {how}. The next bad window, or a training by hand, goes on from here."
    number = ended[-1].number + 1 if ended else 1
    if (due := _due(attempts, policy)) is not None and due > now:
        return f"The last training failed; attempt {number} is due at {due:%Y-%m-%d %H:%M:%S} UTC."
    return number


def _due(attempts: Sequence[Attempt], policy: RetrainingPolicy) -> datetime | None:
    """When the next attempt at whatever cause may begin; None where the last training did not fail."""
    ended = sorted((each for each in attempts if each.state in ("failed", "succeeded")), key=lambda each: each.at)
    good = max((place for place, each in enumerate(ended) if each.state == "succeeded"), default=-1)
    failed = ended[good + 1 :]
    if not failed:
        return None
    pause = timedelta(minutes=policy.backoff_minutes) * 2 ** min(len(failed) - 1, 20)
    return failed[-1].at + min(pause, LONGEST_BACKOFF)


def in_flight(attempts: Sequence[Attempt], now: datetime) -> Attempt | None:
    """The training that is to be waited for."""
    flying = [each for each in attempts if each.state == "in_flight"]
    # Whoever creates a run queues it at once; killed in between, the run may lie there for ever.
    flying += [each for each in attempts if each.state == "created" and now - each.at < _QUEUED_AFTER]
    return flying[-1] if flying else None


def half_done(attempts: Sequence[Attempt], decided: Mapping[str, str]) -> Attempt | None:
    """The newest attempt if it was ended after the gate's decision and before all that follows from it.

    Args:
        attempts: All trainings, oldest first.
        decided: Cutoff -> Dagster run that wrote the gate's decision.
    """
    newest = max((each for each in attempts if each.cause_id), key=lambda each: each.cutoff, default=None)
    if newest is None or newest.cutoff not in decided:
        return None
    same = [each for each in attempts if each.cutoff == newest.cutoff and each.cause_id]
    finished = any(each.state == "succeeded" for each in attempts if each.cutoff == newest.cutoff)
    wrote = any(each.run == decided[newest.cutoff] for each in same)
    return None if finished or not wrote else same[-1]
