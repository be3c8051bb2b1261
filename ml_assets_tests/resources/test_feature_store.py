"""The feature store: what apply changes, what the online store holds, and what is refused."""

import sqlite3
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from ml_assets.errors import FeatureColumnCollisionError, JoinKeyTypeError, NotAppliedError, RowsChangedError
from ml_assets.resources import feature_store
from ml_assets.resources.duckdb_offline_store import (
    LakeOfflineStore,
    LakeOfflineStoreConfig,
    LakeRetrievalJob,
)
from ml_assets.resources.feature_store import FeatureStore
from ml_assets_tests.resources.feature_lake import (
    ROUTE,
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


def test_what_is_no_longer_declared_is_removed_with_its_online_values(lake: FeatureLake) -> None:
    lake.land("route", [("EWR", 1, after(1), after(1), 5.0)])
    lake.apply()
    lake.store.materialize(lake.problem, START, after(2))
    without = FeatureLake(lake.root, problem([STATION]))
    assert without.apply() == ("changed service trips", "removed entity line", "removed view route")
    with sqlite3.connect(lake.root / "feast" / "online.db") as db:
        tables = {name for (name,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    assert tables == {"trips_station"}
    assert lake.apply() == ("added entity line", "added view route", "changed service trips")
    got = lake.store.online_rows(lake.problem, asking(("EWR", 1, after(2))), now=after(1.5))
    assert got["delay"].isna().all()


def test_a_changed_ttl_is_applied_and_keeps_the_online_values(lake: FeatureLake) -> None:
    lake.land("station", [("EWR", after(1), after(1), 10.0, 1, "clear")])
    lake.apply()
    lake.store.materialize(lake.problem, START, after(2))
    longer = FeatureLake(lake.root, problem([STATION.model_copy(update={"ttl_hours": 240.0}), ROUTE]))
    with pytest.raises(NotAppliedError, match="another view 'station'"):
        longer.store.training_rows(longer.problem, asking(("EWR", 1, after(2))))
    assert longer.apply() == ("changed view station",)
    longer.land("station", [("EWR", after(0.5), after(0.5), 9.0, 1, "older")])
    longer.store.materialize(longer.problem, START, after(0.7))
    assert wind(longer, after(9)) == 10.0


def test_a_view_of_another_shape_loses_its_online_values(lake: FeatureLake) -> None:
    lake.land("station", [("EWR", after(1), after(1), 10.0, 1, "clear")])
    lake.apply()
    lake.store.materialize(lake.problem, START, after(2))
    features = {**STATION.features, "gusts": "float"}
    other = FeatureLake(lake.root, problem([STATION.model_copy(update={"features": features}), ROUTE]))
    assert other.apply() == ("changed view station", "changed service trips")
    assert pd.isna(wind(other, after(1.5)))
    other.store.materialize(other.problem, START, after(2))
    got = other.store.online_rows(other.problem, asking(("EWR", 1, after(1.5))), now=after(1.5))
    assert got["gusts"].dtype == "float64"
    assert got["gusts"].tolist() == [1.0]


def test_two_problems_in_one_registry_leave_each_other_alone(lake: FeatureLake) -> None:
    other = FeatureLake(lake.root, problem([STATION], "cabs"))
    lake.apply()
    other.apply()
    assert lake.apply() == ()
    lake.land("station", [("EWR", after(1), after(1), 10.0, 1, "clear")])
    lake.store.materialize(lake.problem, START, after(2))
    assert wind(lake, after(1.5)) == 10.0
    assert pd.isna(wind(other, after(1.5)))


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


def test_an_old_window_materialised_late_keeps_newer_values(lake: FeatureLake) -> None:
    lake.land(
        "station",
        [
            ("EWR", after(6), after(6), 1.0, 1, "old"),
            ("JFK", after(6), after(6), 3.0, 1, "only"),
            ("EWR", after(8), after(8), 2.0, 1, "new"),
        ],
    )
    lake.apply()
    assert lake.store.materialize(lake.problem, START + WEEK, START + 2 * WEEK) == {"station": 1, "route": 0}
    assert lake.store.materialize(lake.problem, START, START + WEEK) == {"station": 1, "route": 0}
    assert (wind(lake, after(8.5)), wind(lake, after(8.5), "JFK")) == (2.0, 3.0)


def test_materialising_again_writes_the_same_and_takes_late_corrections(lake: FeatureLake) -> None:
    first = ("EWR", after(1), after(1), 1.0, 1, "first")
    lake.land("station", [first])
    lake.apply()
    for _ in range(2):
        assert lake.store.materialize(lake.problem, START, START + WEEK)["station"] == 1
        assert wind(lake, after(3)) == 1.0
    lake.land("station", [first, ("EWR", after(1), after(2), 2.0, 1, "corrected")])
    lake.store.materialize(lake.problem, START, START + WEEK)
    assert wind(lake, after(3)) == 2.0


def test_a_window_ends_before_the_next_one_begins(lake: FeatureLake) -> None:
    lake.land("station", [("EWR", START + WEEK, START + WEEK, 1.0, 1, "next")])
    lake.apply()
    assert lake.store.materialize(lake.problem, START, START + WEEK)["station"] == 0
    assert lake.store.materialize(lake.problem, START + WEEK, START + 2 * WEEK)["station"] == 1


def test_materialising_more_keys_than_fit_one_batch_writes_them_all(
    lake: FeatureLake, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feature_store, "_BATCH", 100)
    many = 250
    lake.land("station", [(f"S{i}", after(1), after(1), float(i), i, "x") for i in range(many)])
    lake.apply()
    for _ in range(2):
        assert lake.store.materialize(lake.problem, START, START + WEEK)["station"] == many
    rows = asking(*((f"S{i}", 1, after(2)) for i in range(many)))
    got = lake.store.online_rows(lake.problem, rows, now=after(2))
    assert got["gusts"].tolist() == list(range(many))


@pytest.mark.parametrize(
    ("now", "found"),
    [
        pytest.param(after(1) + timedelta(hours=72), True, id="exactly as old as its TTL"),
        pytest.param(after(1) + timedelta(hours=72, microseconds=1), False, id="one microsecond older"),
        pytest.param(after(1.5), True, id="just known"),
        pytest.param(after(1.5) - timedelta(microseconds=1), False, id="not yet known"),
    ],
)
def test_online_values_expire_and_are_hidden_until_known(lake: FeatureLake, now: datetime, found: bool) -> None:
    lake.land("station", [("EWR", after(1), after(1.5), 10.0, 1, "clear")])
    lake.apply()
    lake.store.materialize(lake.problem, START, START + WEEK)
    assert pd.notna(wind(lake, now)) == found
    assert pd.notna(wind(lake, now.replace(tzinfo=None))) == found


def test_online_rows_equal_training_rows_at_that_moment(lake: FeatureLake) -> None:
    rng = np.random.default_rng(2)
    origins, now = [f"O{i}" for i in range(40)], after(20)
    stations: list[tuple[Any, ...]] = []
    routes: list[tuple[Any, ...]] = []
    for origin in origins:
        for minutes in rng.integers(0, 20 * 24 * 60, 12):
            event = START + timedelta(minutes=int(minutes), microseconds=int(rng.integers(1_000_000)))
            known = min(event + timedelta(hours=float(rng.integers(0, 30))), now)
            gusts = None if rng.random() < 0.3 else int(rng.integers(2**60))
            reading = None if rng.random() < 0.3 else float(rng.normal())
            stations.append((origin, event, known, reading, gusts, None if rng.random() < 0.3 else "sky ü"))
            routes.append((origin, int(rng.integers(1, 3)), event, known, reading))
    lake.land("station", stations)
    lake.land("route", routes)
    lake.apply()
    for week in (2, 0, 1):
        lake.store.materialize(lake.problem, START + week * WEEK, START + (week + 1) * WEEK)
    rows = asking(
        *((str(o), int(n), now) for o, n in zip(rng.choice(origins, 200), rng.integers(1, 4, 200), strict=True))
    )
    rows = pd.concat([rows, asking((None, 1, now), ("EWR", None, now), ("O1", 1, now))])

    online = lake.store.online_rows(lake.problem, rows, now=now)

    pd.testing.assert_frame_equal(online, lake.store.training_rows(lake.problem, rows), check_exact=True)
    assert online["wind"].notna().sum() > 20
    assert online["delay"].notna().sum() > 5


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
    assert sorted(path.name for path in elsewhere.iterdir()) == ["o.db", "r.db"]
    assert not list((tmp_path / "unused").iterdir())


def test_feast_reads_all_rows_of_a_time_range(lake: FeatureLake) -> None:
    values = [("EWR", after(day), after(day), float(day), day, "x") for day in (1, 2, 9)]
    lake.land("station", values)
    lake.apply()
    feast = lake.store._open(lake.problem)
    source = feast.get_feature_view("station").batch_source
    read = feast.provider.offline_store.pull_all_from_table_or_query
    columns = (source, ["origin"], ["wind", "station__known_at"], "event_timestamp")
    assert read(feast.config, *columns).to_df()["wind"].tolist() == [1.0, 2.0, 9.0]
    some = read(feast.config, *columns, "known_at", after(2), after(9)).to_arrow()
    assert some["wind"].to_pylist() == [2.0, 9.0]
    assert some["station__known_at"].to_pylist() == [int(after(day).timestamp() * 1e6) for day in (2, 9)]
    assert read(feast.config, *columns, None, after(30)).to_df().empty


def test_without_the_knowledge_filter_feast_joins_on_event_time_alone(lake: FeatureLake) -> None:
    lake.land("station", [("EWR", after(1), after(5), 1.0, 1, "x"), ("EWR", after(1), after(6), 2.0, 1, "x")])
    lake.apply()
    feast = lake.store._open(lake.problem)
    asked = pd.DataFrame({"origin": ["EWR"], "event_timestamp": [after(2).astimezone(UTC)], "ticket": [7]})
    job = feast.get_historical_features(asked, ["station:wind"], full_feature_names=True)
    assert job.to_df().drop(columns="event_timestamp").to_dict("records") == [
        {"origin": "EWR", "ticket": 7, "station__wind": 2.0}
    ]
    assert job.metadata.features == ["station:wind"]
    assert job.metadata.keys == ["origin", "ticket"]
    assert job.metadata.max_event_timestamp == after(2)
