"""A search where its declaration says: in this process, from batches on disk, or on a Spark cluster.

All are the same search on the same rows; what each gives for sure is said where it is done.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import pandas as pd

from ml_assets.ml.estimators.lookup import estimator_named
from ml_assets.ml.search.run import TrialRunner
from ml_assets.ml.search.trial_log import Trial
from ml_assets.ml.search.tuning import SearchResult, require_runnable, search_prepared
from ml_assets.ml.training.device import choose_device, on_device
from ml_assets.ml.training.distributed.executor import TrialRequest
from ml_assets.ml.training.distributed.spark_training import SparkTrainingRunner
from ml_assets.ml.training.distributed.spark_trials import SparkTrialRunner
from ml_assets.ml.training.external_memory import external_training_data, refit_external
from ml_assets.ml.training.fitting import PreparedRows, TrainingData, prepare
from ml_assets.ml.training.model import Model
from ml_assets.ml.training.params import ParamValue
from ml_assets.ml.training.refit import refit
from ml_assets.ml.training.row_batches import ParquetRows
from ml_assets.resources.spark import spark_session
from ml_assets.spec import Compute, FeatureType, Search, Task

_HUNG = 2.0
"""On Spark a trial that does not stop by itself at its time limit is ended after so many of them."""


@dataclass(frozen=True)
class SearchTask:
    """What is searched, wherever that is.

    Attributes:
        rows: The training set: parquet with the column `split`.
        features, label, task: The model's inputs and its output.
        spec, compute: The declarations.
        scratch: Folder for files that are gone afterwards.
        name: What a cluster's own pages call it.
        folder: Of the declaration, where the file of an own estimator is looked up.
    """

    rows: ParquetRows
    features: Mapping[str, FeatureType]
    label: str
    task: Task
    spec: Search
    compute: Compute
    scratch: Path
    name: str
    folder: Path = Path()


def search_where_declared(
    task: SearchTask,
    *,
    trials: int,
    log: Path,
    warm_start: Mapping[str, ParamValue] | None = None,
    former: Sequence[Path] = (),
    on_start: Callable[[str], None] = lambda search_id: None,
    on_trial: Callable[[Trial], None] = lambda trial: None,
    warn: Callable[[str], None] = lambda warning: None,
) -> SearchResult:
    """Search, and train the winner once more on all labelled rows where `search.refit` says so.

    Args:
        task: What is searched.
        trials, log, warm_start, former, on_start, on_trial: As `tuning.search_prepared`.
        warn: Told what a user should know, e.g. that there is no GPU; once each.

    Raises:
        As `tuning.search`; NoSparkError, SparkMasterError, ExecutorRefusedError, SparkTrainingError, GpuRequiredError.
    """
    require_runnable(task.spec, task.task, task.features, task.folder)
    with _place(task, warn) as (spec, rows, runner, again):
        found = search_prepared(
            rows,
            label=task.label,
            spec=spec,
            trials=trials,
            log=log,
            warm_start=warm_start,
            former=former,
            on_start=on_start,
            on_trial=on_trial,
            runner=runner,
        )
        return replace(found, model=again(found.model)) if spec.refit else found


Place = tuple[Search, PreparedRows, TrialRunner | None, Callable[[Model], Model]]
"""The declaration on its device, the rows, who trains (None: this process), and how the winner is trained again."""


@contextmanager
def _place(task: SearchTask, warn: Callable[[str], None]) -> Iterator[Place]:
    if task.compute.training == "spark":
        with _spark_training(task, warn) as place:
            yield place
    elif task.compute.trials == "spark":
        with _spark_trials(task, warn) as place:
            yield place
    elif task.compute.training == "external_memory":
        given = task.rows.part("train"), task.rows.part("validation")
        with external_training_data(*given, task.features, task.label, task.spec, task.task, task.scratch) as data:
            both = task.rows.part("train", "validation")
            yield task.spec, data, None, lambda model: refit_external(model, both, task.spec, task.scratch)
    else:
        choice = choose_device(task.compute)
        if choice.warning:
            warn(choice.warning)
        spec = on_device(task.spec, choice)
        yield spec, _prepared(task, *_parts(task)), None, lambda model: refit(model, _labelled(task), spec)


@contextmanager
def _spark_trials(task: SearchTask, warn: Callable[[str], None]) -> Iterator[Place]:
    train, validation = _parts(task)
    data = _prepared(task, train, validation)
    request = TrialRequest.of(train, validation, task.features, task.label, task.spec, task.compute, data)
    limit = None if task.spec.trial_timeout_s is None else max(1, round(_HUNG * task.spec.trial_timeout_s))
    with spark_session(task.compute, task.name, threads=task.spec.trial_threads) as spark:
        runner = SparkTrialRunner(spark, request, task.compute.parallel_trials, limit)
        try:
            yield task.spec, data, runner, lambda model: refit(model, _labelled(task), task.spec)
        finally:
            runner.close()
            for warning in sorted(runner.warnings):
                warn(warning)


@contextmanager
def _spark_training(task: SearchTask, warn: Callable[[str], None]) -> Iterator[Place]:
    given = task.rows, task.features, task.label, task.spec, task.task, task.compute
    with spark_session(task.compute, task.name, threads=task.spec.trial_threads) as spark:
        runner = SparkTrainingRunner(spark, *given)
        for warning in sorted(runner.warnings):
            warn(warning)
        try:
            yield task.spec, runner.rows, runner, runner.refit
        finally:
            runner.close()


def _prepared(task: SearchTask, train: pd.DataFrame, validation: pd.DataFrame) -> TrainingData:
    estimator = estimator_named(task.spec.estimator, task.folder)
    return prepare(train, validation, task.features, task.label, task.spec, task.task, estimator)


def _parts(task: SearchTask) -> tuple[pd.DataFrame, pd.DataFrame]:
    return task.rows.part("train").frame(), task.rows.part("validation").frame()


def _labelled(task: SearchTask) -> pd.DataFrame:
    return task.rows.part("train", "validation").frame()
