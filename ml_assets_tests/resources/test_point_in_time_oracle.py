"""The point-in-time join, through Feast's API, against its definition written out as a search through all values.

The oracle is plain Python: it looks at every value for every row, and knows nothing of the join.
"""

import inspect
from datetime import timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pandas as pd
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from ml_assets.resources.feature_store import FeatureStore
from ml_assets_tests.resources.feature_lake import ROUTE, STATION, FeatureLake, after, asking, problem, view

LOAD = view("load", ("line",), {"tons": "int"}, ttl_hours=None)
TTL_DAYS = {"station": 3, "route": 1, "load": None}

# One key more often than others, and days over three windows: ties, corrections that supersede or are superseded,
# and exact expiries must be common. (Breaking the rule in four ways, each was found.)
ORIGINS = st.sampled_from(["EWR", "EWR", "EWR", "JFK", None])
LINES = st.sampled_from([1, 1, 1, 2, None])
DAYS = st.sampled_from([0, 1, 2, 3, 4, 5, 6, 7, 8, 13, 14, 15])
KNOWN = st.sampled_from([0, 1, 2, 3, 4, 5, 6, 7, 8, 13, 14, 15, None])
ASKED = st.sampled_from([-2, 0, 1, 2, 2.5, 3, 4, 5, 6, 7, 7.25, 8, 9, 13, 13.999, 14, 15, 16, 18, 30, None])
ZONES = st.sampled_from(["UTC", "America/New_York", "Asia/Kolkata", None])


def history(*keys: Any) -> Any:
    """Values as (keys ..., event, known); known before, at and after the event, corrected later, some twice."""
    return st.lists(st.tuples(*keys, DAYS, KNOWN), min_size=12, max_size=30)


def oracle(values: list[Any], keys: tuple[Any, ...], moment: float | None, ttl_days: int | None) -> int | None:
    """Place of the answering value: the newest event, then the newest known, then the last written."""
    best: tuple[float, float, int] | None = None
    for place, value in enumerate(values):
        *of, event, known = value
        if moment is None or known is None or None in keys or tuple(of) != keys:
            continue
        if event > moment or known > moment or (ttl_days is not None and event < moment - ttl_days):
            continue
        if best is None or (event, known, place) > best:
            best = (event, known, place)
    return None if best is None else best[2]


def known_at(day: float | None) -> Any:
    return None if day is None else after(day)


def in_zone(rows: pd.DataFrame, zone: str | None) -> pd.DataFrame:
    """The same moments, told in another zone, or without one."""
    times = rows["event_timestamp"]
    return rows.assign(event_timestamp=times.dt.tz_convert(ZoneInfo(zone)) if zone else times.dt.tz_localize(None))


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> FeatureLake:
    lake = FeatureLake(tmp_path_factory.mktemp("lake"), problem([STATION, ROUTE, LOAD]))
    lake.apply()
    return lake


@settings(max_examples=60, derandomize=True, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    stations=history(ORIGINS),
    routes=history(ORIGINS, LINES),
    loads=history(LINES),
    rows=st.lists(st.tuples(ORIGINS, LINES, ASKED), min_size=15, max_size=30),
    zone=ZONES,
)
@example(stations=[], routes=[], loads=[], rows=[("EWR", 1, 3)], zone="UTC")
@example(stations=[("EWR", 9, 9)], routes=[], loads=[(1, 9, 9)], rows=[("EWR", 1, 3)], zone="UTC")
@example(stations=[("EWR", 1, 5), ("EWR", 2, 3), ("EWR", 1, 1)], routes=[], loads=[], rows=[("EWR", 1, 6)], zone=None)
@example(stations=[("EWR", 1, 1)] * 3, routes=[], loads=[(1, 1, 1)] * 2, rows=[("EWR", 1, 4)] * 3, zone=None)
def test_every_row_gets_the_newest_value_that_was_known(
    lake: FeatureLake, stations: list[Any], routes: list[Any], loads: list[Any], rows: list[Any], zone: str | None
) -> None:
    lake.land("station", [(o, after(e), known_at(k), float(i), i, f"sky {i}") for i, (o, e, k) in enumerate(stations)])
    lake.land("route", [(o, n, after(e), known_at(k), float(i)) for i, (o, n, e, k) in enumerate(routes)])
    lake.land("load", [(n, after(e), known_at(k), i) for i, (n, e, k) in enumerate(loads)])
    asked = in_zone(asking(*((o, line, known_at(t)) for o, line, t in rows)), zone)

    got = lake.store.training_rows(lake.problem, asked)

    pd.testing.assert_frame_equal(got[asked.columns], asked)
    for (origin, line, moment), row in zip(rows, got.to_dict("records"), strict=True):
        keys = {"station": (origin,), "route": (origin, line), "load": (line,)}
        values = {"station": stations, "route": routes, "load": loads}
        expected = {name: oracle(values[name], keys[name], moment, TTL_DAYS[name]) for name in keys}
        for name, feature in (("station", "gusts"), ("route", "delay"), ("load", "tons")):
            place = expected[name]
            known = row[f"{name}__known_at"]
            if place is None:
                assert pd.isna(row[feature])
                assert pd.isna(known)
            else:
                assert row[feature] == place
                assert known == after(values[name][place][-1])
        if (place := expected["station"]) is not None:
            assert (row["wind"], row["sky"]) == (float(place), f"sky {place}")


@pytest.fixture
def late(tmp_path: Path) -> FeatureLake:
    """A value, and its correction that is known days later than the row asked for."""
    lake = FeatureLake(tmp_path)
    lake.land("station", [("EWR", after(1), after(1), 1.0, 1, "x"), ("EWR", after(1), after(6), 2.0, 1, "y")])
    lake.apply()
    return lake


def test_the_platforms_api_cannot_be_told_to_join_values_not_yet_known() -> None:
    assert list(inspect.signature(FeatureStore.training_rows).parameters) == ["self", "features", "rows"]


@pytest.mark.parametrize(
    "options",
    [
        pytest.param({}, id="Feast's default, which is off"),
        pytest.param({"filter_by_created_timestamp": False}, id="off"),
        pytest.param({"filter_by_created_timestamp": True}, id="on"),
    ],
)
def test_feasts_own_api_hides_what_was_not_known_whatever_it_is_called_with(
    late: FeatureLake, options: dict[str, bool]
) -> None:
    asked = pd.DataFrame({"origin": ["EWR"], "event_timestamp": [after(2)], "ticket": [7]})
    job = late.store.feast(late.problem).get_historical_features(
        asked, ["station:wind"], full_feature_names=True, **options
    )
    assert job.to_df().drop(columns="event_timestamp").to_dict("records") == [
        {"origin": "EWR", "ticket": 7, "station__wind": 1.0}
    ]
    assert job.metadata.features == ["station:wind"]
    assert job.metadata.keys == ["origin", "ticket"]
    assert job.metadata.max_event_timestamp == after(2)


def test_only_the_configuration_can_join_on_event_time_alone(late: FeatureLake) -> None:
    store = FeatureStore(root=late.store.root, offline_store={"known_values_only": False})
    rows = asking(("EWR", 1, after(2)), ("EWR", 1, after(1) - timedelta(microseconds=1)))
    assert store.training_rows(late.problem, rows)["wind"].tolist()[0] == 2.0
    assert store.training_rows(late.problem, rows)["wind"].isna().tolist() == [False, True]
