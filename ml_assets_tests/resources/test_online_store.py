"""The online store, on SQLite and on a real Redis: what is written, what is kept, and what a reader sees."""

import sqlite3
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import redis

from ml_assets.errors import NotAppliedError
from ml_assets.resources import online_store, sqlite_online_store
from ml_assets.resources.feature_store import FeatureStore
from ml_assets_tests.processes import at_once
from ml_assets_tests.resources.feature_lake import ROUTE, START, STATION, WEEK, after, asking, problem
from ml_assets_tests.resources.online_lake import OnlineLake


@pytest.fixture(params=["sqlite", "redis"])
def lake(request: pytest.FixtureRequest, tmp_path: Path) -> OnlineLake:
    address = request.getfixturevalue("empty_redis") if request.param == "redis" else None
    return OnlineLake(tmp_path, online_address=address)


def test_what_is_no_longer_declared_is_removed_with_its_online_values(lake: OnlineLake) -> None:
    lake.land("route", [("EWR", 1, after(1), after(1), 5.0)])
    lake.apply()
    lake.store.materialize(lake.problem, START, after(2))
    without = lake.declared_as(problem([STATION]))
    assert without.apply() == ("changed service trips", "removed entity line", "removed view route")
    assert lake.apply() == ("added entity line", "added view route", "changed service trips")
    got = lake.store.online_rows(lake.problem, asking(("EWR", 1, after(2))), now=after(1.5))
    assert got["delay"].isna().all()


def test_a_changed_ttl_is_applied_and_keeps_the_online_values(lake: OnlineLake) -> None:
    lake.land("station", [("EWR", after(1), after(1), 10.0, 1, "clear")])
    lake.apply()
    lake.store.materialize(lake.problem, START, after(2))
    longer = lake.declared_as(problem([STATION.model_copy(update={"ttl_hours": 240.0}), ROUTE]))
    with pytest.raises(NotAppliedError, match="another view 'station'"):
        longer.store.training_rows(longer.problem, asking(("EWR", 1, after(2))))
    assert longer.apply() == ("changed view station",)
    longer.land("station", [("EWR", after(0.5), after(0.5), 9.0, 1, "older")])
    longer.store.materialize(longer.problem, START, after(0.7))
    assert longer.wind(after(9)) == 10.0


def test_a_view_of_another_shape_loses_its_online_values(lake: OnlineLake) -> None:
    lake.land("station", [("EWR", after(1), after(1), 10.0, 1, "clear")])
    lake.apply()
    lake.store.materialize(lake.problem, START, after(2))
    features = {**STATION.features, "gusts": "float"}
    other = lake.declared_as(problem([STATION.model_copy(update={"features": features}), ROUTE]))
    assert other.apply() == ("changed view station", "changed service trips")
    assert pd.isna(other.wind(after(1.5)))
    other.store.materialize(other.problem, START, after(2))
    got = other.store.online_rows(other.problem, asking(("EWR", 1, after(1.5))), now=after(1.5))
    assert got["gusts"].dtype == "float64"
    assert got["gusts"].tolist() == [1.0]


def test_two_problems_in_one_registry_leave_each_other_alone(lake: OnlineLake) -> None:
    other = lake.declared_as(problem([STATION], "cabs"))
    lake.apply()
    other.apply()
    assert lake.apply() == ()
    lake.land("station", [("EWR", after(1), after(1), 10.0, 1, "clear")])
    lake.store.materialize(lake.problem, START, after(2))
    assert lake.wind(after(1.5)) == 10.0
    assert pd.isna(other.wind(after(1.5)))


def test_an_old_window_materialised_late_keeps_newer_values(lake: OnlineLake) -> None:
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
    assert (lake.wind(after(8.5)), lake.wind(after(8.5), "JFK")) == (2.0, 3.0)


def test_materialising_again_writes_the_same_and_takes_late_corrections(lake: OnlineLake) -> None:
    first = ("EWR", after(1), after(1), 1.0, 1, "first")
    lake.land("station", [first])
    lake.apply()
    for _ in range(2):
        assert lake.store.materialize(lake.problem, START, START + WEEK)["station"] == 1
        assert lake.wind(after(3)) == 1.0
    lake.land("station", [first, ("EWR", after(1), after(2), 2.0, 1, "corrected")])
    lake.store.materialize(lake.problem, START, START + WEEK)
    assert lake.wind(after(3)) == 2.0


def test_a_window_ends_before_the_next_one_begins(lake: OnlineLake) -> None:
    lake.land("station", [("EWR", START + WEEK, START + WEEK, 1.0, 1, "next")])
    lake.apply()
    assert lake.store.materialize(lake.problem, START, START + WEEK)["station"] == 0
    assert lake.store.materialize(lake.problem, START + WEEK, START + 2 * WEEK)["station"] == 1


