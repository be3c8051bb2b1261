"""What Dagster's instance knows that alerts are about: evaluations of checks, and runs that train. It only reads."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from dagster import DagsterInstance, DagsterRunStatus, RunRecord, RunsFilter
from dagster._core.execution.backfill import BulkActionsFilter, BulkActionStatus

from ml_assets.assets import keys
from ml_assets.automation.retraining import HISTORY, IN_FLIGHT, check_key
from ml_assets.ml.alerting import Training, Verdicts
from ml_assets.ml.decisions import LedgerRow
from ml_assets.ml.windows import Window, window_of
from ml_assets.spec import Problem

NOT_JUDGED = "Not judged"
"""How the checks' texts begin that pass for want of a verdict; that is neither good nor bad news."""
PARTITION_TAG, WILL_RETRY_TAG = "dagster/partition", "dagster/will_retry"
_MOST_RUNS = 500


@dataclass(frozen=True)
class Evaluation:
    """The newest evaluation of a check on a window.

    Attributes:
        check, window: What was judged.
        passed: The verdict.
        text: The check's own words.
        numbers: Its metadata that are numbers.
        report: Address of the drift report; "" where it names none.
        run: Dagster run that judged.
        at: Seconds since the epoch.
    """

    check: str
    window: Window
    passed: bool
    text: str
    numbers: Mapping[str, float] = field(default_factory=dict)
    report: str = ""
    run: str = ""
    at: float = 0.0

    @property
    def judged(self) -> bool:
        """Whether there is a verdict."""
        return not self.text.startswith(NOT_JUDGED)


@dataclass(frozen=True)
class Known:
    """All that an alert's words are taken from.

    Attributes:
        problem: Whose alert.
        evaluations: Newest of each check and window, oldest window first.
        trainings: Newest of each cutoff.
        ledger: All decisions, oldest first.
        dagster_url, reports_url: Where links lead.
    """

    problem: Problem
    evaluations: Sequence[Evaluation]
    trainings: Sequence[Training]
    ledger: Sequence[LedgerRow]
    dagster_url: str
    reports_url: str


def evaluations(instance: DagsterInstance, problem: Problem, checks: Sequence[str]) -> list[Evaluation]:
    """The newest evaluation of each check on each window, oldest window first."""
    newest: dict[tuple[str, Window], Evaluation] = {}
    for check in checks:
        # History ids follow the order of planning, so the newest evaluation is found by its own time.
        for record in instance.event_log_storage.get_asset_check_execution_history(
            check_key(problem, check), limit=HISTORY
        ):
            found = _evaluation(record.event, problem, check)
            if found is None:
                continue
            former = newest.get((check, found.window))
            if former is None or former.at < found.at:
                newest[check, found.window] = found
    return sorted(newest.values(), key=lambda each: (each.window.start, each.check))


def verdicts(found: Sequence[Evaluation]) -> Verdicts:
    """Check -> window -> passed, without those that have no verdict."""
    result: dict[str, dict[Window, bool]] = {}
    for each in found:
        if each.judged:
            result.setdefault(each.check, {})[each.window] = each.passed
    return result


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


def trainings(instance: DagsterInstance, problem: Problem, since: datetime) -> list[Training]:
    """The newest training of each cutoff that changed since then, oldest first."""
    wanted = RunsFilter(job_name=keys.training_job(problem), updated_after=since)
    records = instance.get_run_records(wanted, limit=_MOST_RUNS)
    newest: dict[str, Training] = {}
    for record in sorted(records, key=lambda record: record.create_timestamp):
        if cutoff := record.dagster_run.tags.get(PARTITION_TAG):
            newest[cutoff] = _training(cutoff, record)
    return sorted(newest.values(), key=lambda each: each.at)


def _training(cutoff: str, record: RunRecord) -> Training:
    run = record.dagster_run
    again = run.tags.get(WILL_RETRY_TAG) == "true"
    failed = run.status in (DagsterRunStatus.FAILURE, DagsterRunStatus.CANCELED) and not again
    succeeded = run.status == DagsterRunStatus.SUCCESS
    return Training(
        cutoff=cutoff,
        run=run.run_id,
        state="failed" if failed else "succeeded" if succeeded else "in_flight",
        cause=run.tags.get(keys.CAUSE_TAG, ""),
        at=record.update_timestamp.replace(tzinfo=UTC),
    )


def _evaluation(entry: object, problem: Problem, check: str) -> Evaluation | None:
    """None for the row of a range run that has no window, and for one that is planned but not done."""
    event = getattr(entry, "dagster_event", None)
    found = getattr(entry, "asset_check_evaluation", None) if event else None
    if found is None or found.partition is None:
        return None
    values = {name: value.value for name, value in found.metadata.items()}
    return Evaluation(
        check=check,
        window=window_of(problem.cadence, found.partition),
        passed=found.passed,
        text=found.description or "",
        numbers={name: float(value) for name, value in values.items() if isinstance(value, int | float)},
        report=values["report"] if isinstance(values.get("report"), str) else "",
        run=getattr(entry, "run_id", ""),
        at=getattr(entry, "timestamp", 0.0),
    )
