"""One training: rows cut into XGBoost's bins once, then a booster for each set of parameters.

Which parameters are tried, and in what order, is `tuning.py`'s; whether they can be is `search_checks.py`'s.
"""

import hashlib
import math
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from ml_assets.ml.encoding import Encoder
from ml_assets.ml.metrics import evaluate
from ml_assets.ml.model import ParamValue
from ml_assets.ml.objectives import base_params, eval_metric, loss_of
from ml_assets.ml.scores import Labels, Scores
from ml_assets.ml.search_checks import DEFAULT_MAX_BIN, first_line
from ml_assets.ml.search_space import Point
from ml_assets.ml.targets import require_rankable, training_labels, validation_labels
from ml_assets.ml.training_watch import Watch
from ml_assets.ml.trial_log import Trial
from ml_assets.spec import FeatureType, Search, Task

if TYPE_CHECKING:
    import xgboost


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
    """

    labels: Labels
    encoder: Encoder
    sha256: str
    task: Task
    classes: tuple[str, ...] = ()
    left_out: int = 0


@dataclass(frozen=True, eq=False, kw_only=True)
class TrainingData(PreparedRows):
    """Training and validation rows as XGBoost holds them: cut into bins once, shared by all trials.

    Attributes:
        train, validation: The matrices.
    """

    train: "xgboost.QuantileDMatrix | xgboost.ExtMemQuantileDMatrix"
    validation: "xgboost.QuantileDMatrix | xgboost.ExtMemQuantileDMatrix"


def prepare(
    train: pd.DataFrame,
    validation: pd.DataFrame,
    features: Mapping[str, FeatureType],
    label: str,
    spec: Search,
    task: Task,
) -> TrainingData:
    """Encode and bin the rows; the encoder, the classes and the bins are those of the training rows.

    Args:
        train, validation: (n, ...) and (m, ...) rows with the features and the label.
        features, label: The model's inputs and its output.
        spec: Its fixed `max_bin` says into how many bins.
        task: Kind of label.

    Raises:
        MissingFeaturesError, FeatureTypeError, InfiniteFeatureError: As `Encoder.transform`.
        UnusableLabelError, LabelValuesError, ConstantLabelError: As in `targets.py`.
    """
    import xgboost

    encoder = Encoder.fit(train, features)
    codes, classes = training_labels(train, label, task)
    validation_codes, usable = validation_labels(validation, label, task, classes)
    require_rankable(validation_codes, label, classes, spec.loss)
    matrices: list[xgboost.QuantileDMatrix] = []
    digest = hashlib.sha256(encoder.to_json().encode())
    digest.update("\n".join(classes).encode())
    for frame, labels in ((train, codes), (validation[usable], validation_codes)):
        matrix = encoder.transform(frame)
        digest.update(matrix.tobytes() + labels.tobytes())
        matrices.append(
            xgboost.QuantileDMatrix(
                matrix,
                labels,
                feature_names=encoder.feature_names,
                feature_types=encoder.feature_types,
                max_bin=int(spec.fixed.get("max_bin", DEFAULT_MAX_BIN)),
                nthread=spec.threads,
                ref=matrices[0] if matrices else None,
            )
        )
    truth = np.array(classes, dtype=object)[validation_codes.astype(int)] if classes else validation_codes
    left_out = len(validation) - int(usable.sum())
    return TrainingData(
        train=matrices[0],
        validation=matrices[1],
        labels=truth,
        encoder=encoder,
        sha256=digest.hexdigest(),
        task=task,
        classes=classes,
        left_out=left_out,
    )


def train_trial(
    data: TrainingData, spec: Search, point: Point, number: int, watch: Watch | None = None
) -> "tuple[Trial, xgboost.Booster | None]":
    """Train at a point, to its end or until the watch stops it.

    Returns:
        The trial, and the booster with the rounds up to the best (all, without early stopping); None instead of a
        booster unless the trial ran to its end.

    Raises:
        GivenUpError: Nobody waits for it any more.
    """
    import xgboost

    started = time.perf_counter()
    watch = watch or Watch(spec.model_copy(update={"trial_timeout_s": None}))
    history: dict[str, dict[str, list[float]]] = {}
    metric = eval_metric(data.task, spec.loss)
    try:
        booster = xgboost.train(
            {**all_params(data, spec, point, number), "eval_metric": metric},
            data.train,
            num_boost_round=spec.max_rounds,
            evals=[(data.validation, "validation")],
            early_stopping_rounds=spec.early_stopping_rounds,
            callbacks=[watch.callback()],
            evals_result=history,
            verbose_eval=False,
        )
        if watch.verdict:
            return _stopped(spec, watch, number, point, started), None
        best = spec.max_rounds - 1 if spec.early_stopping_rounds is None else booster.best_iteration
        booster = booster[: best + 1]
        values = booster.predict(data.validation)
    except (xgboost.core.XGBoostError, MemoryError) as error:
        return _failed(number, point, first_line(error) or type(error).__name__, started), None
    loss = loss_of(spec.loss, float(history["validation"][metric][best]))
    if not (math.isfinite(loss) and np.isfinite(values).all()):
        return _failed(number, point, f"its validation {spec.loss} or its predictions are not finite", started), None
    scores = Scores(data.task, values.astype(np.float64), data.classes)
    metrics = evaluate(data.labels, scores).values
    return Trial(number, point, loss, metrics, best, time.perf_counter() - started), booster


def _failed(number: int, point: Point, message: str, started: float) -> Trial:
    return Trial(number, point, None, {}, None, time.perf_counter() - started, "failed", message)


def _stopped(spec: Search, watch: Watch, number: int, point: Point, started: float) -> Trial:
    took = time.perf_counter() - started
    if watch.verdict == "timed_out":
        return timed_out(spec, number, point, took)
    loss = watch.least[-1]
    message = f"{spec.loss} of at best {loss_of(spec.loss, watch.bound):.6g} to come, after {len(watch.least)} rounds"
    return Trial(number, point, loss, {}, watch.least.index(loss), took, "pruned", message)


def timed_out(spec: Search, number: int, point: Point, took_s: float) -> Trial:
    """A trial that was given up; its message tells no seconds, so that it reads the same each time."""
    message = f"it took over {spec.trial_timeout_s:g} s (`search.trial_timeout_s`)"
    return Trial(number, point, None, {}, None, took_s, "timed_out", message)


def all_params(data: PreparedRows, spec: Search, point: Point, number: int) -> dict[str, ParamValue]:
    """All XGBoost parameters of a trial; its seed follows from the search's seed and its number alone."""
    seed = int(np.random.SeedSequence([spec.seed, number]).generate_state(1)[0] >> 1)  # XGBoost's are signed
    base = base_params(spec, data.task, len(data.classes))
    return {**base, **spec.fixed, **point, "nthread": spec.trial_threads, "seed": seed}