def test_materialising_more_keys_than_fit_one_batch_writes_them_all(
    lake: OnlineLake, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(online_store, "BATCH", 100)
    many = 250
    lake.land("station", [(f"S{i}", after(1), after(1), float(i), i, "x") for i in range(many)])
    lake.apply()
    for _ in range(2):
        assert lake.store.materialize(lake.problem, START, START + WEEK)["station"] == many
    rows = asking(*((f"S{i}", 1, after(2)) for i in range(many)))
    got = lake.store.online_rows(lake.problem, rows, now=after(2))
    assert got["gusts"].tolist() == list(range(many))


def test_values_are_written_whole_whatever_is_sorted_at_once_and_sent_with_one_statement(
    lake: OnlineLake, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(online_store, "BATCH", 70)
    monkeypatch.setattr(online_store, "SORTED_BYTES", 25_000)
    monkeypatch.setattr(sqlite_online_store, "_FEATURES", 2)
    many = 500
    lake.land("station", [(f"S{i}", after(1), after(1), float(i), None, f"s{i}") for i in range(many)])
    lake.apply()
    assert lake.store.materialize(lake.problem, START, START + WEEK)["station"] == many
    rows = asking(*((f"S{i}", 1, after(2)) for i in range(many)))
    got = lake.store.online_rows(lake.problem, rows, now=after(2))
    assert got["wind"].tolist() == list(range(many))
    assert got["sky"].tolist() == [f"s{i}" for i in range(many)]
    assert got["gusts"].isna().all()


def test_a_store_of_feasts_own_is_written_too(tmp_path: Path) -> None:
    lake = OnlineLake(tmp_path)
    kind = "feast.infra.online_stores.sqlite.SqliteOnlineStore"
    block = {"type": kind, "path": str(tmp_path / "own.db")}
    own = FeatureStore(root=str(tmp_path / "feast"), online_store=block, offline_store={"threads": 1})
    values = [("EWR", after(8), after(8), 2.5, None, "new"), ("ü", after(8), after(8), None, 2**60, None)]
    lake.land("station", [*values, ("EWR", after(6), after(6), 1.0, 1, "old"), ("JFK", after(6), after(6), 1.0, 2, "")])
    own.apply(lake.problem, lake.folders)
    assert own.materialize(lake.problem, START + WEEK, START + 2 * WEEK)["station"] == 2
    assert own.materialize(lake.problem, START, START + WEEK)["station"] == 1
    rows = asking(("EWR", 1, after(9)), ("ü", 1, after(9)), ("JFK", 1, after(8)))
    got = own.online_rows(lake.problem, rows, now=after(8.5))
    pd.testing.assert_frame_equal(
        got,
        own.training_rows(lake.problem, rows.assign(event_timestamp=after(8.5)))[list(got)].assign(
            event_timestamp=rows["event_timestamp"]
        ),
    )
    assert got["wind"].tolist()[0] == 2.5
    assert got["gusts"].tolist()[1:] == [2**60, 2]


@pytest.mark.parametrize(
    ("now", "found"),
    [
        pytest.param(after(1) + timedelta(hours=72), True, id="exactly as old as its TTL"),
        pytest.param(after(1) + timedelta(hours=72, microseconds=1), False, id="one microsecond older"),
        pytest.param(after(1.5), True, id="just known"),
        pytest.param(after(1.5) - timedelta(microseconds=1), False, id="not yet known"),
    ],
)
def test_online_values_expire_and_are_hidden_until_known(lake: OnlineLake, now: datetime, found: bool) -> None:
    lake.land("station", [("EWR", after(1), after(1.5), 10.0, 1, "clear")])
    lake.apply()
    lake.store.materialize(lake.problem, START, START + WEEK)
    assert pd.notna(lake.wind(now)) == found
    assert pd.notna(lake.wind(now.replace(tzinfo=None))) == found


def test_online_rows_equal_training_rows_at_that_moment(lake: OnlineLake) -> None:
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


def test_a_window_materialised_again_is_written_as_the_lake_has_it_now(lake: OnlineLake) -> None:
    older, newer = ("EWR", after(1), after(1), 1.0, 1, "older"), ("EWR", after(2), after(2), 2.0, 1, "newer")
    lake.land("station", [older, newer])
    lake.apply()
    lake.store.materialize(lake.problem, START, START + WEEK)
    lake.land("station", [older])  # the newer one was a mistake of the source
    lake.store.materialize(lake.problem, START, START + WEEK)
    assert lake.wind(after(3)) == 1.0


def test_a_materialisation_that_was_killed_is_completed_by_the_next_one_and_guards_its_values_meanwhile(
    lake: OnlineLake, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = [f"S{i}" for i in range(30)]
    lake.land("station", [(name, after(day), after(day), day, 1, "x") for name in names for day in (6.0, 8.0)])
    lake.apply()
    store = lake.store.feast(lake.problem).provider.online_store
    write, batches = store.write_columns, iter(range(2))
    monkeypatch.setattr(online_store, "BATCH", 10)
    with monkeypatch.context() as dying:
        dying.setattr(store, "write_columns", lambda *given: (next(batches), write(*given)))
        with pytest.raises(StopIteration):
            lake.store.materialize(lake.problem, START + WEEK, START + 2 * WEEK)
    after_restart = lake.declared_as(lake.problem)
    after_restart.store.materialize(lake.problem, START, START + WEEK)
    assert sorted(after_restart.wind(after(8.5), name) for name in names) == [6.0] * 10 + [8.0] * 20
    after_restart.store.materialize(lake.problem, START + WEEK, START + 2 * WEEK)
    assert {after_restart.wind(after(8.5), name) for name in names} == {8.0}


def test_a_key_that_is_null_is_not_written(lake: OnlineLake) -> None:
    lake.land("route", [("EWR", 1, after(1), after(1), 5.0), ("EWR", None, after(1), after(1), 6.0)])
    lake.apply()
    assert lake.store.materialize(lake.problem, START, START + WEEK)["route"] == 1


def test_a_view_removed_from_one_project_stays_in_another_whose_name_ends_alike(lake: OnlineLake) -> None:
    other = lake.declared_as(problem(name="night_trips"))
    lake.land("station", [("EWR", after(1), after(1), 10.0, 1, "clear")])
    for each in (lake, other):
        each.apply()
        each.store.materialize(each.problem, START, START + WEEK)
    lake.declared_as(problem([ROUTE])).apply()
    assert other.wind(after(2)) == 10.0
    lake.apply()
    assert pd.isna(lake.wind(after(2)))


def test_values_are_those_that_feasts_own_stores_write(lake: OnlineLake) -> None:
    """Byte for byte, so that Feast's own servers read them."""
    from feast.infra.online_stores.redis import RedisOnlineStore
    from feast.infra.online_stores.sqlite import SqliteOnlineStore

    values = [("EWR", after(1), after(1.2), 1.5, None, "clear"), ("ü", after(2), after(2), None, 2**60, None)]
    lake.land("station", [*values, ("JFK", after(3), after(3), float("nan"), -1, "")])
    lake.apply()
    lake.store.materialize(lake.problem, START, START + WEEK)
    ours = _content(lake)
    feast = lake.store.feast(lake.problem)
    _forget(lake)
    own = (RedisOnlineStore if lake.online_address else SqliteOnlineStore)()
    frame = pd.concat(pd.read_parquet(path) for path in lake.folders["station"].glob("*.parquet"))
    times = {"known_at": "station__known_at", "event_timestamp": "station__event_time"}
    for column, name in times.items():
        frame[name] = frame[column].astype("datetime64[us, UTC]").astype("int64")
    frame["gusts"] = frame["gusts"].astype("Int64")
    view = feast.get_feature_view("station")
    for row in range(len(frame)):  # one by one: beside nulls Feast takes integers through floats
        rows = feast.provider._prep_rows_to_write_for_ingestion(view, frame.iloc[[row]])
        own.online_write_batch(feast.config, view, rows, None)
    assert ours == _content(lake)
    assert len(ours) >= 3


def _content(lake: OnlineLake) -> Any:
    if lake.online_address is None:
        with sqlite3.connect(lake.root / "feast" / "online.db") as db:
            return db.execute("SELECT * FROM trips_station ORDER BY entity_key, feature_name").fetchall()
    with redis.Redis.from_url(lake.online_address) as client:
        return {key: client.hgetall(key) for key in client.scan_iter()}


def _forget(lake: OnlineLake) -> None:
    if lake.online_address is None:
        with sqlite3.connect(lake.root / "feast" / "online.db") as db:
            db.execute("DELETE FROM trips_station")
    else:
        with redis.Redis.from_url(lake.online_address) as client:
            client.flushdb()


def _materialize(start: Callable[[], object], root: Path, address: str | None, weeks: Sequence[int]) -> None:
    lake = OnlineLake(root, online_address=address)
    lake.store.feast(lake.problem)
    start()
    for week in weeks:
        lake.store.materialize(lake.problem, START + week * WEEK, START + (week + 1) * WEEK)


@pytest.mark.slow
def test_windows_materialised_by_several_processes_at_once_end_with_the_newest_values(lake: OnlineLake) -> None:
    names = [f"S{i}" for i in range(100)]
    lake.land("station", [(n, after(7 * w + 1), after(7 * w + 1), float(w), w, "x") for n in names for w in range(8)])
    lake.apply()
    orders = ((7, 0), (1, 6), (2, 5), (7, 4), (3, 1), (0, 7), (5, 2), (6, 3))
    at_once(_materialize, [(lake.root, lake.online_address, order) for order in orders])
    rows = asking(*((name, 1, after(50.5)) for name in names))
    got = lake.store.online_rows(lake.problem, rows, now=after(50.5))
    assert set(got["wind"]) == {7.0}
    [view] = [v for v in lake.store.feast(lake.problem).list_feature_views() if v.name == "station"]
    assert len(view.materialization_intervals) == 16  # no process lost another's record
