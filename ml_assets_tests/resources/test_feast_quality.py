"""Feast's data-quality hook: saved training sets as references, on Great Expectations 1.x and without pickle."""

import json
import os
import pickle
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from ml_assets.errors import NoReferenceError
from ml_assets.resources.feast_quality.references import against_reference, reference_name, save_reference
from ml_assets.resources.feature_store import FeatureStore
from ml_assets_tests.resources.feature_lake import START, FeatureLake

CUTOFF = "2013-03-04"
"""Its saved file is named after a day that all its rows precede."""
ROWS = 2400


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> FeatureLake:
    lake = FeatureLake(tmp_path_factory.mktemp("quality"))
    lake.apply()
    save_reference(lake.store, lake.problem, CUTOFF, joined(lake, seed=1), lake.root / f"{CUTOFF}.parquet")
    return lake


def joined(lake: FeatureLake, seed: int) -> pd.DataFrame:
    """Four weeks of rows with their feature values, as a point-in-time join returns them."""
    rng = np.random.default_rng(seed)
    hours = np.sort(rng.uniform(0, 28 * 24, ROWS))
    times = pd.to_datetime(START) + pd.to_timedelta(hours, unit="h").round("us")
    return pd.DataFrame(
        {
            "origin": rng.choice(["EWR", "JFK"], ROWS),
            "line": pd.array(rng.integers(1, 9, ROWS), dtype="Int64"),
            "event_timestamp": times,
            "wind": rng.normal(10, 3, ROWS),
            "gusts": pd.array(rng.integers(0, 40, ROWS), dtype="Int64"),
            "sky": rng.choice(["clear", "cloudy", "rain"], ROWS, p=[0.5, 0.3, 0.2]),
            "delay": rng.gamma(2, 10, ROWS),
        }
    )


def broken(lake: FeatureLake, rows: pd.DataFrame) -> set[str | None]:
    results = against_reference(FeatureStore(root=lake.store.root), lake.problem, CUTOFF, rows)
    assert results
    return {result.column for result in results if result.status != "passed"}


def test_a_week_like_the_reference_keeps_its_rules_in_another_process_too(lake: FeatureLake) -> None:
    week = joined(lake, seed=2).iloc[: ROWS // 4]
    assert broken(lake, week) == set()


@pytest.mark.parametrize(
    ("column", "change"),
    [
        pytest.param("wind", lambda wind: wind * 100, id="another unit"),
        pytest.param("delay", lambda delay: delay.where(delay.index % 2 == 0), id="half of the values missing"),
        pytest.param("sky", lambda sky: sky.where(sky != "clear", "fog"), id="a new category"),
    ],
)
def test_a_changed_feature_breaks_the_rules_of_its_column(lake: FeatureLake, column: str, change) -> None:
    week = joined(lake, seed=2).iloc[: ROWS // 4]
    assert broken(lake, week.assign(**{column: change(week[column])})) == {column}


@pytest.mark.filterwarnings("ignore:.*experimental feature:RuntimeWarning")
def test_feasts_own_call_raises_for_a_changed_feature(lake: FeatureLake) -> None:
    from feast.dqm.errors import ValidationFailed

    feast = FeatureStore(root=lake.store.root).feast(lake.problem)
    reference = feast.get_validation_reference(reference_name(lake.problem, CUTOFF))
    saved = feast.get_saved_dataset(reference.dataset_name)
    assert len(saved.to_df()) == ROWS
    again = feast.get_saved_dataset(reference.dataset_name)._retrieval_job
    assert len(again.to_df(validation_reference=reference)) == ROWS
    other = joined(lake, seed=3).assign(wind=1000.0)
    save_reference(lake.store, lake.problem, "2013-04-01", other, lake.root / "other.parquet")
    changed = feast.get_saved_dataset(reference_name(lake.problem, "2013-04-01"))._retrieval_job
    with pytest.raises(ValidationFailed) as failed:
        changed.to_df(validation_reference=reference)
    assert {error.column_name for error in failed.value.report.errors} == {"wind"}


def test_what_feast_keeps_is_json_and_saving_again_replaces_it(lake: FeatureLake) -> None:
    feast = lake.store.feast(lake.problem)
    name = reference_name(lake.problem, CUTOFF)
    before = feast.registry.get_validation_reference(name, feast.project).to_proto()
    assert set(json.loads(before.ge_profiler.profiler.body)) == {"columns", "hours"}
    kinds = {rule["kind"] for rule in json.loads(before.ge_profile.expectation_suite)}
    assert {"of_type", "between", "in_set"} <= kinds
    path = lake.root / f"{CUTOFF}.parquet"
    bytes_before = path.read_bytes()
    save_reference(lake.store, lake.problem, CUTOFF, joined(lake, seed=1), path)
    assert path.read_bytes() == bytes_before
    assert feast.registry.get_validation_reference(name, feast.project).to_proto() == before
    names = [reference.name for reference in feast.list_validation_references()]
    assert names.count(name) == 1


def test_code_in_a_registry_is_refused_and_never_run(tmp_path: Path) -> None:
    from feast.protos.feast.core.ValidationProfile_pb2 import GEValidationProfiler

    from ml_assets.resources.feast_quality.profile import GEProfiler

    class Planted:
        def __reduce__(self) -> tuple:
            return os.mkdir, (str(tmp_path / "ran"),)

    body = pickle.dumps(Planted())
    planted = GEValidationProfiler(profiler=GEValidationProfiler.UserDefinedProfiler(body=body))
    with pytest.raises(ValueError, match=r"decode|JSON|Expecting"):
        GEProfiler.from_proto(planted)
    assert not (tmp_path / "ran").exists()
    pickle.loads(body)  # noqa: S301  # the plant would have worked
    assert (tmp_path / "ran").exists()


def test_rows_without_a_saved_training_set_are_refused_by_name(lake: FeatureLake) -> None:
    with pytest.raises(NoReferenceError, match="no training set of 2013-09-02 saved in Feast"):
        against_reference(lake.store, lake.problem, "2013-09-02", joined(lake, seed=2))
