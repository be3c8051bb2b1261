"""The retraining sensor: reads what is known, asks the policy, and requests one run per cause.

It only reads state and decides: the policy is `ml.monitoring.retraining`, retries are `ml.monitoring.attempts`. What
it decides follows from Dagster's runs, the ledger and the claims, never from its own memory, so it may be killed
anywhere.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import dagster as dg
from dagster._core.storage.tags import MAX_RETRIES_TAG, MAX_RUNTIME_SECONDS_TAG

from ml_assets.assets import keys
from ml_assets.automation.claims import claim
from ml_assets.automation.evaluations import judged_windows
from ml_assets.automation.trainings import settling, trainings
from ml_assets.ml.monitoring.attempts import half_done, in_flight, next_attempt
from ml_assets.ml.monitoring.retraining import decide
from ml_assets.ml.windows import Window, window_of
from ml_assets.resources.ledger import Ledger, LedgerRow
from ml_assets.spec import Problem

if TYPE_CHECKING:
    from dagster._core.definitions.unresolved_asset_job_definition import (
        UnresolvedAssetJobDefinition as AssetJob,
    )

_SECONDS_PER_HOUR = 3600


@dataclass(frozen=True)
class Wanted:
    """A retraining that is due.

    Attributes:
        cutoff: Partition to train.
        cause_id: What makes it one retraining.
        reason: Why, for people.
        windows, checks: Bad windows and their failed checks.
        number: Number of the attempt, from 1.
        after: Run of the training before it; "" of the first one.
    """

    cutoff: str
    cause_id: str
    reason: str
    windows: tuple[str, ...]
    checks: tuple[str, ...]
    number: int
    after: str

    @property
    def key(self) -> str:
        """The same for what must be one run."""
        return f"{self.cause_id}; attempt {self.number}"


def build_retraining_sensor(problem: Problem, job: "AssetJob") -> dg.SensorDefinition:
    """Requests a training when the declared policy says so; every skip says why."""

    @dg.sensor(
        name=keys.retraining_sensor(problem),
        job=job,
        minimum_interval_seconds=5,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description="Retrains when failed drift and quality checks meet the declared policy.",
    )
    def retraining(context: dg.SensorEvaluationContext, ledger: Ledger) -> dg.SensorResult:
        now = datetime.now(UTC)
        wanted = wanted_retraining(context.instance, problem, ledger, now)
        if isinstance(wanted, str):
            return dg.SensorResult(skip_reason=wanted)
        if problem.retraining.mode == "dry_run":
            return _reported(problem, wanted, told=context.cursor == wanted.key)
        location = context.code_location_origin.location_name if context.code_location_origin else ""
        holder = claim(ledger.url, problem.name, wanted.after, location, now)
        if holder != location:
            return dg.SensorResult(skip_reason=f"The code location '{holder}' retrains: {wanted.reason}")
        context.log.info(wanted.reason)
        return dg.SensorResult(run_requests=[_request(problem, wanted)])

    return retraining


def wanted_retraining(instance: dg.DagsterInstance, problem: Problem, ledger: Ledger, now: datetime) -> Wanted | str:
    """The retraining that is due, or why there is none.

    Args:
        instance: Where runs and checks are known.
        problem: Whose.
        ledger: Where decisions are known.
        now: The clock.
    """
    policy = problem.retraining
    # Trainings before decisions: one that is over here has its decision there.
    attempts = trainings(instance, problem)
    if flying := in_flight(attempts, now):
        return f"A training is in flight: run {flying.run[:8]}."
    if unsettled := settling(instance, problem):
        return f"One retraining answers all verdicts that are coming in: {unsettled}."
    after = attempts[-1].run if attempts else ""
    rows = [row for row in ledger.rows(problem) if not row.by_hand]
    left = half_done(attempts, {row.cutoff: row.by for row in rows})
    if left and isinstance(again := next_attempt(left.cause_id, attempts, policy, now), int):
        return Wanted(left.cutoff, left.cause_id, left.cause, left.windows, left.checks, again, after)
    scored = newest_scored(instance, problem)
    late = problem.label.lookahead_days
    decision = decide(
        judged_windows(instance, problem), last_cutoff(problem, rows), policy, scored=scored, lookahead_days=late
    )
    if not decision.retrain:
        return decision.reason
    number = next_attempt(decision.cause, attempts, policy, now)
    if isinstance(number, str):
        return f"{decision.reason} {number}"
    return Wanted(decision.cutoff, decision.cause, decision.reason, decision.bad, decision.checks, number, after)


def newest_scored(instance: dg.DagsterInstance, problem: Problem) -> Window | None:
    """The newest window that has predictions."""
    scored = instance.get_materialized_partitions(keys.stage(problem, "predictions"))
    return window_of(problem.cadence, max(scored)) if scored else None


def last_cutoff(problem: Problem, rows: list[LedgerRow]) -> datetime | None:
    """Cutoff of the latest training that came to a decision."""
    return max((window_of(problem.cadence, row.cutoff).start for row in rows), default=None)


def _request(problem: Problem, wanted: Wanted) -> dg.RunRequest:
    return dg.RunRequest(
        run_key=f"{problem.name}: {wanted.key}",
        partition_key=wanted.cutoff,
        tags={
            keys.PROBLEM_TAG: problem.name,
            keys.CAUSE_TAG: wanted.reason,
            keys.CAUSE_ID_TAG: wanted.cause_id,
            keys.ATTEMPT_TAG: str(wanted.number),
            keys.WINDOWS_TAG: ", ".join(wanted.windows),
            keys.CHECKS_TAG: ", ".join(wanted.checks),
            MAX_RETRIES_TAG: "0",  # attempts are counted here, whatever the instance does with other runs
            MAX_RUNTIME_SECONDS_TAG: str(round(problem.retraining.timeout_hours * _SECONDS_PER_HOUR)),
        },
    )


def _reported(problem: Problem, wanted: Wanted, *, told: bool) -> dg.SensorResult:
    """Says what would be done; once per cause also on the page of `registered_version`."""
    observation = dg.AssetObservation(
        keys.stage(problem, "registered_version"),
        partition=wanted.cutoff,
        description=f"Dry run: would retrain for {wanted.cutoff}. {wanted.reason}",
        metadata={"windows": ", ".join(wanted.windows), "checks": ", ".join(wanted.checks)},
    )
    return dg.SensorResult(
        skip_reason=f"Dry run: would retrain for {wanted.cutoff}. {wanted.reason}",
        cursor=wanted.key,
        asset_events=[] if told else [observation],
    )
