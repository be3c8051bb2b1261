"""Stage 4: the hyper-parameter search of a cutoff; one MLflow parent run, one nested run per trial."""

import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import dagster as dg

from ml_assets.assets import keys, partitions
from ml_assets.files import write_text
from ml_assets.ml import figures
from ml_assets.ml.features.versions import search_version
from ml_assets.ml.quality.metrics import evaluate, shown
from ml_assets.ml.quality.scores import label_of
from ml_assets.ml.search.figures import parameters_figure, search_figure
from ml_assets.ml.search.former_searches import LOG, logs_before
from ml_assets.ml.search.trial_log import Trial
from ml_assets.ml.search.tuning import SearchResult
from ml_assets.ml.training.params import ParamValue
from ml_assets.ml.training.row_batches import ParquetRows
from ml_assets.resources.lake import content_hash
from ml_assets.resources.ledger import Ledger
from ml_assets.resources.registry import Registry
from ml_assets.resources.search_place import SearchTask, search_where_declared
from ml_assets.resources.tracking import TrialRuns, run_outcome
from ml_assets.spec import Distribution, Problem, Search

RESULT = "result.json"

_EXAMPLES = 1000
"""Rows from which MLflow derives the training set's schema."""


def build_tuned_model(problem: Problem) -> dg.AssetsDefinition:
    """The best model that the search finds for a cutoff."""
    key = keys.stage(problem, "tuned_model")

    @dg.asset(
        key=key,
        deps=[keys.stage(problem, "dataset")],
        partitions_def=partitions.cutoffs(problem),
        code_version=search_version(problem),
        # By key, since the MLflow resource's name differs by problem; Dagster allows no mixture of both ways.
        required_resource_keys={"lake", "registry", "ledger", keys.tracking(problem)},
        description="Hyperopt search; goes on from its last finished trial when started again.",
        group_name=problem.name,
        kinds={"hyperopt", keys.estimator_kind(problem), "mlflow"},
    )
    def tuned_model(context: dg.AssetExecutionContext) -> dg.MaterializeResult:
        lake, registry, ledger = context.resources.lake, context.resources.registry, context.resources.ledger
        mlflow, cutoff = getattr(context.resources, keys.tracking(problem)), context.partition_key
        rows = ParquetRows(lake.stage(problem, "dataset", cutoff), batch_rows=problem.compute.batch_rows)
        folder = lake.model_folder(problem, cutoff)
        with run_outcome(mlflow):
            champion = _champion(problem, cutoff, ledger, registry)
            found = _search(context, problem, rows, folder, mlflow, registry, champion)
            result = _log(problem, cutoff, rows, found, folder, mlflow, registry)
            result["views"] = lake.about(rows.path).get("views", {})
        write_text(folder / RESULT, json.dumps(result, indent=2, sort_keys=True))
        return dg.MaterializeResult(metadata=_metadata(found, result, problem.search.space))

    return tuned_model


def _champion(problem: Problem, cutoff: str, ledger: Ledger, registry: Registry) -> dict[str, ParamValue] | None:
    """Parameters of the version in production, with which a retraining begins; another estimator's mean nothing."""
    row = ledger.production_as_of(problem, cutoff)
    model = registry.load(problem, row) if row and row.cutoff < cutoff else None
    return dict(model.params) if model and model.estimator.reference == problem.search.estimator else None


def _search(
    context: dg.AssetExecutionContext,
    problem: Problem,
    rows: ParquetRows,
    folder: Path,
    mlflow: Any,
    registry: Registry,
    champion: dict[str, ParamValue] | None,
) -> SearchResult:
    spec = problem.search
    trials = spec.max_trials if champion is None else spec.retrain_trials or spec.max_trials
    progress = _Progress(context, spec, trials, lambda name: TrialRuns(registry.client(), mlflow.active_run(), name))
    task = SearchTask(
        rows=rows,
        features=problem.features,
        label=problem.label.name,
        task=problem.task,
        spec=spec,
        compute=problem.compute,
        scratch=folder / "scratch",
        name=f"{problem.name} {context.partition_key}",
        folder=problem.folder,
    )
    return search_where_declared(
        task,
        trials=trials,
        log=folder / LOG,
        warm_start=champion,
        former=logs_before(folder.parent, context.partition_key),
        on_start=progress.start,
        on_trial=progress.tell,
        warn=context.log.warning,
    )


