"""A trained model: what an estimator was fitted to, with the encoder it was trained behind, as files and no pickle.

Training is `tuning.py`'s, the registry is a resource: this file only predicts, explains, saves and loads. How what is
fitted predicts, and the content of its own file, is the estimator's.
"""

import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from ml_assets.errors import AlteredModelError, EstimatorError, ModelFilesError
from ml_assets.ml.estimators.interface import Estimator, Inputs
from ml_assets.ml.estimators.lookup import XGBOOST, estimator_of_model
from ml_assets.ml.quality.scores import Scores
from ml_assets.ml.training.encoding import Encoder
from ml_assets.ml.training.params import ParamValue
from ml_assets.spec import Task

_ENCODER, _ABOUT, _CODE = "encoder.json", "model.json", "estimator.py"
_FORMAT, _READ = 3, (2, 3)
"""1 had no task, 2 no other estimator than XGBoost."""


@dataclass(frozen=True, eq=False)
class Model:
    """A model for one label.

    Attributes:
        fitted: What the estimator predicts with (XGBoost: a booster); it holds the rounds up to the best one and no
            more, so predicting needs no round to be named.
        encoder: Fitted on the rows that `fitted` was trained on.
        label: Column that is predicted.
        params: All parameters of the training, searched and fixed, its seed included.
        best_iteration: Round (from 0) with the least validation loss: the last one that `fitted` holds.
        task: Kind of label.
        classes: Multiclass: the classes of the training rows, sorted; a class's code is its position.
        estimator: Has trained it, and predicts with it.
    """

    fitted: Any
    encoder: Encoder
    label: str
    params: Mapping[str, ParamValue]
    best_iteration: int
    task: Task = "regression"
    classes: tuple[str, ...] = ()
    estimator: Estimator = XGBOOST

    @property
    def features(self) -> list[str]:
        """Input columns, in the order of the matrix."""
        return self.encoder.feature_names

    def scores(self, frame: pd.DataFrame) -> Scores:
        """Predict rows; a row's prediction does not depend on the rows beside it.

        Args:
            frame: (n, >= k) rows with every feature; n may be 0.

        Returns:
            Regression: (n,) in the label's unit. Binary: (n,) probabilities of 1. Multiclass: (n, classes)
            probabilities. All float64 (XGBoost's of float32 precision), never NaN for missing features.

        Raises:
            MissingFeaturesError, FeatureTypeError, InfiniteFeatureError: As `Encoder.transform`.
        """
        matrix = self.encoder.transform(frame)
        shape = (len(frame), len(self.classes)) if self.classes else (len(frame),)
        # Estimators need not know what to say of no rows.
        values = self.estimator.predict(self.fitted, matrix) if len(frame) else np.empty(shape)
        return Scores(self.task, np.asarray(values, dtype=np.float64).reshape(shape), self.classes)

    def predict(self, frame: pd.DataFrame) -> np.ndarray:
        """(n,) predicted values: float64 (of binary labels the probability of 1), or names of classes.

        Raises:
            MissingFeaturesError, FeatureTypeError, InfiniteFeatureError: As `Encoder.transform`.
        """
        return self.scores(frame).predictions()

    def probabilities(self, frame: pd.DataFrame) -> np.ndarray:
        """(n, k) float64: probabilities of the classes, in their order, or of 0 and of 1.

        Raises:
            ValueError: The model predicts a number.
            MissingFeaturesError, FeatureTypeError, InfiniteFeatureError: As `Encoder.transform`.
        """
        if self.task == "regression":
            raise ValueError(f"a model of '{self.label}' (regression) has no probabilities")
        values = self.scores(frame).values
        return values if self.task == "multiclass" else np.column_stack([1.0 - values, values])

    def importance(self) -> dict[str, float]:
        """Every feature's share of what the estimator calls its importance, most important first.

        Returns:
            Shares in [0, 1] that sum to 1; all 0 where no feature is of use, or the estimator does not say. Of
            boosted trees: of the total gain of all splits.
        """
        categories = {name: len(found) for name, found in self.encoder.categories.items()}
        inputs = Inputs(self.encoder.features, categories, self.task, self.classes)
        gains = self.estimator.importance(self.fitted, inputs)
        total = sum(gains.values()) or 1.0
        shares = {name: gains.get(name, 0.0) / total for name in self.features}
        return dict(sorted(shares.items(), key=lambda item: (-item[1], item[0])))

    def to_files(self) -> dict[str, bytes]:
        """File name -> content; the same model gives the same bytes."""
        files = {self.estimator.file: self.estimator.to_bytes(self.fitted), _ENCODER: self.encoder.to_json().encode()}
        if self.estimator.code is not None:
            files[_CODE] = self.estimator.code
        about = {
            "format": _FORMAT,
            "estimator": self.estimator.reference,
            "task": self.task,
            "label": self.label,
            "classes": list(self.classes),
            "features": dict(self.encoder.features),
            "params": dict(self.params),
            "best_iteration": self.best_iteration,
            "sha256": {name: hashlib.sha256(content).hexdigest() for name, content in files.items()},
        }
        return files | {_ABOUT: (json.dumps(about, indent=2, sort_keys=True) + "\n").encode()}

    def save(self, folder: Path) -> None:
        """Write the model's files; a former model there stays whole until all new files are on disk."""
        folder.mkdir(parents=True, exist_ok=True)
        staged: list[tuple[Path, Path]] = []
        for name, content in self.to_files().items():
            temporary = folder / f".{name}.{os.getpid()}.tmp"
            with temporary.open("wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            staged.append((temporary, folder / name))
        for temporary, final in staged:
            temporary.replace(final)

    @classmethod
    def load(cls, folder: Path) -> "Model":
        """Read a model that `save` wrote.

        Raises:
            ModelFilesError: A file is missing, damaged, from another model, or of another format.
            FunctionError, EstimatorError: The model's estimator is not there any more, fails, or cannot read its file.
        """
        about = _about(folder)
        contents = {name: _checked(folder, name, digest) for name, digest in about["sha256"].items()}
        code = contents.get(_CODE)
        estimator = estimator_of_model(about.get("estimator", XGBOOST.reference), code, folder / _CODE)
        if estimator.file not in contents:
            raise ModelFilesError(folder.name, f"{_ABOUT} names no {estimator.file}, which {estimator.title} reads")
        try:
            fitted = estimator.from_bytes(contents[estimator.file])
        except ValueError as error:  # the file is the one that was written: what reads it has changed
            raise EstimatorError(estimator.reference, f"cannot read {estimator.file} here: {error}") from error
        return cls(
            fitted=fitted,
            encoder=Encoder.from_json(contents[_ENCODER].decode()),
            label=about["label"],
            params=about["params"],
            best_iteration=about["best_iteration"],
            task=about["task"],
            classes=tuple(about["classes"]),
            estimator=estimator,
        )


def model_hash(folder: Path) -> str:
    """SHA-256 of a saved model; `model.json` itself holds the hashes of the other files."""
    return hashlib.sha256((folder / _ABOUT).read_bytes()).hexdigest()


def checked_model(root: Path, digest: str, *, name: str) -> Model:
    """The model below a folder, if all its files are those that had this hash.

    Args:
        root: Folder that holds the model's folder, at any depth.
        digest: `model_hash` as it was when the model was registered.
        name: How to call it in an error.

    Raises:
        AlteredModelError: A file was changed or taken away, or another model lies beside it.
        ModelFilesError: It is of a format that is not read any more.
    """
    found = [path.parent for path in root.rglob(_ABOUT)]
    if len(found) != 1:
        raise AlteredModelError(name, f"{len(found)} files {_ABOUT} instead of one")
    if model_hash(found[0]) != digest:
        raise AlteredModelError(name, f"{_ABOUT} has another hash")
    _about(found[0])
    try:
        return Model.load(found[0])
    except ModelFilesError as error:
        raise AlteredModelError(name, error.reason) from error


def _about(folder: Path) -> dict:
    try:
        about = json.loads(_read(folder, _ABOUT))
    except ValueError as error:
        raise ModelFilesError(folder.name, f"{_ABOUT} is not JSON ({error})") from error
    if about.get("format") not in _READ:
        raise ModelFilesError(folder.name, f"its format is {about.get('format')}, not {_FORMAT}")
    if strange := [name for name in about["sha256"] if Path(name).name != name]:
        raise ModelFilesError(folder.name, f"{_ABOUT} names {strange[0]!r}, which lies elsewhere")
    return about


def _checked(folder: Path, name: str, digest: str) -> bytes:
    content = _read(folder, name)
    if hashlib.sha256(content).hexdigest() != digest:
        raise ModelFilesError(folder.name, f"{name} is not the file that {_ABOUT} was written for")
    return content


def _read(folder: Path, name: str) -> bytes:
    try:
        return (folder / name).read_bytes()
    except FileNotFoundError as error:
        raise ModelFilesError(folder.name, f"{name} is missing") from error
