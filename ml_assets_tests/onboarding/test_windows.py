"""The grid of windows that times suggest."""

from datetime import date, datetime
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from ml_assets.errors import TooFewWindowsError
from ml_assets.ml.windows import all_windows
from ml_assets.onboarding.profile import profile
from ml_assets.onboarding.windows import Grid, choose, core_span, propose_grid
from ml_assets_tests.onboarding.tables import opened, to_parquet


def _grid(
    times: pd.DatetimeIndex, folder: Path, *, timezone: str = "UTC", kind: str | None = None, known_after: int = 0
) -> Grid:
    path = to_parquet(pd.DataFrame({"at": times}), folder)
    with opened(path, timezone=timezone) as table:
        profile(table)
        return propose_grid(table, "at", timezone=timezone, kind=kind, known_after_days=known_after)


@pytest.mark.parametrize(
    ("freq", "periods", "kind", "start", "end"),
    [
        ("10min", 52_560, "weekly", date(2023, 1, 2), date(2024, 1, 8)),
        ("h", 43_800, "monthly", date(2023, 1, 1), date(2028, 2, 1)),
        ("10min", 2_880, "daily", date(2023, 1, 5), date(2023, 1, 25)),
        ("s", 86_400, "hourly", datetime(2023, 1, 5), datetime(2023, 1, 6)),
        ("D", 700, "monthly", date(2023, 1, 1), date(2025, 1, 1)),
        ("D", 60, "weekly", date(2023, 1, 2), date(2023, 3, 6)),
    ],
    ids=["a year", "five years", "three weeks", "a day", "a row a day", "two months"],
)  # fmt: skip
def test_windows_are_many_and_full_and_begin_on_the_grid(
    tmp_path: Path, freq: str, periods: int, kind: str, start: date, end: date
) -> None:
    grid = _grid(pd.date_range("2023-01-05", periods=periods, freq=freq), tmp_path)
    assert (grid.kind, grid.cadence.start, grid.cadence.end) == (kind, start, end)
    assert len(all_windows(grid.cadence)) == len(grid.rows)
    assert sum(grid.rows) == periods


@pytest.mark.parametrize(
    ("weekly", "monthly", "expected"),
    [
        ([100] * 60, [430] * 14, "weekly"),
        ([100] * 61, [430] * 20, "monthly"),
        ([100] * 61, [430] * 15, "weekly"),
        ([99] * 61, [430] * 15, "monthly"),
        ([9] * 9, [40] * 3, "weekly"),
        ([9] * 30, [40] * 6, "monthly"),
    ],
    ids=["weeks", "too many weeks", "too few months", "thin weeks", "only weeks are enough", "fuller months"],
)
def test_the_choice_between_weeks_and_months(weekly: list[int], monthly: list[int], expected: str) -> None:
    grids = {"hourly": [1] * 9_600, "daily": [1] * 400, "weekly": weekly, "monthly": monthly}
    assert choose(grids, dict.fromkeys(grids, 0)) == expected


def test_windows_that_wait_for_their_labels_do_not_count(tmp_path: Path) -> None:
    times = pd.date_range("2023-01-01", periods=365 * 24, freq="h")
    assert _grid(times, tmp_path, kind="monthly", known_after=180).kind == "monthly"
    with pytest.raises(TooFewWindowsError, match="5 monthly"):
        _grid(times, tmp_path, kind="monthly", known_after=200)


def test_rows_years_off_are_strays_and_do_not_stretch_the_grid(tmp_path: Path) -> None:
    times = pd.date_range("2023-01-02", periods=52 * 7 * 20, freq="72min").append(
        pd.DatetimeIndex(["1970-01-01", "2099-12-31", "2262-01-01"])
    )
    grid = _grid(times, tmp_path)
    assert (grid.cadence.start, grid.cadence.end) == (date(2023, 1, 2), date(2024, 1, 1))
    assert (grid.strays, grid.first.year, grid.last.year) == (3, 1970, 2262)


def test_rows_without_a_time_are_counted(tmp_path: Path) -> None:
    times = pd.Series(pd.date_range("2023-01-02", periods=4_000, freq="h")).where(lambda s: s.index % 100 != 0)
    assert _grid(pd.DatetimeIndex(times), tmp_path).timeless == 40


def test_a_slow_beginning_is_history_and_no_stray() -> None:
    days = pd.date_range("2020-01-01", "2023-12-31", freq="D")
    growing = {day.to_pydatetime(): int(np.exp(number / 120)) for number, day in enumerate(days)}
    assert core_span(growing) == (days[0], days[-1])


def test_a_gap_inside_gives_empty_windows(tmp_path: Path) -> None:
    times = pd.date_range("2023-01-02", periods=20_000, freq="20min")
    grid = _grid(times[(times < "2023-03-06") | (times >= "2023-03-20")], tmp_path)
    assert grid.rows.count(0) == 2


def test_windows_are_cut_at_local_midnight(tmp_path: Path) -> None:
    """23:30 UTC on a Sunday in summer is Monday in Berlin, and so in the next week."""
    base = pd.date_range("2023-06-05T00:00", "2023-09-03T20:00", freq="15min", tz="UTC")
    times = base.append(pd.DatetimeIndex(["2023-09-03T23:30"] * 500, tz="UTC"))
    utc, berlin = _grid(times, tmp_path), _grid(times, tmp_path, timezone="Europe/Berlin")
    assert utc.cadence.end == date(2023, 9, 4)
    assert berlin.cadence.end == date(2023, 9, 11)
    assert len(all_windows(berlin.cadence)) == len(berlin.rows)


def test_times_without_an_offset_are_local(tmp_path: Path) -> None:
    times = pd.date_range("2023-06-05T00:00", "2023-09-03T23:59", freq="15min")
    assert _grid(times, tmp_path, timezone="Europe/Berlin").cadence.end == date(2023, 9, 4)


def test_a_named_cadence_is_taken_where_it_serves(tmp_path: Path) -> None:
    times = pd.date_range("2023-01-02", periods=24 * 90, freq="h")
    assert _grid(times, tmp_path, kind="daily").kind == "daily"
    with pytest.raises(TooFewWindowsError, match="3 monthly"):
        _grid(times[: 24 * 80], tmp_path, kind="monthly")


def test_rows_of_one_moment_make_no_windows(tmp_path: Path) -> None:
    with pytest.raises(TooFewWindowsError, match="1 daily"):
        _grid(pd.DatetimeIndex(["2023-01-02"] * 500), tmp_path)
