"""Training on more rows than memory holds: parquet batches -> encoder -> XGBoost's bins, kept in files.

What comes out is the same `TrainingData` that trainings in memory use, so trials, early stopping and the model are
the same code. XGBoost keeps one byte a value (two from 257 bins on) in files beside, and reads them once for every
level of a tree; memory holds a batch, the labels, and some 30 bytes a row for gradients and positions.

Bins are cut from summaries of the batches. Where a feature has fewer distinct values than bins, they are those of a
training in memory; elsewhere they may differ a little, and the trees with them: `batch_rows` is therefore part of what
makes a training repeatable.
"""

import hashlib
import os
import shutil
import socket
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import psutil
from numpy.typing import NDArray

from ml_assets.ml.estimators.xgboost import DEFAULT_MAX_BIN
from ml_assets.ml.quality.ranking import Floats
from ml_assets.ml.training.encoding import Encoder
from ml_assets.ml.training.fitting import TrainingData
from ml_assets.ml.training.model import Model
from ml_assets.ml.training.params import ParamValue
from ml_assets.ml.training.row_batches import ParquetRows
from ml_assets.ml.training.targets import require_rankable, training_labels, validation_labels
from ml_assets.spec import FeatureType, Search, Task

if TYPE_CHECKING:
    import xgboost


@contextmanager
def external_training_data(
    train: ParquetRows,
    validation: ParquetRows,
    features: Mapping[str, FeatureType],
    label: str,
    spec: Search,
    task: Task,
    scratch: Path,
) -> Iterator[TrainingData]:
    """Encode and bin rows batch by batch; XGBoost's files are gone when the context ends.

    Args:
        train, validation: Rows with the features and the label.
        features, label: The model's inputs and its output.
        spec: Its fixed `max_bin` says into how many bins, `threads` how many threads bin.
        task: Kind of label.
        scratch: Folder for XGBoost's files: about one byte a value of both parts, two above 256 bins.

    Yields:
        What `training.prepare` gives for the same rows; its `sha256` is that of `hash_in_batches`.

    Raises:
        NoRowsFileError: There is no parquet file.
        MissingFeaturesError, FeatureTypeError, InfiniteFeatureError: As `Encoder.transform`.
        UnusableLabelError, LabelValuesError, ConstantLabelError: As in `targets.py`.
    """
    encoder = fit_encoder(train, features)
    codes, classes = training_labels(train.column(label), label, task)
    validation_codes, usable = validation_labels(validation.column(label), label, task, classes)
    require_rankable(validation_codes, label, classes, spec.loss)
    digest = hashlib.sha256(encoder.to_json().encode())
    digest.update("\n".join(classes).encode())
    with _folder(scratch) as folder:
        first = _matrix(_Part(train, encoder, codes), spec, folder / "train", digest)
        digest.update(codes.tobytes())
        part = _Part(validation, encoder, validation_codes, usable)
        second = _matrix(part, spec, folder / "validation", digest, first)
        digest.update(validation_codes.tobytes())
        truth = np.array(classes, dtype=object)[validation_codes.astype(int)] if classes else validation_codes
        left_out = len(usable) - int(usable.sum())
        try:
            yield TrainingData(
                train=first,
                validation=second,
                labels=truth,
                encoder=encoder,
                sha256=hash_in_batches(digest.hexdigest(), train.batch_rows),
                task=task,
                classes=classes,
                left_out=left_out,
            )
        finally:
            for matrix in (second, first):
                matrix.__del__()  # frees it, and removes its files, before the folder goes; once more does nothing


def hash_in_batches(sha256: str, batch_rows: int) -> str:
    """Hash of rows together with their batches: bins may depend on them, so a search's log is another one.

    Args:
        sha256: Hash that `training.prepare` gives for the rows.
        batch_rows: Rows of a batch.
    """
    return hashlib.sha256(f"{sha256} in batches of {batch_rows}".encode()).hexdigest()


