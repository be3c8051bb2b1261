"""Our offline store against those that Feast ships, over the same parquet files and the same rows.

Feast's `dask` store drops rows without a value and rows that stand twice, and takes either of a value and its
correction: of its answer, the rows that it keeps are compared. Both of Feast's stores are asked to hide what was not yet known; ours needs not be asked.
"""

from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from ml_assets_tests.resources.feature_lake import ROUTE, STATION, FeatureLake, after, asking

OURS = "ml_assets.resources.duckdb_offline_store.LakeOfflineStore"
FEATURES = [f"{view.name}:{feature}" for view in (STATION, ROUTE) for feature in view.features]
NAMES = [reference.split(":")[1] for reference in FEATURES]


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> FeatureLake:
    """Three weeks: values that become known late, corrections, gaps longer than the TTL; no two alike in time."""
    lake = FeatureLake(tmp_path_factory.mktemp("lake"))
    rng = np.random.default_rng(1)
    stations: list[Any] = []
    for i, (event, delay) in enumerate(zip(rng.uniform(0, 20, 60), rng.exponential(1, 60), strict=True)):
        origin = ["EWR", "JFK", "LGA"][i % 3]
        stations.append((origin, after(event), after(event + delay), float(i), i, f"sky {i}"))
        if i % 4 == 0:
            stations.append((origin, after(event), after(event + delay + 1), i + 0.5, i, f"corrected {i}"))
    lake.land("station", stations)
    routes = [
        ("EWR", 1 + i % 2, after(day), after(day + 0.3), float(i)) for i, day in enumerate(rng.uniform(0, 20, 60))
    ]
    lake.land("route", routes)
    for name, folder in lake.folders.items():
        whole = pd.concat(map(pd.read_parquet, sorted(folder.glob("*.parquet"))))
        whole.to_parquet(lake.root / f"{name}.parquet", coerce_timestamps="us")
    return lake


@pytest.fixture(scope="module")
def rows() -> pd.DataFrame:
    rng = np.random.default_rng(2)
    moments = [after(day) for day in rng.uniform(-1, 24, 300)]
    asked = asking(*((["EWR", "JFK", "LGA"][i % 3], 1 + i % 4, moment) for i, moment in enumerate(moments)))
    return asked.astype({"line": "int64"})


def joined(lake: FeatureLake, kind: str, rows: pd.DataFrame, root: Path, **options: Any) -> pd.DataFrame:
    """The rows from a store of Feast's over one file per view, by ticket, missing values as None."""
    feast = pytest.importorskip("feast")
    store = feast.FeatureStore(
        config=feast.RepoConfig(
            project="stores",
            provider="local",
            registry=str(root / "registry.pb"),
            offline_store={"type": kind},
            online_store={"type": "sqlite", "path": str(root / "online.db")},
            entity_key_serialization_version=3,
        )
    )
    types = {"float": feast.types.Float64, "int": feast.types.Int64, "string": feast.types.String}
    keys = {"origin": feast.ValueType.STRING, "line": feast.ValueType.INT64}
    entities = {key: feast.Entity(name=key, join_keys=[key], value_type=kind) for key, kind in keys.items()}
    views = [
        feast.FeatureView(
            name=declared.name,
            entities=[entities[key] for key in declared.entities],
            ttl=timedelta(hours=declared.ttl_hours),
            schema=[feast.Field(name=name, dtype=types[kind]) for name, kind in declared.features.items()],
            source=feast.FileSource(
                path=str(lake.root / f"{declared.name}.parquet"),
                timestamp_field="event_timestamp",
                created_timestamp_column="known_at",
            ),
        )
        for declared in (STATION, ROUTE)
    ]
    store.apply([*entities.values(), *views])
    found = store.get_historical_features(rows, FEATURES, **options).to_df()
    found = found.sort_values("ticket").set_index("ticket")[NAMES].astype(object)
    return found.where(found.notna(), None)


def both(lake: FeatureLake, kind: str, rows: pd.DataFrame, root: Path) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Ours, and theirs with what was not yet known hidden."""
    pytest.importorskip("ibis")
    (root / "ours").mkdir()
    (root / "theirs").mkdir()
    ours = joined(lake, OURS, rows, root / "ours")
    return ours, joined(lake, kind, rows, root / "theirs", filter_by_created_timestamp=True)


def test_it_answers_what_feasts_duckdb_store_answers(lake: FeatureLake, rows: pd.DataFrame, tmp_path: Path) -> None:
    ours, theirs = both(lake, "duckdb", rows, tmp_path)
    assert ours.index.tolist() == rows["ticket"].tolist()
    pd.testing.assert_frame_equal(ours, theirs, check_dtype=False)
    assert 0.3 < ours["wind"].notna().mean() < 0.95
    assert ours["sky"].str.startswith("corrected").sum() > 10


def test_it_answers_what_feasts_dask_store_answers_where_that_is_right(
    lake: FeatureLake, rows: pd.DataFrame, tmp_path: Path
) -> None:
    ours, theirs = both(lake, "dask", rows, tmp_path)
    assert 100 < len(theirs) < len(ours)
    kept = ours.loc[theirs.index]
    pd.testing.assert_frame_equal(kept[["gusts", "delay"]], theirs[["gusts", "delay"]], check_dtype=False)
    # It sorts by created time and then, not stably, by event time: of a value and its correction either may win.
    other = kept["sky"] != theirs["sky"]
    assert kept.loc[other & kept["sky"].notna(), "sky"].str.startswith("corrected").all()
    assert (other & kept["sky"].notna()).mean() < 0.3
    # Rows that it drops are rows for which some view has no value.
    dropped = ours.drop(theirs.index)
    assert dropped[["wind", "delay"]].isna().any(axis=1).all()


def test_without_the_filter_feasts_stores_join_what_was_not_yet_known(
    lake: FeatureLake, rows: pd.DataFrame, tmp_path: Path
) -> None:
    ours, _ = both(lake, "duckdb", rows, tmp_path)
    (tmp_path / "open").mkdir()
    theirs = joined(lake, "duckdb", rows, tmp_path / "open")
    assert (ours["sky"] != theirs["sky"]).mean() > 0.2


def test_our_store_keeps_order_and_rows_that_stand_twice(lake: FeatureLake, rows: pd.DataFrame) -> None:
    twice = pd.concat([rows, rows]).sample(frac=1, random_state=0)
    lake.apply()
    got = lake.store.training_rows(lake.problem, twice)
    pd.testing.assert_frame_equal(got[twice.columns], twice)
    once = lake.store.training_rows(lake.problem, rows).set_index("ticket")
    pd.testing.assert_frame_equal(got.set_index("ticket")[NAMES], once.loc[got["ticket"], NAMES])
