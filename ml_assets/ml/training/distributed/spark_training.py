"""One training spread over a Spark cluster, by `xgboost.spark`, for rows beyond one machine.

The encoder, the parameters, early stopping and the model are those of a training on one machine. What differs: bins are
cut from the workers' summaries put together, and each worker draws its own rows where `subsample` is below 1; so trees
differ a little from those of one machine, and with the number of workers. The same rows, workers and seed repeat.

Trials run one after the other; neither pruning nor a time limit reaches into them.
"""

import math
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ml_assets.errors import SparkTrainingError
from ml_assets.ml.estimators.xgboost_objectives import eval_metric, loss_of
from ml_assets.ml.quality.metrics import evaluate
from ml_assets.ml.quality.scores import Scores
from ml_assets.ml.search.run import Proposal
from ml_assets.ml.search.trial_log import Trial
from ml_assets.ml.training.device import DeviceChoice, choice_of, on_device, why_no_gpu
from ml_assets.ml.training.distributed.spark_errors import reason
from ml_assets.ml.training.distributed.spark_rows import (
    CODE,
    FEATURES,
    HELD_OUT,
    content_hash,
    encoded_rows,
    fit_encoder_on,
)
from ml_assets.ml.training.encoding import Encoder
from ml_assets.ml.training.fitting import PreparedRows, all_params
from ml_assets.ml.training.model import Model
from ml_assets.ml.training.params import ParamValue
from ml_assets.ml.training.row_batches import ParquetRows
from ml_assets.ml.training.targets import require_rankable, training_labels, validation_labels
from ml_assets.spec import Compute, FeatureType, Search, Task

if TYPE_CHECKING:
    import xgboost
    from pyspark.sql import DataFrame, SparkSession
    from xgboost.spark import SparkXGBRegressor, SparkXGBRegressorModel


class SparkTrainingRunner:
    """Trains the trials of one search, each over the whole cluster.

    Attributes:
        parallel: One: a training takes all workers.
        rows: What a search knows of its rows, without holding them.
        warnings: What a user should know, e.g. that there is no GPU.
    """

    parallel = 1

    def __init__(
        self,
        spark: "SparkSession",
        rows: ParquetRows,
        features: Mapping[str, FeatureType],
        label: str,
        spec: Search,
        task: Task,
        compute: Compute,
    ) -> None:
        """Learn the encoder, and let the cluster encode the rows once for all trials.

        Args:
            spark: The session.
            rows: A training set; its path is one that the executors can read, too. The labels of all rows pass
                through this process, 8 bytes each, and the validation rows batch by batch.
            features, label: The model's inputs and its output.
            spec: The search.
            task: Kind of label.
            compute: Says how many workers.

        Raises:
            NoRowsFileError: There is no parquet file.
            MissingFeaturesError, FeatureTypeError: As `Encoder.fit`.
            UnusableLabelError, LabelValuesError, ConstantLabelError: As in `targets.py`.
            GpuRequiredError: A worker has no GPU, and the declaration requires one.
        """
        choice = _device(spark, compute)
        self.warnings = {choice.warning} - {""}
        self._spec, self._compute = on_device(spec, choice), compute
        self._spark, self._rows, self._validation = spark, rows, rows.part("validation")
        train = rows.part("train")
        encoder = fit_encoder_on(spark, train, features)
        _, classes = training_labels(train.column(label), label, task)
        codes, usable = validation_labels(self._validation.column(label), label, task, classes)
        require_rankable(codes, label, classes, spec.loss)
        truth = np.array(classes, dtype=object)[codes.astype(int)] if classes else codes
        self._usable = usable
        self.rows = PreparedRows(
            labels=truth,
            encoder=encoder,
            sha256=content_hash(rows, encoder, classes, compute.training_workers),
            task=task,
            classes=classes,
            left_out=len(usable) - int(usable.sum()),
        )
        both = rows.part("train", "validation")
        self._encoded = encoded_rows(spark, both, encoder, label, classes, compute.training_workers)

    def run(self, batch: Sequence[Proposal]) -> Iterator[tuple[Trial, bytes | None]]:
        """Train trials, one after the other; each with its booster (UBJSON), None where it failed.

        Raises:
            SparkTrainingError: The cluster gave a training up.
        """
        for proposal in batch:
            trial, booster = self._trial(proposal)
            yield trial, None if booster is None else bytes(booster.save_raw(raw_format="ubj"))

    def close(self) -> None:
        """Take the encoded rows from the cluster."""
        self._encoded.unpersist()

    def _trial(self, proposal: Proposal) -> "tuple[Trial, xgboost.Booster | None]":
        import xgboost

        started, spec, rows = time.perf_counter(), self._spec, self.rows
        metric = eval_metric(rows.task, spec.loss)
        try:
            booster, history = self._fit(all_params(rows, spec, dict(proposal.point), proposal.number), metric)
        except xgboost.core.XGBoostError as error:
            return _failed(proposal, str(error).splitlines()[0], started), None
        best = spec.max_rounds - 1 if spec.early_stopping_rounds is None else booster.best_iteration
        booster = booster[: best + 1]
        values = self._predict(booster)
        loss = loss_of(spec.loss, float(history[best]))
        if not (math.isfinite(loss) and np.isfinite(values).all()):
            return _failed(proposal, f"its validation {spec.loss} or its predictions are not finite", started), None
        metrics = evaluate(rows.labels, Scores(rows.task, values, rows.classes)).values
        took_s = time.perf_counter() - started
        return Trial(proposal.number, proposal.point, loss, metrics, best, took_s), booster

    def refit(self, model: Model) -> Model:
        """A model like `model`, trained on training and validation rows; `refit.refit` for rows on a cluster.

        Raises:
            SparkTrainingError: The cluster gave the training up.
        """
        both = self._rows.part("train", "validation")
        encoder = fit_encoder_on(self._spark, both, model.encoder.features)
        _, classes = training_labels(both.column(model.label), model.label, model.task)
        params: dict[str, ParamValue] = dict(model.params) | ({"num_class": len(classes)} if classes else {})
        workers = self._compute.training_workers
        encoded = encoded_rows(self._spark, both, encoder, model.label, classes, workers)
        estimator = _estimator(encoder, params, model.best_iteration + 1, workers)
        booster = _fitted(estimator, encoded).get_booster()
        encoded.unpersist()
        return Model(booster, encoder, model.label, params, model.best_iteration, model.task, classes)

    def _fit(self, params: Mapping[str, ParamValue], metric: str) -> "tuple[xgboost.Booster, list[float]]":
        """The booster of all rounds, and its validation metric after each."""
        spec = self._spec
        estimator = _estimator(
            self.rows.encoder,
            params,
            spec.max_rounds,
            self._compute.training_workers,
            validation_indicator_col=HELD_OUT,
            early_stopping_rounds=spec.early_stopping_rounds,
            eval_metric=metric,
        )
        fitted = _fitted(estimator, self._encoded)
        assert fitted.training_summary is not None  # set by `fit`
        return fitted.get_booster(), fitted.training_summary.validation_objective_history[metric]

    def _predict(self, booster: "xgboost.Booster") -> np.ndarray:
        """Predictions of the usable validation rows, batch by batch: (m,) or (m, classes) float64."""
        parts, row = [], 0
        for frame in self._validation.batches(self.rows.encoder.feature_names):
            usable = self._usable[row : row + len(frame)]
            row += len(frame)
            if usable.any():
                parts.append(booster.inplace_predict(self.rows.encoder.transform(frame)[usable], missing=np.nan))
        return np.concatenate(parts).astype(np.float64)


