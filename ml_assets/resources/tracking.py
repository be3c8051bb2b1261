"""The MLflow run of a Dagster run, through dagster-mlflow, and the nested runs of its trials."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import dagster as dg

from ml_assets.ml.search.trial_log import Trial
from ml_assets.resources.registry import Registry

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import Run

SEARCH, NUMBER, PARENT = "ml_assets.search", "ml_assets.trial", "mlflow.parentRunId"
STATUS, MESSAGE = "ml_assets.trial_status", "mlflow.note.content"


def mlflow_run(experiment: str) -> dg.ResourceDefinition:
    """dagster-mlflow's resource for one experiment: `mlflow` with this Dagster run's MLflow run active.

    dagster-mlflow takes six seconds to import, so it is imported when a run needs it. Its hook
    `end_mlflow_on_run_finished` ends runs early when steps run in their own processes; `run_outcome` ends
    the run with the step that owns it.
    """

    @dg.resource(
        required_resource_keys={"registry"}, description=f"MLflow run in experiment '{experiment}' (dagster-mlflow)."
    )
    def resource(context: dg.InitResourceContext) -> Iterator[Any]:
        from dagster_mlflow import mlflow_tracking

        registry: Registry = context.resources.registry
        registry.ensure_experiment(experiment)
        config = {
            "experiment_name": experiment,
            "mlflow_tracking_uri": registry.tracking_uri,
            "env": {},
            "extra_tags": {"ml_assets.problem": experiment},
        }
        with dg.build_resources(
            {"mlflow": mlflow_tracking.configured(config)},
            instance=context.instance,
            dagster_run=context.run,
            log_manager=context.log,
        ) as built:
            yield built.mlflow

    return resource


@contextmanager
def run_outcome(mlflow: Any) -> Iterator[None]:
    """End the active MLflow run as the body ends: FINISHED, or FAILED when it raises."""
    status = "FAILED"
    try:
        yield
        status = "FINISHED"
    finally:
        mlflow.end_run(status)


class TrialRuns:
    """Nested MLflow runs, one per trial, for one search.

    A search that was killed left a parent without an end and some nested runs: the parent is closed as KILLED
    and its trials are hung below the run that goes on, so that the search shows once, with all its trials.
    """

    def __init__(self, client: "MlflowClient", parent: "Run", search: str) -> None:
        self._client, self._parent, self._search = client, parent.info, search
        self._logged = self._adopt()
        client.set_tag(parent.info.run_id, SEARCH, search)

    def log(self, trial: Trial) -> None:
        """Log a trial unless it is there already, in three requests: a run, all of its values at once, its end."""
        if trial.number in self._logged:
            return
        from mlflow.entities import Metric, Param

        now = int(time.time() * 1000)
        tags = {PARENT: self._parent.run_id, SEARCH: self._search, NUMBER: str(trial.number), STATUS: trial.status}
        if trial.message:
            tags[MESSAGE] = trial.message  # which MLflow shows on the run's page
        run = self._client.create_run(
            self._parent.experiment_id, now - int(trial.duration_s * 1000), tags, f"trial {trial.number}"
        )
        values = {**trial.metrics, "loss": trial.loss, "best_iteration": trial.best_iteration}
        self._client.log_batch(
            run.info.run_id,
            metrics=[Metric(name, float(value), now, 0) for name, value in values.items() if value is not None],
            params=[Param(name, str(value)) for name, value in trial.params.items()],
        )
        self._client.set_terminated(run.info.run_id, "FINISHED" if trial.loss is not None else "FAILED")
        self._logged.add(trial.number)

    def _adopt(self) -> set[int]:
        found = self._found()
        children = [run for run in found if NUMBER in run.data.tags]
        for former in (run for run in found if NUMBER not in run.data.tags):
            if former.info.status == "RUNNING":
                self._client.set_terminated(former.info.run_id, "KILLED")
        for child in children:
            self._client.set_tag(child.info.run_id, PARENT, self._parent.run_id)
        return {int(child.data.tags[NUMBER]) for child in children}

    def _found(self) -> "list[Run]":
        """All runs of this search, page by page."""
        query = f"tags.`{SEARCH}` = '{self._search}'"
        page = self._client.search_runs([self._parent.experiment_id], query)
        runs = list(page)
        while page.token:
            page = self._client.search_runs([self._parent.experiment_id], query, page_token=page.token)
            runs += page
        return runs
