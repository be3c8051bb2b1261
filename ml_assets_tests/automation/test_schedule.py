"""The schedule: each window once, when its delay is over, by the clock on the wall."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import dagster as dg
import pytest
from dagster._utils.schedules import schedule_execution_time_iterator

from ml_assets.automation.schedule import build_window_schedule, cron
from ml_assets.ml.windows import all_windows
from ml_assets.spec import Cadence

CADENCES = [
    pytest.param(Cadence(kind="hourly", start=datetime(2013, 3, 30), landing_delay_hours=3), id="hourly"),
    pytest.param(
        Cadence(kind="daily", start=date(2013, 3, 1), timezone="Europe/London", landing_delay_hours=30), id="daily"
    ),
    pytest.param(
        Cadence(kind="weekly", start=date(2013, 3, 4), timezone="America/New_York", landing_delay_hours=24), id="weekly"
    ),
    pytest.param(
        Cadence(kind="monthly", start=date(2013, 1, 1), timezone="Europe/London", landing_delay_hours=24), id="monthly"
    ),
    pytest.param(
        Cadence(kind="monthly", start=date(2013, 1, 28), landing_delay_hours=100), id="monthly, due after the 28th"
    ),
]


def _asked(cadence: Cadence, days: int) -> list[tuple[datetime, str]]:
    """(tick, requested window) of all ticks in so many days, as the daemon would have them."""
    job = dg.define_asset_job("shop_window", "*")
    schedule = build_window_schedule(cadence, job)
    zone = ZoneInfo(cadence.timezone)
    start = datetime(2013, 3, 4, tzinfo=zone)
    end = start + timedelta(days=days)
    asked = []
    for tick in schedule_execution_time_iterator(start.timestamp(), cron(cadence), cadence.timezone):
        if tick >= end:
            return asked
        answer = schedule(dg.build_schedule_context(scheduled_execution_time=tick))
        if isinstance(answer, dg.RunRequest):
            asked.append((tick.astimezone(UTC), str(answer.partition_key)))
    return asked


@pytest.mark.parametrize("cadence", CADENCES)
def test_each_window_is_asked_for_once_its_delay_is_over(cadence: Cadence) -> None:
    days = 90 if cadence.kind == "monthly" else 40
    asked = _asked(cadence, days)
    by_key: dict[str, datetime] = {}
    for tick, key in asked:
        by_key.setdefault(key, tick)  # later requests carry the same run key, Dagster drops them
    windows = {window.key: window for window in all_windows(cadence, asked[-1][0])}
    expected = [key for key in windows if min(by_key) <= key <= max(by_key)]
    assert list(by_key) == expected
    for key, tick in by_key.items():
        waited = (tick - windows[key].end).total_seconds() / 3600
        assert cadence.landing_delay_hours - 1 <= waited <= cadence.landing_delay_hours + 25


def test_windows_outside_the_cadence_are_not_asked_for() -> None:
    cadence = Cadence(kind="weekly", start=date(2013, 3, 11), end=date(2013, 3, 25))
    assert {key for _, key in _asked(cadence, 40)} == {"2013-03-11", "2013-03-18"}
