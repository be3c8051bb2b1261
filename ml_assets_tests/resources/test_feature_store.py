"""The feature store: what apply changes, what the online store holds, and what is refused."""

from datetime import datetime
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from ml_assets.errors import FeatureColumnCollisionError, JoinKeyTypeError, NotAppliedError, RowsChangedError
from ml_assets.resources.duckdb_offline_store import (
    LakeOfflineStore,
    LakeOfflineStoreConfig,
    LakeRetrievalJob,
)
from ml_assets.resources.feature_store import FeatureStore
from ml_assets_tests.resources.feature_lake import (
    START,
    STATION,
    WEEK,
    FeatureLake,
    after,
    asking,
    problem,
    view,
)


@pytest.fixture
def lake(tmp_path: Path) -> FeatureLake:
    return FeatureLake(tmp_path)


def wind(lake: FeatureLake, now: datetime, origin: str = "EWR") -> Any:
    return lake.store.online_rows(lake.problem, asking((origin, 1, now)), now=now)["wind"].tolist()[0]


def test_apply_adds_once_and_then_changes_nothing(lake: FeatureLake) -> None:
    assert lake.apply() == (
        "added entity origin",
        "added entity line",
        "added view station",
        "added view route",
        "added service trips",
    )
    assert lake.apply() == ()
    assert FeatureStore(root=lake.store.root).apply(lake.problem, lake.folders) == ()


def test_a_problem_that_was_never_applied_is_refused_and_stays_unknown(lake: FeatureLake) -> None:
    rows = asking(("EWR", 1, after(1)))
    with pytest.raises(NotAppliedError, match="'trips' is unknown in the Feast registry: materialise"):
        lake.store.training_rows(lake.problem, rows)
    assert not (lake.root / "feast").exists()
    lake.apply()
    other = problem(name="cabs")
    for _ in range(2):
        fresh = FeatureStore(root=lake.store.root)
        with pytest.raises(NotAppliedError, match="'cabs' is unknown"):
            fresh.online_rows(other, rows, now=after(1))
        with pytest.raises(NotAppliedError, match="'cabs' is unknown"):
            fresh.materialize(other, START, after(1))


def test_another_process_sees_what_was_applied_meanwhile(lake: FeatureLake) -> None:
    lake.apply()
    reader = FeatureStore(root=lake.store.root)
    reader.training_rows(lake.problem, asking(("EWR", 1, after(1))))
    only = FeatureLake(lake.root, problem([STATION]))
    only.apply()
    with pytest.raises(NotAppliedError, match="another view 'route'"):
        reader.training_rows(lake.problem, asking(("EWR", 1, after(1))))


def test_a_refreshed_registry_is_never_taken_for_the_former_one(lake: FeatureLake) -> None:
    # Feast caches by the address of the registry's copy, and a new copy often gets the address of the old.
    for hours in range(1, 16):
        changed = problem([STATION.model_copy(update={"ttl_hours": float(hours)})])
        lake.store.apply(changed, lake.folders)
        for _ in range(3):
            assert len(lake.store.training_rows(changed, asking(("EWR", 1, after(1))))) == 1


def test_a_frame_that_already_has_a_feature_is_refused(lake: FeatureLake) -> None:
    lake.apply()
    for column in ("wind", "route__known_at"):
        with pytest.raises(FeatureColumnCollisionError, match=column):
            lake.store.training_rows(lake.problem, asking(("EWR", 1, after(1))).assign(**{column: 1.0}))


@pytest.mark.parametrize(
    "name", ["origin", "Origin", "event_timestamp", "known_at", "odd__known_at", "odd__event_time"]
)
def test_a_feature_called_like_a_key_or_a_time_is_refused(lake: FeatureLake, name: str) -> None:
    odd = FeatureLake(lake.root, problem([view("odd", ("origin",), {name: "float"})]))
    with pytest.raises(FeatureColumnCollisionError, match=f"'odd' already has the column.s. {name}"):
        odd.apply()


