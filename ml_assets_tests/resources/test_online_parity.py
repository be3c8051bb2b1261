"""Parity: a stale online value is found and named, whatever window it is of; what waits is counted, not blamed."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from ml_assets.ml.features.parity import Difference, ViewParity
from ml_assets.spec.parity import Parity
from ml_assets_tests.resources.feature_lake import ROUTE, START, STATION, WEEK, after, problem
from ml_assets_tests.resources.online_lake import OnlineLake


@pytest.fixture(params=["sqlite", "redis"])
def lake(request: pytest.FixtureRequest, tmp_path: Path) -> OnlineLake:
    address = request.getfixturevalue("empty_redis") if request.param == "redis" else None
    return OnlineLake(tmp_path, online_address=address)


def _value(origin: str, day: float, wind: float | None, known: float | None = None) -> tuple[Any, ...]:
    return origin, after(day), after(known or day), wind, 1, "x"


def _station(lake: OnlineLake, draw: str = "a") -> ViewParity:
    return lake.store.online_parity(lake.problem, draw)[0]


def _materialize(lake: OnlineLake, weeks: int) -> None:
    for week in range(weeks):
        lake.store.materialize(lake.problem, START + week * WEEK, START + (week + 1) * WEEK)


def test_values_just_materialised_are_equal_nulls_included(lake: OnlineLake) -> None:
    lake.land("station", [_value("EWR", 12, 1.0), _value("JFK", 13, None), _value("LGA", 13, float("nan"))])
    lake.land("route", [("EWR", 1, after(13.5), after(13.5), 5.0)])
    lake.apply()
    _materialize(lake, 2)
    views = lake.store.online_parity(lake.problem, "a")
    assert views == (ViewParity("station", 3, 0, 0, ()), ViewParity("route", 1, 0, 0, ()))


def test_nothing_is_compared_before_anything_is_materialised(lake: OnlineLake) -> None:
    lake.land("station", [_value("EWR", 1, 1.0)])
    lake.apply()
    assert _station(lake) == ViewParity("station", 0, 0, 0, ())


def test_a_correction_of_an_older_window_that_did_not_come_online_is_found_and_named(lake: OnlineLake) -> None:
    others = [_value(f"S{i}", 8, 1.0) for i in range(5)]
    lake.land("station", [_value("EWR", 6, 1.0), *others])
    lake.apply()
    _materialize(lake, 2)
    lake.problem = problem([STATION.model_copy(update={"ttl_hours": 240.0}), ROUTE])
    lake.apply()
    lake.land("station", [_value("EWR", 6, 1.0), _value("EWR", 6, 2.0, known=6.5), *others])
    found = _station(lake)
    assert (found.compared, found.different, found.waiting) == (6, 1, 0)
    assert found.differences[0] == Difference("station", "origin=EWR", "wind", 1.0, 2.0, after(6), lost=False)
    assert [difference.feature for difference in found.differences] == ["wind", "station__known_at"]
    lake.store.materialize(lake.problem, START, START + WEEK)
    assert _station(lake).different == 0


def test_a_value_that_never_came_online_is_found(lake: OnlineLake) -> None:
    lake.land("station", [_value("EWR", 12, 1.0)])
    lake.apply()
    _materialize(lake, 2)
    lake.land("station", [_value("EWR", 12, 1.0), _value("JFK", 12, 3.0)])
    found = _station(lake)
    assert found.differences[0] == Difference("station", "origin=JFK", "wind", None, 3.0, after(12), lost=False)


def test_an_online_value_that_the_lake_holds_no_longer_is_told_apart(lake: OnlineLake) -> None:
    lake.land("station", [_value("EWR", 11.5, 1.0), _value("EWR", 13, 2.0)])
    lake.apply()
    _materialize(lake, 2)
    lake.land("station", [_value("EWR", 11.5, 1.0)])
    found = _station(lake)
    assert {(d.lost, d.moment) for d in found.differences} == {(True, after(13))}
    assert (found.differences[0].online, found.differences[0].offline) == (2.0, 1.0)


def test_a_value_that_is_not_known_yet_waits(lake: OnlineLake) -> None:
    lake.land("station", [_value("EWR", 12, 1.0), _value("EWR", 13, 2.0, known=15), _value("JFK", 13, 3.0)])
    lake.apply()
    _materialize(lake, 2)
    assert _station(lake) == ViewParity("station", 1, 0, 1, ())


def test_an_expired_value_is_not_drawn(lake: OnlineLake) -> None:
    lake.land("station", [_value("EWR", 10.9, 1.0), _value("JFK", 11.1, 3.0)])
    lake.apply()
    _materialize(lake, 2)
    assert _station(lake).compared == 1


def test_windows_that_are_in_the_lake_but_not_online_yet_are_no_differences(lake: OnlineLake) -> None:
    lake.land("station", [_value("EWR", 6, 1.0), _value("EWR", 7, 2.0)])
    lake.apply()
    _materialize(lake, 1)
    assert _station(lake) == ViewParity("station", 1, 0, 0, ())


def test_each_draw_draws_others_and_the_same_draw_the_same(tmp_path: Path) -> None:
    lake = OnlineLake(tmp_path, problem().model_copy(update={"parity": Parity(entities=5)}))
    lake.land("station", [_value(f"S{i}", 12, 1.0) for i in range(100)])
    lake.apply()
    _materialize(lake, 2)
    lake.land("station", [_value(f"S{i}", 12, 2.0) for i in range(100)])

    def drawn(draw: str) -> set[str]:
        found = _station(lake, draw)
        assert found.different == 5
        return {difference.entity for difference in found.differences}

    assert drawn("2013-01-07") == drawn("2013-01-07")
    assert len(drawn("2013-01-07") | drawn("2013-01-14") | drawn("2013-01-21")) > 5
    seeded = replace(lake, problem=lake.problem.model_copy(update={"parity": Parity(entities=5, seed=1)}))
    assert {d.entity for d in _station(seeded, "2013-01-07").differences} != drawn("2013-01-07")


def test_another_seed_of_integer_keys_draws_others(tmp_path: Path) -> None:
    lake = OnlineLake(tmp_path, problem().model_copy(update={"parity": Parity(entities=3)}))
    lake.land("route", [("EWR", i, after(6.5), after(6.5), 1.0) for i in range(50)])
    lake.apply()
    _materialize(lake, 1)
    route = lake.store.online_parity(lake.problem, "a")[1]
    assert route == ViewParity("route", 3, 0, 0, ())
