"""Training from batches on disk: the same data, bins, trials and models as in memory."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from ml_assets.errors import (
    ConstantLabelError,
    FeatureTypeError,
    InfiniteFeatureError,
    MissingFeaturesError,
    NoRowsFileError,
    UnusableLabelError,
)
from ml_assets.ml.search.tuning import SearchResult, search_prepared
from ml_assets.ml.training.external_memory import external_training_data, fit_encoder, hash_in_batches, refit_external
from ml_assets.ml.training.fitting import prepare, train_trial
from ml_assets.ml.training.model import Model
from ml_assets.ml.training.refit import refit
from ml_assets.ml.training.row_batches import ParquetRows
from ml_assets.spec import FeatureType, Search, Task
from ml_assets_tests.ml.small_search import FEATURES, SPEC, TRAIN, TRIALS, VALIDATION, assert_same, rows, run

POINT = {"max_depth": 4, "eta": 0.2, "subsample": 0.8, "grow_policy": "depthwise"}


def parquet(folder: Path, train: pd.DataFrame = TRAIN, validation: pd.DataFrame = VALIDATION) -> Path:
    """Both parts, mixed among row groups, in two files."""
    frame = pd.concat([train.assign(split="train"), validation.assign(split="validation")], ignore_index=True)
    folder.mkdir(parents=True, exist_ok=True)
    half = len(frame) // 2
    for name, part in (("a", frame[:half]), ("b", frame[half:])):
        table = pa.Table.from_pandas(part, preserve_index=False)
        pq.write_table(table, folder / f"{name}.parquet", row_group_size=300)
    return folder


def searched(folder: Path, batch_rows: int, log: Path, spec: Search = SPEC, trials: int = TRIALS) -> SearchResult:
    given = ParquetRows(folder, batch_rows=batch_rows)
    parts = given.part("train"), given.part("validation")
    with external_training_data(*parts, FEATURES, "y", spec, "regression", folder / "scratch") as data:
        return search_prepared(data, label="y", spec=spec, trials=trials, log=log)


@pytest.mark.parametrize("batch_rows", [100, 450, 1500, 10_000])
def test_batches_are_the_rows_of_the_part_in_their_order(tmp_path: Path, batch_rows: int) -> None:
    batches = list(ParquetRows(parquet(tmp_path), batch_rows=batch_rows).part("train").batches(["x", "kind"]))
    assert all(len(batch) == batch_rows for batch in batches[:-1])
    assert 0 < len(batches[-1]) <= batch_rows
    pd.testing.assert_frame_equal(pd.concat(batches, ignore_index=True), TRAIN[["x", "kind"]])


@pytest.mark.parametrize("batch_rows", [400, 10_000], ids=["several-batches", "one-batch"])
def test_a_search_from_disk_is_the_search_in_memory(tmp_path: Path, batch_rows: int) -> None:
    """Bit by bit here; the module says where bins may differ."""
    assert_same(searched(parquet(tmp_path), batch_rows, tmp_path / "log"), run(tmp_path / "memory"))


def test_continuous_features_in_many_batches_predict_within_a_hundredth_of_the_spread(tmp_path: Path) -> None:
    train, validation = rows(60_000, 5), rows(10_000, 6)
    spec = SPEC.model_copy(update={"fixed": {**SPEC.fixed, "max_bin": 256}})
    given = ParquetRows(parquet(tmp_path, train, validation), batch_rows=4_000)
    memory = prepare(train, validation, FEATURES, "y", spec, "regression")
    _, expected = train_trial(memory, spec, dict(POINT), 0)
    parts = given.part("train"), given.part("validation")
    with external_training_data(*parts, FEATURES, "y", spec, "regression", tmp_path / "scratch") as data:
        assert data.sha256 == hash_in_batches(memory.sha256, 4_000)
        trial, booster = train_trial(data, spec, dict(POINT), 0)
        again = train_trial(data, spec, dict(POINT), 0)
        assert booster is not None
        assert expected is not None
        assert again[0] == trial
        difference = booster.predict(data.validation) - expected.predict(memory.validation)
    assert np.abs(difference).mean() < 0.01 * validation["y"].std()


@pytest.mark.parametrize("task", ["binary", "multiclass"])
def test_labels_that_are_classes_are_the_same_from_disk(tmp_path: Path, task: Task) -> None:
    def labelled(frame: pd.DataFrame) -> pd.DataFrame:
        codes = np.digitize(frame["y"], [0.5, 2.5])
        return frame.assign(y=(codes > 0).astype(int) if task == "binary" else np.array(["lo", "mid", "hi"])[codes])

    train, validation = labelled(TRAIN), labelled(VALIDATION)
    if task == "multiclass":
        validation.loc[::50, "y"] = "unseen"
    spec = SPEC.model_copy(update={"fixed": {"max_bin": 64}, "loss": "logloss"})
    memory = prepare(train, validation, FEATURES, "y", spec, task)
    given = ParquetRows(parquet(tmp_path, train, validation), batch_rows=200)
    parts = given.part("train"), given.part("validation")
    with external_training_data(*parts, FEATURES, "y", spec, task, tmp_path / "scratch") as data:
        assert (data.classes, data.left_out) == (memory.classes, memory.left_out)
        assert data.sha256 == hash_in_batches(memory.sha256, 200)
        assert train_trial(data, spec, dict(POINT), 0)[0] == train_trial(memory, spec, dict(POINT), 0)[0]


def test_a_refit_from_disk_has_the_bytes_of_a_refit_in_memory(tmp_path: Path) -> None:
    found = run(tmp_path / "log", trials=1).model
    both = pd.concat([TRAIN, VALIDATION], ignore_index=True)
    given = ParquetRows(parquet(tmp_path), batch_rows=300).part("train", "validation")
    again: Model = refit_external(found, given, SPEC, tmp_path / "scratch")
    assert again.to_files() == refit(found, both, SPEC).to_files()


def test_xgboosts_files_are_gone_afterwards_and_so_are_those_of_a_killed_run(tmp_path: Path) -> None:
    scratch = parquet(tmp_path) / "scratch"
    script = f"""
