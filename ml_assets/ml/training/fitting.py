"""One training: rows encoded and prepared once, then an estimator fitted for each set of parameters.

Which parameters are tried, and in what order, is `tuning.py`'s; whether they can be is `checks.py`'s; how an
estimator trains is its own file's in `estimators/`.
"""

import hashlib
import math
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from ml_assets.ml.estimators.interface import Estimator, Inputs, Rows, TrainingFailure, misshapen
from ml_assets.ml.estimators.lookup import XGBOOST, estimator_named
from ml_assets.ml.quality.metrics import error_of, evaluate
from ml_assets.ml.quality.scores import Labels, Scores
from ml_assets.ml.search.space import Point
from ml_assets.ml.search.trial_log import Trial
from ml_assets.ml.training.encoding import Encoder
from ml_assets.ml.training.params import ParamValue
from ml_assets.ml.training.targets import require_rankable, training_labels, validation_labels
from ml_assets.ml.training.watch import Watch
from ml_assets.spec import FeatureType, Search, Task


@dataclass(frozen=True, eq=False, kw_only=True)
class PreparedRows:
    """What a search knows of its rows, wherever they are held.

    Attributes:
        labels: Labels of the validation rows: numbers, or names of classes.
        encoder: Fitted on the training rows.
        sha256: Hash of all that was put in.
        task: Kind of label.
        classes: Multiclass: those of the training rows, sorted.
        left_out: Validation rows of other classes: the model cannot be asked for their loss.
        estimator: Trains on them.
    """

    labels: Labels
    encoder: Encoder
    sha256: str
    task: Task
    classes: tuple[str, ...] = ()
    left_out: int = 0
    estimator: Estimator = XGBOOST

    @property
    def inputs(self) -> Inputs:
        """What the matrices mean to the estimator."""
        return inputs_of(self.encoder, self.task, self.classes)


@dataclass(frozen=True, eq=False, kw_only=True)
class TrainingData(PreparedRows):
    """Training and validation rows as the estimator takes them: prepared once, shared by all trials.

    Attributes:
        train, validation: What `Estimator.prepare` returned; XGBoost's are matrices cut into bins.
    """

    train: Any
    validation: Any


def inputs_of(encoder: Encoder, task: Task, classes: tuple[str, ...]) -> Inputs:
    """What an encoder's matrices, and the codes of labels, mean."""
    return Inputs(encoder.features, {name: len(found) for name, found in encoder.categories.items()}, task, classes)


def prepare(
    train: pd.DataFrame,
    validation: pd.DataFrame,
    features: Mapping[str, FeatureType],
    label: str,
    spec: Search,
    task: Task,
    estimator: Estimator | None = None,
) -> TrainingData:
    """Encode the rows for the declared estimator; the encoder and the classes are those of the training rows.

    Args:
        train, validation: (n, ...) and (m, ...) rows with the features and the label.
        features, label: The model's inputs and its output.
        spec: Names the estimator; its fixed parameters may say how rows are prepared (XGBoost's `max_bin`).
        task: Kind of label.
        estimator: The declared one; where None it is looked up, which for one of the user's own needs a folder.

    Raises:
        MissingFeaturesError, FeatureTypeError, InfiniteFeatureError: As `Encoder.transform`.
        UnusableLabelError, LabelValuesError, ConstantLabelError: As in `targets.py`.
        FunctionError, EstimatorError: As `estimator_named`; an own estimator fails.
        TooManyCategoriesError: The estimator cannot tell so many categories apart.
    """
    estimator = estimator or estimator_named(spec.estimator)
    encoder = Encoder.fit(train, features)
    codes, classes = training_labels(train, label, task)
    validation_codes, usable = validation_labels(validation, label, task, classes)
    require_rankable(validation_codes, label, classes, spec.loss)
    parts: list[Any] = []
    digest = hashlib.sha256(encoder.to_json().encode())
    digest.update("\n".join(classes).encode())
    for frame, labels in ((train, codes), (validation[usable], validation_codes)):
        rows = Rows(encoder.transform(frame), labels, inputs_of(encoder, task, classes))
        digest.update(rows.x.tobytes() + labels.tobytes())
        parts.append(estimator.prepare(rows, spec, parts[0] if parts else None))
    return TrainingData(
        train=parts[0],
        validation=parts[1],
        labels=rows.labels,
        encoder=encoder,
        sha256=digest.hexdigest(),
        task=task,
        classes=classes,
        left_out=len(validation) - int(usable.sum()),
        estimator=estimator,
    )


def train_trial(
    data: TrainingData, spec: Search, point: Point, number: int, watch: Watch | None = None
) -> tuple[Trial, Any]:
    """Train at a point, to its end or until the watch stops it.

    Returns:
        The trial, and what the estimator is fitted to, with the rounds up to the best (all, without early stopping);
        None instead unless the trial ran to its end.

    Raises:
        GivenUpError: Nobody waits for it any more.
    """
    started = time.perf_counter()
    watch = watch or Watch(spec.model_copy(update={"trial_timeout_s": None}))
    params = all_params(data, spec, point, number)
    try:
        fit = data.estimator.train(data.train, data.validation, data.inputs, params, spec, watch)
    except (TrainingFailure, MemoryError) as error:
        return _failed(number, point, str(error) or type(error).__name__, started), None
    if fit is None:
        return _stopped(spec, watch, number, point, started), None
    if wrong := misshapen(fit.values, data.inputs, len(data.labels)):
        return _failed(number, point, wrong, started), None
    values = fit.values.astype(np.float64)
    metrics = evaluate(data.labels, Scores(data.task, values, data.classes)).values if np.isfinite(values).all() else {}
    loss = error_of(spec.loss, metrics.get(spec.loss, math.nan)) if fit.loss is None else fit.loss
    if not (metrics and math.isfinite(loss)):
        return _failed(number, point, f"its validation {spec.loss} or its predictions are not finite", started), None
    return Trial(number, point, loss, metrics, fit.best_iteration, time.perf_counter() - started), fit.fitted


def _failed(number: int, point: Point, message: str, started: float) -> Trial:
    return Trial(number, point, None, {}, None, time.perf_counter() - started, "failed", message)


def _stopped(spec: Search, watch: Watch, number: int, point: Point, started: float) -> Trial:
    took = time.perf_counter() - started
    if watch.verdict == "timed_out":
        return timed_out(spec, number, point, took)
    loss = watch.least[-1]
    message = f"{spec.loss} of at best {error_of(spec.loss, watch.bound):.6g} to come, after {len(watch.least)} rounds"
    return Trial(number, point, loss, {}, watch.least.index(loss), took, "pruned", message)


def timed_out(spec: Search, number: int, point: Point, took_s: float) -> Trial:
    """A trial that was given up; its message tells no seconds, so that it reads the same each time."""
    message = f"it took over {spec.trial_timeout_s:g} s (`search.trial_timeout_s`)"
    return Trial(number, point, None, {}, None, took_s, "timed_out", message)


def all_params(data: PreparedRows, spec: Search, point: Point, number: int) -> dict[str, ParamValue]:
    """All parameters of a trial; its seed follows from the search's seed and its number alone."""
    seed = int(np.random.SeedSequence([spec.seed, number]).generate_state(1)[0] >> 1)  # XGBoost's are signed
    return {**data.estimator.parameters(spec, data.inputs, seed), **spec.fixed, **point}
