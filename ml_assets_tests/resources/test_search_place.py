"""A search is the same wherever its declaration puts it. On Spark: `ml_assets_tests/spark`."""

from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from ml_assets.errors import GpuRequiredError
from ml_assets.ml.training.device import why_no_gpu
from ml_assets.ml.training.refit import refit
from ml_assets.ml.training.row_batches import ParquetRows
from ml_assets.resources.search_place import SearchTask, search_where_declared
from ml_assets.spec import Compute, Search
from ml_assets_tests.ml.small_search import FEATURES, SPEC, TRAIN, TRIALS, VALIDATION, assert_same, run
from ml_assets_tests.ml.training.test_external_memory import parquet

REFITTED = SPEC.model_copy(update={"refit": True})
PLACES = {"here": {}, "from-disk": {"training": "external_memory", "batch_rows": 1_000}}


def task(folder: Path, compute: Compute, spec: Search = SPEC) -> SearchTask:
    rows = ParquetRows(parquet(folder / "rows"), batch_rows=compute.batch_rows)
    return SearchTask(rows, FEATURES, "y", "regression", spec, compute, folder / "scratch", "test")


@pytest.mark.parametrize("place", PLACES.values(), ids=PLACES)
def test_a_search_is_the_same_here_and_from_disk(tmp_path: Path, place: dict[str, Any]) -> None:
    given = task(tmp_path, Compute(**place))
    found = search_where_declared(given, trials=TRIALS, log=tmp_path / "log")
    assert_same(found, run(tmp_path / "expected"))


@pytest.mark.parametrize("place", PLACES.values(), ids=PLACES)
def test_the_winner_is_refitted_where_the_search_was(tmp_path: Path, place: dict[str, Any]) -> None:
    given = task(tmp_path, Compute(**place), REFITTED)
    found = search_where_declared(given, trials=2, log=tmp_path / "log")
    winner = run(tmp_path / "expected", REFITTED, 2).model
    assert found.model.to_files() == refit(winner, pd.concat([TRAIN, VALIDATION]), REFITTED).to_files()


@pytest.mark.skipif(not why_no_gpu(), reason="there is a GPU here")
def test_a_missing_gpu_is_warned_of_or_refused(tmp_path: Path) -> None:
    said: list[str] = []
    search_where_declared(task(tmp_path, Compute(device="cuda")), trials=1, log=tmp_path / "log", warn=said.append)
    assert len(said) == 1
    assert "trained on the CPU instead" in said[0]
    required = task(tmp_path, Compute(device="cuda", gpu_required=True))
    with pytest.raises(GpuRequiredError):
        search_where_declared(required, trials=1, log=tmp_path / "log")
