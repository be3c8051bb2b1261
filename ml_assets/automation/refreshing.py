"""The sensor that keeps a problem's page up to date, without a run of its own: a tick in which nothing is new costs
three small queries, one with news a fraction of a second."""

from hashlib import sha256

import dagster as dg
from dagster import DagsterInstance

from ml_assets.alerts.outbox import Outbox
from ml_assets.assets import keys
from ml_assets.assets.overview import refresh
from ml_assets.resources.lake import Lake
from ml_assets.resources.ledger import Ledger
from ml_assets.resources.reports import Reports
from ml_assets.spec import Problem


def build_overview_sensor(problem: Problem) -> dg.SensorDefinition:
    """Writes the page when a run ended, or production changed, or an alert went out since it was written."""
    asset = keys.stage(problem, "overview")

    @dg.sensor(
        name=keys.overview_sensor(problem),
        minimum_interval_seconds=30,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description="Keeps the page of the problem up to date.",
    )
    def overview(context: dg.SensorEvaluationContext, lake: Lake, ledger: Ledger, reports: Reports) -> dg.SensorResult:
        stand = _stand(context.instance, problem, ledger)
        if stand == context.cursor:
            return dg.SensorResult(skip_reason=dg.SkipReason("Nothing is new."))
        written = refresh(problem, context.instance, lake, ledger, reports)
        if not written.changed:
            return dg.SensorResult(skip_reason=dg.SkipReason("Nothing is new for this problem."), cursor=stand)
        event = dg.AssetMaterialization(asset, metadata=written.metadata)
        text = f"Written: {written.metadata['in_short']}"
        return dg.SensorResult(skip_reason=dg.SkipReason(text), asset_events=[event], cursor=stand)

    return overview


def _stand(instance: DagsterInstance, problem: Problem, ledger: Ledger) -> str:
    """Changes whenever the page could: checks and trainings are news of runs, which change when they end."""
    newest = instance.get_run_records(limit=1, order_by="update_timestamp")
    runs = [f"{record.dagster_run.run_id} {record.update_timestamp.isoformat()}" for record in newest]
    letters = Outbox(ledger.url).letters(problem.name) if problem.alerts.receivers else []
    states = [f"{letter.state} {letter.attempts}" for letter in letters]
    said = f"{runs} {len(ledger.rows(problem))} {states}"
    return sha256(said.encode()).hexdigest()