def refit_external(model: Model, rows: ParquetRows, spec: Search, scratch: Path) -> Model:
    """A model like `model`, trained on other rows; `refit.refit` for rows beyond memory.

    Args:
        model: Says which features, label, parameters and how many rounds.
        rows: Rows with the features and the label.
        spec: The search that found the model.
        scratch: Folder for XGBoost's files.

    Raises:
        As `external_training_data`.
    """
    import xgboost

    encoder = fit_encoder(rows, model.encoder.features)
    labels, classes = training_labels(rows.column(model.label), model.label, model.task)
    params: dict[str, ParamValue] = dict(model.params) | ({"num_class": len(classes)} if classes else {})
    with _folder(scratch) as folder:
        matrix = _matrix(_Part(rows, encoder, labels), spec, folder / "rows", hashlib.sha256())
        booster = xgboost.train(params, matrix, num_boost_round=model.best_iteration + 1, verbose_eval=False)
        matrix.__del__()
    return Model(booster, encoder, model.label, params, model.best_iteration, model.task, classes)


def fit_encoder(rows: ParquetRows, features: Mapping[str, FeatureType]) -> Encoder:
    """The encoder that `Encoder.fit` learns from all rows at once.

    Raises:
        MissingFeaturesError, FeatureTypeError: As `Encoder.fit`.
    """
    texts = {name: kind for name, kind in features.items() if kind == "string"}
    found: dict[str, set[str]] = {name: set() for name in texts}
    for frame in rows.batches(list(texts)) if texts else ():
        for name, categories in Encoder.fit(frame, texts).categories.items():
            found[name].update(categories)
    return Encoder(dict(features), {name: tuple(sorted(values)) for name, values in found.items()})


@contextmanager
def _folder(scratch: Path) -> Iterator[Path]:
    """A folder of our own for XGBoost's files; those that killed processes of this machine left are removed."""
    scratch.mkdir(parents=True, exist_ok=True)
    ours = f".bins-{socket.gethostname()}-"
    for left in scratch.glob(f"{ours}*"):
        if not psutil.pid_exists(int(left.name.removeprefix(ours).partition("-")[0])):
            shutil.rmtree(left, ignore_errors=True)
    with tempfile.TemporaryDirectory(dir=scratch, prefix=f"{ours}{os.getpid()}-") as folder:
        yield Path(folder)


@dataclass(frozen=True)
class _Part:
    """Rows and their labels; `usable` says which rows those labels are of (all, where None)."""

    rows: ParquetRows
    encoder: Encoder
    labels: Floats
    usable: NDArray[np.bool_] | None = None

    def batches(self) -> Iterator[tuple[NDArray[np.float32], Floats]]:
        """((n, k) encoded rows, (n,) labels)."""
        row = label = 0
        for frame in self.rows.batches(self.encoder.feature_names):
            usable = slice(None) if self.usable is None else self.usable[row : row + len(frame)]
            matrix = self.encoder.transform(frame)[usable]
            yield matrix, self.labels[label : label + len(matrix)]
            row, label = row + len(frame), label + len(matrix)


def _matrix(
    part: _Part, spec: Search, cache: Path, digest: Any, ref: "xgboost.DMatrix | None" = None
) -> "xgboost.ExtMemQuantileDMatrix":
    """XGBoost's bins of a part, in files that begin with `cache`; its values go into the digest."""
    import xgboost

    encoder = part.encoder

    class Batches(xgboost.DataIter):
        """What XGBoost asks for batches; it asks several times, and gets the same ones."""

        def __init__(self) -> None:
            self.left, self.hashed = part.batches(), False
            super().__init__(cache_prefix=str(cache))

        def next(self, input_data: Any) -> bool:
            matrix, labels = next(self.left, (None, None))
            if matrix is None:
                self.hashed = True
                return False
            if not self.hashed:
                digest.update(matrix.tobytes())
            input_data(
                data=matrix, label=labels, feature_names=encoder.feature_names, feature_types=encoder.feature_types
            )
            return True

        def reset(self) -> None:
            self.left = part.batches()

    bins = int(spec.fixed.get("max_bin", DEFAULT_MAX_BIN))
    return xgboost.ExtMemQuantileDMatrix(Batches(), max_bin=bins, nthread=spec.threads, ref=ref)
