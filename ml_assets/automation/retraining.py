"""The retraining sensor: reads the checks' verdicts per window, asks the policy, requests one run per cause.

It only reads state and decides; the policy itself is `ml.retraining`.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING

import dagster as dg
from dagster import AssetCheckKey, DagsterInstance, DagsterRunStatus, RunsFilter
from dagster._core.execution.backfill import BulkActionsFilter, BulkActionStatus

from ml_assets.assets import keys
from ml_assets.ml.retraining import Decision, decide
from ml_assets.ml.windows import Window, window_of
from ml_assets.resources.ledger import Ledger
from ml_assets.spec import Problem

if TYPE_CHECKING:
    from dagster._core.definitions.unresolved_asset_job_definition import (
        UnresolvedAssetJobDefinition as AssetJob,
    )

IN_FLIGHT = [
    DagsterRunStatus.QUEUED,
    DagsterRunStatus.NOT_STARTED,
    DagsterRunStatus.STARTING,
    DagsterRunStatus.STARTED,
    DagsterRunStatus.CANCELING,
]
HISTORY = 1000
"""Evaluations of one check that are looked at, newest first: far more than the policy's windows."""


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
        judged = judged_windows(context.instance, problem)
        if busy := _in_flight(context.instance, problem):
            return dg.SensorResult(skip_reason=dg.SkipReason(busy))
        scored = _newest_scored(context.instance, problem)
        decision = decide(judged, _last_cutoff(problem, ledger), problem.retraining, scored=scored)
        if not decision.retrain:
            return dg.SensorResult(skip_reason=dg.SkipReason(decision.reason))
        context.log.info(decision.reason)
        return dg.SensorResult(run_requests=[_request(problem, decision)])

    return retraining


def judged_windows(instance: DagsterInstance, problem: Problem) -> dict[Window, list[str]]:
    """Window -> failed checks, from the latest evaluation of each watched check; unjudged windows are absent."""
    judged: dict[Window, list[str]] = {}
    for name in problem.retraining.checks:
        for partition, passed in _verdicts(instance, check_key(problem, name)).items():
            failed = judged.setdefault(window_of(problem.cadence, partition), [])
            if not passed:
                failed.append(name)
    return judged


def check_key(problem: Problem, name: str) -> AssetCheckKey:
    """Key of a watched check."""
    stage = "quality" if name == "model_quality" else "drift_report"
    return AssetCheckKey(keys.stage(problem, stage), name)


def _verdicts(instance: DagsterInstance, key: AssetCheckKey) -> Mapping[str, bool]:
    # History ids follow the order of planning, so the newest evaluation is found by its own time.
    newest: dict[str, tuple[float, bool]] = {}
    for record in instance.event_log_storage.get_asset_check_execution_history(key, limit=HISTORY):
        entry = record.event
        evaluation = entry.asset_check_evaluation if entry and entry.dagster_event else None
        if entry is None or evaluation is None or evaluation.partition is None:
            continue
        moment = entry.timestamp
        if evaluation.partition not in newest or moment > newest[evaluation.partition][0]:
            newest[evaluation.partition] = (moment, evaluation.passed)
    return {partition: passed for partition, (_, passed) in newest.items()}


def _in_flight(instance: DagsterInstance, problem: Problem) -> str | None:
    """Why to wait: a training, or windows whose verdicts are still coming in. One retraining answers them all."""
    for run in instance.get_runs(RunsFilter(statuses=IN_FLIGHT)):
        touched = {key.path[0] for key in run.asset_selection or ()} | {run.tags.get(keys.PROBLEM_TAG)}
        if problem.name in touched:
            what = "A training is in flight" if run.job_name == keys.training_job(problem) else "Windows are in flight"
            return f"{what}: run {run.run_id[:8]}."
    for backfill in instance.get_backfills(filters=BulkActionsFilter(statuses=[BulkActionStatus.REQUESTED])):
        if any(key.path[0] == problem.name for key in backfill.asset_selection or ()):
            return f"A backfill is in progress: {backfill.backfill_id}."
    return None


def _newest_scored(instance: DagsterInstance, problem: Problem) -> Window | None:
    scored = instance.get_materialized_partitions(keys.stage(problem, "predictions"))
    return max((window_of(problem.cadence, key) for key in scored), default=None)


def _last_cutoff(problem: Problem, ledger: Ledger) -> datetime | None:
    cutoffs = [row.cutoff for row in ledger.rows(problem)]
    return window_of(problem.cadence, max(cutoffs)).start if cutoffs else None


def _request(problem: Problem, decision: Decision) -> dg.RunRequest:
    return dg.RunRequest(
        run_key=f"{problem.name}: {decision.cause}",
        partition_key=decision.cutoff,
        tags={
            keys.PROBLEM_TAG: problem.name,
            keys.CAUSE_TAG: decision.reason,
            keys.WINDOWS_TAG: ", ".join(decision.bad),
            keys.CHECKS_TAG: ", ".join(decision.checks),
        },
    )
