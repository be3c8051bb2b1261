"""What Dagster's instance knows of a problem's runs: those that train, and those whose verdicts are coming in.

It only reads. Runs count whichever code location, person or sensor started them.
"""

from collections.abc import Iterator
from datetime import UTC, datetime

from dagster import DagsterInstance, DagsterRun, DagsterRunStatus, RunRecord, RunsFilter
from dagster._core.execution.backfill import BulkActionsFilter, BulkActionStatus
from dagster._core.storage.tags import MAX_RUNTIME_SECONDS_TAG

from ml_assets.assets import keys
from ml_assets.ml.monitoring.attempts import Attempt, AttemptState
from ml_assets.spec import Problem

IN_FLIGHT = [
    DagsterRunStatus.QUEUED,
    DagsterRunStatus.NOT_STARTED,
    DagsterRunStatus.STARTING,
    DagsterRunStatus.STARTED,
    DagsterRunStatus.CANCELING,
]
PARTITION_TAG, WILL_RETRY_TAG = "dagster/partition", "dagster/will_retry"
_MOST_RUNS = 500
_STATES: dict[DagsterRunStatus, AttemptState] = {
    DagsterRunStatus.NOT_STARTED: "created",
    DagsterRunStatus.SUCCESS: "succeeded",
    DagsterRunStatus.FAILURE: "failed",
    DagsterRunStatus.CANCELED: "cancelled",
}


def trainings(instance: DagsterInstance, problem: Problem, since: datetime | None = None) -> list[Attempt]:
    """Runs of the training job (that changed since then), in the order in which they were created.

    Runs of a part of it that comes to no decision, as a person may start in the UI, are left out.
    """
    wanted = RunsFilter(job_name=keys.training_job(problem), updated_after=since)
    records = instance.get_run_records(wanted, limit=_MOST_RUNS)
    whole = [record for record in records if _decides(record.dagster_run, problem)]
    return [attempt for record in sorted(whole, key=lambda each: each.storage_id) for attempt in _attempt(record)]


def settling(instance: DagsterInstance, problem: Problem) -> str | None:
    """Why verdicts are still coming in; halfway through a backfill they would tell of what is over at its end."""
    for run in instance.get_runs(RunsFilter(statuses=IN_FLIGHT)):
        ours = run.tags.get(keys.PROBLEM_TAG) == problem.name
        ours |= any(key.path[0] == problem.name for key in run.asset_selection or ())
        if ours and run.job_name != keys.training_job(problem):
            return f"windows are in flight (run {run.run_id[:8]})"
    for backfill in instance.get_backfills(filters=BulkActionsFilter(statuses=[BulkActionStatus.REQUESTED])):
        if any(key.path[0] == problem.name for key in backfill.asset_selection or ()):
            return f"backfill {backfill.backfill_id} is in progress"
    return None


def _decides(run: DagsterRun, problem: Problem) -> bool:
    version, assets, steps = keys.stage(problem, "registered_version"), run.asset_selection, run.step_keys_to_execute
    # A run of the whole job in this process (`ml-assets run`) has an empty selection.
    return (not assets or version in assets) and (not steps or version.to_python_identifier() in steps)


def _attempt(record: RunRecord) -> Iterator[Attempt]:
    """Nothing of a run without a cutoff."""
    tags = record.dagster_run.tags
    if cutoff := tags.get(PARTITION_TAG):
        number = tags.get(keys.ATTEMPT_TAG, "")
        yield Attempt(
            run=record.dagster_run.run_id,
            cutoff=cutoff,
            state=_state(record),
            at=record.update_timestamp.replace(tzinfo=UTC),
            cause=tags.get(keys.CAUSE_TAG, ""),
            cause_id=tags.get(keys.CAUSE_ID_TAG, ""),
            number=int(number) if number.isdecimal() else 0,
            windows=_names(tags.get(keys.WINDOWS_TAG, "")),
            checks=_names(tags.get(keys.CHECKS_TAG, "")),
            again=tags.get(WILL_RETRY_TAG) == "true",
        )


def _state(record: RunRecord) -> AttemptState:
    state = _STATES.get(record.dagster_run.status, "in_flight")
    if state == "cancelled" and record.start_time and record.end_time:
        # Dagster cancels a run that takes too long and reports a failure; the run's own word may come last.
        longest = float(record.dagster_run.tags.get(MAX_RUNTIME_SECONDS_TAG, "inf"))
        return "failed" if record.end_time - record.start_time >= longest else state
    return state


def _names(text: str) -> tuple[str, ...]:
    return tuple(filter(None, text.split(", ")))
