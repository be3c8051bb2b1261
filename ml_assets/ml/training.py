"""One training: rows cut into XGBoost's bins once, then a booster for each set of parameters.

Which parameters are tried, and in what order, is `tuning.py`'s.
"""

import hashlib
import math
import re
import time
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from ml_assets.errors import FeatureTypeError, SearchParameterError, UnusableLabelError
from ml_assets.ml.encoding import Encoder, numbers
from ml_assets.ml.model import ParamValue
from ml_assets.ml.search_space import Point, middle
from ml_assets.ml.trial_log import Trial
from ml_assets.spec import FeatureType, Search

if TYPE_CHECKING:
    import xgboost

DEFAULT_MAX_BIN = 256
"""XGBoost's own default, needed here because the matrices are cut before a trial names its parameters."""

_OURS = {
    "seed": "seed",
    "random_state": "seed",
    "nthread": "threads",
    "n_jobs": "threads",
    "eval_metric": "loss",
    "num_boost_round": "max_rounds",
    "n_estimators": "max_rounds",
    "early_stopping_rounds": "early_stopping_rounds",
}


@dataclass(frozen=True)
class TrainingData:
    """Training and validation rows as XGBoost holds them: cut into bins once, shared by all trials."""

    train: "xgboost.QuantileDMatrix"
    validation: "xgboost.QuantileDMatrix"
    encoder: Encoder
    sha256: str


def prepare(
    train: pd.DataFrame,
    validation: pd.DataFrame,
    features: Mapping[str, FeatureType],
    label: str,
    spec: Search,
) -> TrainingData:
    """Encode and bin the rows; the encoder and the bins are those of the training rows.

    Args:
        train, validation: (n, ...) and (m, ...) rows with the features and the label.
        features, label: The model's inputs and its output.
        spec: Its fixed `max_bin` says into how many bins.

    Raises:
        MissingFeaturesError, FeatureTypeError, InfiniteFeatureError: As `Encoder.transform`.
        UnusableLabelError: No rows, or a label that is no number, missing or infinite.
    """
    import xgboost

    encoder = Encoder.fit(train, features)
    matrices: list[xgboost.QuantileDMatrix] = []
    digest = hashlib.sha256(encoder.to_json().encode())
    for name, frame in (("training", train), ("validation", validation)):
        labels = _labels(frame, label, name)
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
    return TrainingData(matrices[0], matrices[1], encoder, digest.hexdigest())


def _labels(frame: pd.DataFrame, label: str, rows: str) -> np.ndarray:
    if label not in frame.columns:
        raise UnusableLabelError(rows, label, "is no column of them")
    if frame.empty:
        raise UnusableLabelError(rows, label, "cannot be learned: there are none")
    try:
        values = numbers(frame, label)
    except FeatureTypeError as error:
        raise UnusableLabelError(rows, label, "is no number") from error
    if bad := int((~np.isfinite(values)).sum()):
        raise UnusableLabelError(rows, label, f"is missing or infinite in {bad} of {len(values)}")
    return values


def train_trial(data: TrainingData, spec: Search, point: Point, number: int) -> "tuple[Trial, xgboost.Booster | None]":
    """Train at a point with early stopping; the booster holds the rounds up to the best, None when failed."""
    import xgboost

    started = time.perf_counter()
    metrics = ["mae", "rmse"] if spec.loss == "rmse" else ["rmse", "mae"]  # early stopping goes by the last
    history: dict[str, dict[str, list[float]]] = {}
    try:
        booster = xgboost.train(
            {**all_params(spec, point, number), "eval_metric": metrics},
            data.train,
            num_boost_round=spec.max_rounds,
            evals=[(data.validation, "validation")],
            early_stopping_rounds=spec.early_stopping_rounds,
            evals_result=history,
            verbose_eval=False,
        )
        best = booster.best_iteration
        booster = booster[: best + 1]
    except xgboost.core.XGBoostError as error:
        return _failed(number, point, _first_line(error), started), None
    errors = {metric: float(values[best]) for metric, values in history["validation"].items()}
    if not all(map(math.isfinite, errors.values())):
        return _failed(number, point, f"the validation error is not finite: {errors}", started), None
    seconds = time.perf_counter() - started
    return Trial(number, point, errors[spec.loss], errors["rmse"], errors["mae"], best, seconds), booster


def _failed(number: int, point: Point, message: str, started: float) -> Trial:
    seconds = time.perf_counter() - started
    return Trial(number, point, None, None, None, None, seconds, "failed", message)


def _first_line(error: Exception) -> str:
    """XGBoost's message without clock time, source position and stack: the same failure reads the same."""
    line = str(error).strip().partition("\n")[0]
    return re.sub(r"^\[[\d:]+\] \S+:\d+: ", "", line)


def all_params(spec: Search, point: Mapping[str, ParamValue], number: int) -> dict[str, ParamValue]:
    """All XGBoost parameters of a trial; its seed follows from the search's seed and its number alone."""
    seed = int(np.random.SeedSequence([spec.seed, number]).generate_state(1)[0] >> 1)  # XGBoost's are signed
    return {**spec.fixed, **point, "nthread": spec.threads, "seed": seed}


def check_names(spec: Search) -> None:
    """Refuse parameters that the declaration has a field of its own for."""
    named = [*spec.space, *spec.fixed]
    if ours := [name for name in named if name in _OURS]:
        fields = ", ".join(f"`search.{_OURS[name]}`" for name in ours)
        raise SearchParameterError(ours, f"the search sets them itself; use {fields}")
    if "max_bin" in spec.space:
        raise SearchParameterError(["max_bin"], "bins are cut once for all trials; put it under `search.fixed`")


def check_known(data: TrainingData, spec: Search) -> None:
    """Refuse parameters that XGBoost does not use: it only warns, and the search would tune nothing."""
    import xgboost

    params = all_params(spec, {name: middle(d) for name, d in spec.space.items()}, 0)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            xgboost.Booster(params, [data.train]).num_boosted_rounds()
        except xgboost.core.XGBoostError:
            return  # a wrong value is the trials' to report
    for warning in caught:
        if unused := re.search(r"Parameters: \{(.*?)\} are not used", str(warning.message), re.DOTALL):
            raise SearchParameterError(re.findall(r'"([^"]+)"', unused[1]), "XGBoost does not know them")