import os, signal
from pathlib import Path
from ml_assets_tests.ml.training.test_external_memory import *
given = ParquetRows(Path({str(tmp_path)!r}), batch_rows=400)
with external_training_data(given.part("train"), given.part("validation"), FEATURES, "y", SPEC, "regression",
                            Path({str(scratch)!r})) as data:
    os.kill(os.getpid(), signal.SIGKILL)
"""
    killed = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert killed.returncode == -9, killed.stderr
    assert list(scratch.rglob("*.page"))
    searched(tmp_path, 400, tmp_path / "log", trials=1)
    assert list(scratch.iterdir()) == []


@pytest.mark.parametrize(
    ("change", "error"),
    [
        pytest.param(lambda frame: frame.drop(columns="noise"), MissingFeaturesError, id="missing-feature"),
        pytest.param(lambda frame: frame.assign(x=np.inf), InfiniteFeatureError, id="infinite-feature"),
        pytest.param(lambda frame: frame.assign(kind=1.5), FeatureTypeError, id="number-for-text"),
        pytest.param(lambda frame: frame.assign(y=1.0), ConstantLabelError, id="constant-label"),
        pytest.param(lambda frame: frame.assign(y=np.nan), UnusableLabelError, id="missing-label"),
    ],
)
def test_planted_defects_raise_the_errors_of_a_training_in_memory(
    tmp_path: Path, change: object, error: type[Exception]
) -> None:
    folder = parquet(tmp_path, change(TRAIN), change(VALIDATION))  # type: ignore[operator]
    with pytest.raises(error):
        searched(folder, 400, tmp_path / "log")


def test_no_file_is_told_by_name(tmp_path: Path) -> None:
    with pytest.raises(NoRowsFileError, match="nowhere"):
        searched(tmp_path / "nowhere", 400, tmp_path / "log")


def test_categories_are_those_of_all_batches(tmp_path: Path) -> None:
    late = TRAIN.copy()
    late.loc[late.index[-1], "kind"] = "zulu"
    texts: dict[str, FeatureType] = {"kind": "string"}
    given = ParquetRows(parquet(tmp_path, late), batch_rows=100).part("train")
    assert fit_encoder(given, texts).categories == {"kind": ("a", "b", "c", "zulu")}