class _Progress:
    """Tells of a search as it goes: in the Dagster run's log, and as runs in MLflow."""

    def __init__(
        self, context: dg.AssetExecutionContext, spec: Search, trials: int, runs: Callable[[str], TrialRuns]
    ) -> None:
        self._context, self._spec, self._trials, self._runs_of = context, spec, trials, runs
        self._best: Trial | None = None

    def start(self, search_id: str) -> None:
        self._runs = self._runs_of(search_id)

    def tell(self, trial: Trial) -> None:
        self._runs.log(trial)
        loss = self._spec.loss
        if trial.status == "ok" and (self._best is None or trial.loss_or_inf < self._best.loss_or_inf):
            self._best = trial
        text = f"{loss} {shown(trial.metrics[loss])}" if trial.status == "ok" else f"{trial.status}: {trial.message}"
        best = f"; best so far {shown(self._best.metrics[loss])} of trial {self._best.number + 1}" if self._best else ""
        resumed = " (from the log)" if trial.resumed else ""
        self._context.log.info(f"trial {trial.number + 1} of {self._trials}: {text}{best}{resumed}")


def _log(
    problem: Problem,
    cutoff: str,
    rows: ParquetRows,
    found: SearchResult,
    folder: Path,
    mlflow: Any,
    registry: Registry,
) -> dict[str, Any]:
    """Save the model and put it, the data and the numbers into the parent run; returns what later stages need."""
    test, digest = rows.part("test").frame(), content_hash([rows.path])
    metrics = evaluate(label_of(problem.task, test[problem.label.name]), found.model.scores(test))
    found.model.save(folder / "model")
    source = mlflow.data.from_pandas(
        next(rows.part("train").batches([*problem.features, problem.label.name])).head(_EXAMPLES),
        source=f"dataset {cutoff}",
        name=f"cutoff {cutoff}",
        digest=digest[:36],
    )
    mlflow.log_input(source, context="training")
    mlflow.log_params({**found.model.params, "cutoff": cutoff, "trials": len(found.trials)})
    mlflow.log_metrics(metrics.as_dict("test_") | {"validation_loss": float(found.best.loss or 0.0)})
    mlflow.log_figure(figures.importance_figure(found.model.importance()), "importance.png")
    mlflow.log_figure(search_figure(found.trials), "search.png")
    mlflow.log_figure(parameters_figure(found.trials, problem.search.space), "parameters.png")
    example = test[list(problem.features)].head(5).reset_index(drop=True)
    uri = registry.log_model(mlflow, folder / "model", found.model, example)
    return {
        "mlflow_run_id": mlflow.active_run().info.run_id,
        "model_uri": uri,
        "data_sha256": digest,
        "trained_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "train_start": str(rows.column("event_timestamp")["event_timestamp"].min().date()),
        "test": metrics.as_dict(),
        "best_trial": found.best.number,
        "trials": len(found.trials),
        "search_id": found.search_id,
    }


def _metadata(found: SearchResult, result: dict[str, Any], space: Mapping[str, Distribution]) -> dict[str, Any]:
    return {
        "validation_loss": found.best.loss,
        **{f"test_{name}": value for name, value in result["test"].items()},
        "trials": len(found.trials),
        "trials_pruned": sum(trial.status == "pruned" for trial in found.trials),
        "trials_failed": sum(trial.loss is None for trial in found.trials),
        "trials_given": found.given,
        "trials_from_log": sum(trial.resumed for trial in found.trials),
        "best_trial": found.best.number,
        "best_iteration": found.best.best_iteration,
        # Of classes that no training row has: they can be no part of the loss.
        "validation_rows_left_out": found.left_out,
        "mlflow_run_id": result["mlflow_run_id"],
        "best_params": dict(found.best.params),
        "importance": figures.inline(figures.importance_figure(found.model.importance())),
        "search": figures.inline(search_figure(found.trials)),
        "parameters": figures.inline(parameters_figure(found.trials, space)),
    }