def _estimator(
    encoder: Encoder, params: Mapping[str, ParamValue], rounds: int, workers: int, **others: Any
) -> "SparkXGBRegressor":
    """What `xgboost.spark` trains with: its regressor also of classes, since only its booster is used."""
    from xgboost.spark import SparkXGBRegressor

    settings: dict[str, Any] = {**_spark_names(params), **others}
    return SparkXGBRegressor(
        features_col=FEATURES,
        label_col=CODE,
        num_workers=workers,
        n_estimators=rounds,
        feature_names=encoder.feature_names,
        feature_types=encoder.feature_types,
        verbose=False,
        **settings,
    )


def _fitted(estimator: "SparkXGBRegressor", encoded: "DataFrame") -> "SparkXGBRegressorModel":
    from pyspark.errors import PySparkException

    try:
        return estimator.fit(encoded)
    except PySparkException as error:
        raise SparkTrainingError(reason(error)) from error


def _spark_names(params: Mapping[str, ParamValue]) -> dict[str, ParamValue]:
    """XGBoost's parameters as its Spark estimator takes them: it sets the threads itself, and has names of its own."""
    names = {"seed": "random_state", "eta": "learning_rate", "alpha": "reg_alpha", "lambda": "reg_lambda"}
    return {names.get(name, name): value for name, value in params.items() if name != "nthread"}


def _device(spark: "SparkSession", compute: Compute) -> DeviceChoice:
    """The device of all workers: the CPU, with a warning, unless each of them has a GPU.

    Raises:
        GpuRequiredError: One has none, and the declaration says that it is required.
    """
    if compute.device == "cpu":
        return DeviceChoice("cpu")
    tasks = spark.sparkContext.parallelize(range(compute.training_workers), compute.training_workers)
    lacking = next(filter(None, tasks.map(lambda _: why_no_gpu()).collect()), "")
    return choice_of(compute, f"on a Spark executor {lacking}" if lacking else "")


def _failed(proposal: Proposal, message: str, started: float) -> Trial:
    took_s = time.perf_counter() - started
    return Trial(proposal.number, proposal.point, None, {}, None, took_s, "failed", message)
