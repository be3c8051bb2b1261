"""One problem in a home of its own: real lake, Feast, MLflow, GX and Evidently, run in this process."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import dagster as dg

from ml_assets.assets import keys
from ml_assets.assets.problem import build_problem_defs
from ml_assets.resources.data_docs import DataDocs
from ml_assets.resources.feature_store import FeatureStore
from ml_assets.resources.lake import Lake
from ml_assets.resources.ledger import Ledger
from ml_assets.resources.registry import Registry
from ml_assets.resources.reports import Reports
from ml_assets.spec import Problem
from ml_assets_tests.flights import Deliveries, flights

WEEKS = ("2012-12-31", "2013-01-07", "2013-01-14", "2013-01-21")
CUTOFF = "2013-01-28"


def small_flights(**changes: object) -> Problem:
    """The flights problem with a search of seconds; it can be trained on four weeks."""
    search = flights().search.model_copy(update={"max_trials": 2, "max_rounds": 40, "threads": 1})
    split = flights().split.model_copy(update={"test_windows": 1, "validation_windows": 1})
    rules = flights().validation[1:]  # without the least number of rows
    return flights().model_copy(update={"search": search, "split": split, "validation": rules, **changes})


@dataclass
class Scenario:
    """A problem, its definitions, a Dagster instance and everything below one folder."""

    problem: Problem
    home: Path
    instance: dg.DagsterInstance
    reports_url: str = "http://127.0.0.1:3072"
    definitions: Sequence[dg.Definitions] = ()
    """Of several problems at once; by default those of this problem alone."""

    @cached_property
    def deliveries(self) -> Deliveries:
        """Landing folder and lake."""
        return Deliveries(self.problem, Lake(root=str(self.home / "lake"), landing=str(self.home / "landing")))

    @property
    def lake(self) -> Lake:
        """The lake."""
        return self.deliveries.lake

    @cached_property
    def feature_store(self) -> FeatureStore:
        """Feast."""
        return FeatureStore(root=str(self.home / "feast"))

    @cached_property
    def ledger(self) -> Ledger:
        """The ledger."""
        return Ledger(url=f"sqlite:///{self.home / 'ledger.db'}")

    @cached_property
    def registry(self) -> Registry:
        """MLflow's registry."""
        (self.home / "mlflow").mkdir(exist_ok=True)
        uri = f"sqlite:///{self.home / 'mlflow' / 'mlflow.db'}"
        return Registry(tracking_uri=uri, artifacts=(self.home / "mlflow" / "artifacts").as_uri())

    @cached_property
    def reports(self) -> Reports:
        """Report pages."""
        return Reports(root=str(self.home / "reports"), url=self.reports_url)

    @cached_property
    def defs(self) -> dg.Definitions:
        """The problem's definitions with these resources."""
        resources = {
            "lake": self.lake,
            "feature_store": self.feature_store,
            "ledger": self.ledger,
            "registry": self.registry,
            "reports": self.reports,
            "data_docs": DataDocs(root=str(self.home / "reports" / "data_docs")),
        }
        own = dg.Definitions(resources=resources, executor=dg.in_process_executor)
        return dg.Definitions.merge(*(self.definitions or [build_problem_defs(self.problem)]), own)

    def windows_of(self, stage: str) -> list[str]:
        """Materialised windows of a stage, oldest first."""
        return sorted(self.instance.get_materialized_partitions(keys.stage(self.problem, stage)))

    def run(self, job: str, partition: str | None = None, **arguments: object) -> dg.ExecuteInProcessResult:
        """Run a job in this process; a failed run is returned, not raised."""
        return self.defs.resolve_job_def(job).execute_in_process(
            instance=self.instance, partition_key=partition, raise_on_error=False, **arguments
        )  # type: ignore[arg-type]

    def run_range(self, job: str, first: str, last: str, selection: Sequence[dg.AssetKey]) -> dg.ExecuteInProcessResult:
        """Run assets over a range of windows in one run, as a backfill does."""
        tags = {"dagster/asset_partition_range_start": first, "dagster/asset_partition_range_end": last}
        return self.run(job, tags=tags, asset_selection=list(selection))


def check_results(instance: dg.DagsterInstance, key: dg.AssetKey, name: str) -> dict[str, dg.AssetCheckEvaluation]:
    """Window -> the newest evaluation of a check."""
    found: dict[str, dg.AssetCheckEvaluation] = {}
    history = instance.event_log_storage.get_asset_check_execution_history(dg.AssetCheckKey(key, name), limit=500)
    for record in sorted(history, key=lambda record: record.event.timestamp if record.event else 0):
        evaluation = record.event.asset_check_evaluation if record.event and record.event.dagster_event else None
        if evaluation is not None and evaluation.partition is not None:
            found[evaluation.partition] = evaluation
    return found


def failure(result: dg.ExecuteInProcessResult) -> str:
    """Name and message of the error that failed a run."""
    [event] = [event for event in result.all_events if event.is_step_failure]
    error = event.step_failure_data.error
    while error.cause is not None:
        error = error.cause
    return f"{error.cls_name}: {error.message}"
