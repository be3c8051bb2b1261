"""The sensor that follows a landing: scores the window that landed, and judges those whose labels came in with it.

Needed where one landing serves several problems, and where labels come later than their window. It only reads
state and decides.
"""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import dagster as dg
from dagster import DagsterRunStatus, RunsFilter

from ml_assets.assets import keys
from ml_assets.ml.windows import Window, window_of, windows_before
from ml_assets.resources.ledger import Ledger
from ml_assets.spec import Problem

if TYPE_CHECKING:
    from dagster._core.definitions.unresolved_asset_job_definition import UnresolvedAssetJobDefinition as AssetJob

PARTITION_TAG = "dagster/partition"


def build_following_sensor(problem: Problem, jobs: "Sequence[AssetJob]") -> dg.SensorDefinition:
    """Requests the runs that a finished landing makes possible."""
    followed = keys.window_job(problem) if problem.features_from is None else f"{problem.features_from}_landing"

    @dg.sensor(
        name=keys.following_sensor(problem),
        jobs=list(jobs),
        minimum_interval_seconds=15,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description=f"Scores and judges what a run of {followed} makes possible.",
    )
    def following(context: dg.SensorEvaluationContext, ledger: Ledger) -> dg.SensorResult:
        since = datetime.fromisoformat(context.cursor) if context.cursor else None
        if since is None:  # history that was landed before the sensor was switched on is the user's to score
            return dg.SensorResult(skip_reason=f"Follows {followed} from now on.", cursor=_now())
        wanted = RunsFilter(job_name=followed, statuses=[DagsterRunStatus.SUCCESS], updated_after=since)
        records = context.instance.get_run_records(wanted, ascending=True, order_by="update_timestamp")
        requests = []
        for record in records:
            if partition := record.dagster_run.tags.get(PARTITION_TAG):
                window = window_of(problem.cadence, partition)
                requests += list(_requests(context.instance, problem, window, record.dagster_run.run_id, ledger))
            since = max(since, record.update_timestamp.replace(tzinfo=UTC))
        if not requests:
            return dg.SensorResult(skip_reason=f"No new run of {followed}.", cursor=since.isoformat())
        return dg.SensorResult(run_requests=requests, cursor=since.isoformat())

    return following


def _requests(
    instance: dg.DagsterInstance, problem: Problem, landed: Window, run_id: str, ledger: Ledger
) -> Iterator[dg.RunRequest]:
    if problem.features_from is not None:
        # Before there is a model, a window is only made ready for training.
        scored = ledger.production_as_of(problem, landed.key) is not None
        job = keys.window_job(problem) if scored else keys.landing_job(problem)
        yield _request(problem, job, landed, run_id)
    if problem.label.lookahead_days:
        scored_windows = instance.get_materialized_partitions(keys.stage(problem, "predictions"))
        for window in labelled_with(problem, landed):
            only = None if window.key in scored_windows else [keys.stage(problem, "labels")]
            yield _request(problem, keys.judging_job(problem), window, run_id, only)


def labelled_with(problem: Problem, landed: Window) -> list[Window]:
    """Windows whose labels are all known once `landed` has landed, and were not before."""
    late = timedelta(days=problem.label.lookahead_days)
    before = windows_before(problem.cadence, landed.start - late)
    return windows_before(problem.cadence, landed.end - late)[len(before) :]


def _request(
    problem: Problem, job: str, window: Window, run_id: str, only: Sequence[dg.AssetKey] | None = None
) -> dg.RunRequest:
    return dg.RunRequest(
        run_key=f"{job} {window.key} after {run_id}",
        job_name=job,
        partition_key=window.key,
        asset_selection=list(only) if only else None,
        tags={keys.PROBLEM_TAG: problem.name},
    )


def _now() -> str:
    return datetime.now(UTC).isoformat()