def test_join_keys_of_another_type_are_refused(lake: FeatureLake) -> None:
    lake.land("route", [("EWR", 1, after(1), after(1), 5.0)])
    lake.apply()
    rows = asking(("EWR", 1, after(1.5)))
    fits = {"text": "1", "category": pd.Categorical([1]), "float": 1.0}
    for line in fits.values():
        assert lake.store.training_rows(lake.problem, rows.assign(line=line))["delay"].tolist() == [5.0]
    for misfit in ({"line": 1.5}, {"line": "one"}, {"origin": 7}):
        with pytest.raises(JoinKeyTypeError, match=f"'{next(iter(misfit))}'"):
            lake.store.training_rows(lake.problem, rows.assign(**misfit))
    with pytest.raises(JoinKeyTypeError, match="'line' of view 'route' is no column"):
        lake.store.training_rows(lake.problem, rows.drop(columns="line"))
    categories = rows.assign(origin=pd.Categorical(["EWR"]))
    assert lake.store.training_rows(lake.problem, categories)["delay"].tolist() == [5.0]


def test_a_join_key_whose_type_nobody_knows_is_refused(lake: FeatureLake) -> None:
    odd = FeatureLake(lake.root, problem([view("odd", ("gate",), {"wind": "float"})]))
    with pytest.raises(JoinKeyTypeError, match="'gate' of view 'odd' is of type unknown"):
        odd.apply()


class LosingOfflineStoreConfig(LakeOfflineStoreConfig):
    type: str = f"{__name__}.LosingOfflineStore"


class LosingOfflineStore(LakeOfflineStore):
    """Loses the first row, as Feast's `dask` store loses rows without a value."""

    @staticmethod
    def get_historical_features(*args: Any, **options: Any) -> LakeRetrievalJob:
        job = LakeOfflineStore.get_historical_features(*args, **options)
        return LakeRetrievalJob(lambda: job.to_arrow().slice(1))


def test_a_store_that_loses_rows_is_noticed(lake: FeatureLake) -> None:
    lake.apply()
    losing = FeatureStore(root=lake.store.root, offline_store={"type": f"{__name__}.LosingOfflineStore"})
    with pytest.raises(RowsChangedError, match="asked for 2 rows and gave 1"):
        losing.training_rows(lake.problem, asking(("EWR", 1, after(1)), ("JFK", 1, after(1))))


def test_the_registry_and_the_online_store_are_where_configuration_says(lake: FeatureLake, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    store = FeatureStore(
        root=str(tmp_path / "unused"),
        registry={"path": f"sqlite:///{elsewhere / 'r.db'}"},
        online_store={"type": "sqlite", "path": str(elsewhere / "o.db")},
        offline_store={"threads": 1, "memory_limit": "1GB"},
    )
    lake.land("station", [("EWR", after(1), after(1), 10.0, 1, "clear")])
    store.apply(lake.problem, lake.folders)
    store.materialize(lake.problem, START, START + WEEK)
    rows = asking(("EWR", 1, after(2)))
    assert store.online_rows(lake.problem, rows, now=after(2))["wind"].tolist() == [10.0]
    assert store.training_rows(lake.problem, rows)["wind"].tolist() == [10.0]
    assert sorted(path.name for path in elsewhere.glob("*.db")) == ["o.db", "r.db"]
    assert not list((tmp_path / "unused").iterdir())


def test_feast_reads_all_rows_of_a_time_range(lake: FeatureLake) -> None:
    values = [("EWR", after(day), after(day), float(day), day, "x") for day in (1, 2, 9)]
    lake.land("station", values)
    lake.apply()
    feast = lake.store.feast(lake.problem)
    source = feast.get_feature_view("station").batch_source
    read = feast.provider.offline_store.pull_all_from_table_or_query
    columns = (source, ["origin"], ["wind", "station__known_at"], "event_timestamp")
    assert read(feast.config, *columns).to_df()["wind"].tolist() == [1.0, 2.0, 9.0]
    some = read(feast.config, *columns, "known_at", after(2), after(9)).to_arrow()
    assert some["wind"].to_pylist() == [2.0, 9.0]
    assert some["station__known_at"].to_pylist() == [int(after(day).timestamp() * 1e6) for day in (2, 9)]
    assert read(feast.config, *columns, None, after(30)).to_df().empty
