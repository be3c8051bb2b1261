"""A trained model: the booster together with the encoder it was trained behind, as three files and no pickle.

Training is `tuning.py`'s, the registry is a resource: this file only predicts, explains, saves and loads.
"""

import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from ml_assets.errors import AlteredModelError, ModelFilesError
from ml_assets.ml.encoding import Encoder
from ml_assets.ml.scores import Scores
from ml_assets.spec import Task

if TYPE_CHECKING:
    import xgboost

ParamValue = float | int | str | bool

_BOOSTER, _ENCODER, _ABOUT = "model.ubj", "encoder.json", "model.json"
_FORMAT = 2
"""1 had no task."""


@dataclass(frozen=True, eq=False)
class Model:
    """A model for one label.

    Attributes:
        booster: Holds the rounds up to the best one and no more, so predicting needs no round to be named.
        encoder: Fitted on the rows that the booster was trained on.
        label: Column that is predicted.
        params: All XGBoost parameters of the training, searched and fixed, its seed and threads included.
        best_iteration: Round (from 0) with the least validation loss: the last one that the booster holds.
        task: Kind of label.
        classes: Multiclass: the classes of the training rows, sorted; a class's code is its position.
    """

    booster: "xgboost.Booster"
    encoder: Encoder
    label: str
    params: Mapping[str, ParamValue]
    best_iteration: int
    task: Task = "regression"
    classes: tuple[str, ...] = ()

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
            probabilities. All float64 of float32 precision, never NaN for missing features.

        Raises:
            MissingFeaturesError, FeatureTypeError, InfiniteFeatureError: As `Encoder.transform`.
        """
        matrix = self.encoder.transform(frame)
        shape = (len(frame), len(self.classes)) if self.classes else (len(frame),)
        # XGBoost gives one row of no rows another shape than many.
        values = self.booster.inplace_predict(matrix, missing=np.nan) if len(frame) else np.empty(shape)
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
        """Every feature's share of the total gain of all splits, most important first.

        Returns:
            Shares in [0, 1] that sum to 1; all 0 where the booster has no split.
        """
        gains = self.booster.get_score(importance_type="total_gain")
        total = sum(float(np.sum(gain)) for gain in gains.values()) or 1.0
        shares = {name: float(np.sum(gains.get(name, 0.0))) / total for name in self.features}
        return dict(sorted(shares.items(), key=lambda item: (-item[1], item[0])))

    def to_files(self) -> dict[str, bytes]:
        """File name -> content; the same model gives the same bytes."""
        files = {
            _BOOSTER: bytes(self.booster.save_raw(raw_format="ubj")),
            _ENCODER: self.encoder.to_json().encode(),
        }
        about = {
            "format": _FORMAT,
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
        """
        import xgboost

        about = _about(folder)
        contents = {name: _checked(folder, name, digest) for name, digest in about["sha256"].items()}
        return cls(
            booster=xgboost.Booster(model_file=bytearray(contents[_BOOSTER])),
            encoder=Encoder.from_json(contents[_ENCODER].decode()),
            label=about["label"],
            params=about["params"],
            best_iteration=about["best_iteration"],
            task=about["task"],
            classes=tuple(about["classes"]),
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
    if about.get("format") != _FORMAT:
        raise ModelFilesError(folder.name, f"its format is {about.get('format')}, not {_FORMAT}")
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
