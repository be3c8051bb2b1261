"""The grid of windows: whole and without gaps, also where clocks change, and the same as Dagster's partitions."""

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ml_assets.assets import partitions
from ml_assets.errors import UnknownWindowError
from ml_assets.ml.windows import all_windows, first_window, window_at, window_of, windows_over
from ml_assets.spec import Cadence, FeatureSet, Source

ZONES = ("UTC", "Europe/London", "America/New_York", "Asia/Kathmandu", "Australia/Lord_Howe", "America/Sao_Paulo")
GRIDS = [
    pytest.param(Cadence(kind="hourly", start=datetime(2013, 10, 26), end=datetime(2013, 11, 5)), id="hourly UTC"),
    pytest.param(
        Cadence(kind="hourly", start=datetime(2013, 3, 9), end=datetime(2013, 11, 5), timezone="America/New_York"),
        id="hourly, both clock changes",
    ),
    pytest.param(
        Cadence(kind="hourly", start=datetime(2013, 3, 30), end=datetime(2013, 10, 28), timezone="Europe/London"),
        id="hourly London",
    ),
    pytest.param(
        Cadence(kind="daily", start=date(2013, 3, 1), end=date(2013, 12, 1), timezone="Europe/London"), id="daily"
    ),
    pytest.param(Cadence(kind="weekly", start=date(2012, 12, 31), end=date(2014, 1, 6)), id="weekly from a Monday"),
    pytest.param(
        Cadence(kind="weekly", start=date(2013, 3, 2), end=date(2013, 11, 9), timezone="America/New_York"),
        id="weekly from a Saturday",
    ),
    pytest.param(
        Cadence(kind="monthly", start=date(2009, 12, 1), end=date(2012, 1, 1), timezone="Europe/London"), id="monthly"
    ),
    pytest.param(Cadence(kind="monthly", start=date(2011, 1, 15), end=date(2012, 1, 15)), id="monthly on the 15th"),
]


def _features(cadence: Cadence) -> FeatureSet:
    source = Source(name="a", columns={"at": "timestamp"}, event_time="at")
    return FeatureSet(name="x", cadence=cadence, sources=(source,))


@pytest.mark.parametrize("cadence", GRIDS)
def test_windows_are_dagsters_partitions(cadence: Cadence) -> None:
    grid = partitions.windows(_features(cadence))
    ours = all_windows(cadence)
    assert [window.key for window in ours] == list(grid.get_partition_keys())
    for window in (ours[0], ours[len(ours) // 2], ours[-1]):
        theirs = grid.time_window_for_partition_key(window.key)
        assert (theirs.start.timestamp(), theirs.end.timestamp()) == (window.start.timestamp(), window.end.timestamp())


@pytest.mark.parametrize("cadence", GRIDS)
def test_cutoffs_are_the_windows_and_the_end_of_the_last(cadence: Cadence) -> None:
    windows = all_windows(cadence)
    expected = [window.key for window in (*windows, windows[-1].shift(1))]
    assert list(partitions.cutoffs(_features(cadence)).get_partition_keys()) == expected


@pytest.mark.parametrize("cadence", GRIDS)
def test_windows_leave_no_gap_and_keys_follow_time(cadence: Cadence) -> None:
    windows = all_windows(cadence)
    assert all(left.end == right.start for left, right in pairwise(windows))
    assert sorted(window.key for window in windows) == [window.key for window in windows]
    for window in windows:
        assert window_of(cadence, window.key) == window
        assert window.shift(3).shift(-3) == window


def test_a_day_has_as_many_hours_as_its_clocks_give_it() -> None:
    cadence = Cadence(kind="daily", start=date(2013, 1, 1), timezone="Europe/London")
    hours = {key: (w := window_of(cadence, key)).end - w.start for key in ("2013-03-31", "2013-06-01", "2013-10-27")}
    assert [span / timedelta(hours=1) for span in hours.values()] == [23, 24, 25]


def test_the_repeated_hour_is_two_windows() -> None:
    cadence = Cadence(kind="hourly", start=datetime(2013, 11, 3), timezone="America/New_York")
    keys = [window.key for window in all_windows(cadence, datetime(2013, 11, 3, 8, tzinfo=UTC))]
    assert keys == ["2013-11-03-00:00", "2013-11-03-01:00", "2013-11-03-01:00-0500", "2013-11-03-02:00"]


@given(
    kind=st.sampled_from(["hourly", "daily", "weekly", "monthly"]),
    zone=st.sampled_from(ZONES),
    day=st.dates(date(1999, 1, 1), date(2030, 1, 1)).filter(lambda day: day.day <= 28),
    after_hours=st.floats(-24 * 400, 24 * 4000),
)
def test_every_moment_lies_in_exactly_one_window(kind: str, zone: str, day: date, after_hours: float) -> None:
    cadence = Cadence(kind=kind, start=day, timezone=zone)  # type: ignore[arg-type]
    moment = first_window(cadence).start + timedelta(hours=after_hours)
    window = window_at(cadence, moment)
    assert window.start <= moment < window.end
    assert window.shift(-1).end == window.start
    assert window.shift(1).start == window.end


def test_a_span_is_covered_by_the_windows_that_it_touches() -> None:
    cadence = Cadence(kind="monthly", start=date(2011, 1, 1), end=date(2012, 1, 1))
    june = window_of(cadence, "2011-06-01")
    assert [w.key for w in windows_over(cadence, june.start - timedelta(days=1), june.end)] == [
        "2011-05-01",
        "2011-06-01",
    ]
    assert [w.key for w in windows_over(cadence, june.start, june.start + timedelta(days=61))] == [
        "2011-06-01",
        "2011-07-01",
    ]
    whole = windows_over(cadence, june.start - timedelta(days=9999), june.end + timedelta(days=9999))
    assert len(whole) == 12


@pytest.mark.parametrize("key", ["2013-01-01", "monday", "2013-01-07-00:00", ""])
def test_a_key_off_the_grid_is_refused(key: str) -> None:
    with pytest.raises(UnknownWindowError, match="windows are weekly; use a key like '20"):
        window_of(Cadence(kind="weekly", start=date(2012, 12, 31)), key)


@pytest.mark.parametrize(
    ("declared", "says"),
    [
        pytest.param({"kind": "weekly", "start": "2013-01-01", "end": "2013-01-07"}, "end on a Tuesday", id="week"),
        pytest.param({"kind": "monthly", "start": "2013-01-31"}, "not every month has a day 31", id="31st"),
        pytest.param({"kind": "monthly", "start": "2013-01-01", "end": "2013-03-02"}, "end on day 1", id="month"),
        pytest.param({"kind": "daily", "start": "2013-01-01T05:00"}, "give a whole hour 00:00", id="day at five"),
        pytest.param({"kind": "hourly", "start": "2013-01-01T05:30"}, "give a whole hour", id="half hour"),
        pytest.param({"kind": "daily", "start": "2013-01-02", "end": "2013-01-02"}, "not after start", id="empty"),
        pytest.param({"kind": "daily", "start": "2013-01-02", "timezone": "Mars/Olympus"}, "no time zone", id="zone"),
        pytest.param({"kind": "hourly", "start": "2013-01-01T05:00Z"}, "has a UTC offset", id="offset"),
    ],
)
def test_a_grid_that_cannot_be_cut_is_refused(declared: dict[str, str], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        Cadence.model_validate(declared)
