"""Quiet hours, the daily limit and the waits between attempts."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from ml_assets.alerts.timing import free_from, next_attempt, quiet_until
from ml_assets.spec import QuietHours

NIGHT = QuietHours(start_hour=22, end_hour=7, time_zone="Europe/London")


def _at(text: str, zone: str = "Europe/London") -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)


@pytest.mark.parametrize(
    ("quiet", "now", "until"),
    [
        pytest.param(NIGHT, "2026-06-10T21:59", None, id="just before"),
        pytest.param(NIGHT, "2026-06-10T22:00", "2026-06-11T07:00", id="from its first minute on"),
        pytest.param(NIGHT, "2026-06-11T06:59", "2026-06-11T07:00", id="to its last"),
        pytest.param(NIGHT, "2026-06-11T07:00", None, id="over"),
        pytest.param(NIGHT, "2026-03-28T23:30", "2026-03-29T07:00", id="a night in which clocks go forward"),
        pytest.param(NIGHT, "2026-10-24T23:30", "2026-10-25T07:00", id="a night in which clocks go back"),
        pytest.param(
            QuietHours(start_hour=9, end_hour=17, time_zone="Europe/London"),
            "2026-06-10T12:15",
            "2026-06-10T17:00",
            id="within a day",
        ),
        pytest.param(
            NIGHT.model_copy(update={"weekends": True}), "2026-06-12T23:00", "2026-06-15T07:00", id="over a weekend"
        ),
        pytest.param(
            NIGHT.model_copy(update={"weekends": True}), "2026-06-13T12:00", "2026-06-15T07:00", id="on a Saturday"
        ),
        pytest.param(None, "2026-06-10T03:00", None, id="none declared"),
    ],
)
def test_quiet_hours_end_where_they_are_declared(quiet: QuietHours | None, now: str, until: str | None) -> None:
    assert quiet_until(quiet, _at(now)) == (None if until is None else _at(until))


def test_quiet_hours_of_a_zone_half_an_hour_off_end_at_its_own_hour() -> None:
    quiet = QuietHours(start_hour=22, end_hour=7, time_zone="Asia/Kolkata")
    assert quiet_until(quiet, _at("2026-06-10T23:10", "Asia/Kolkata")) == _at("2026-06-11T07:00", "Asia/Kolkata")


def test_after_so_many_messages_in_a_day_the_next_waits_for_the_first_to_be_a_day_old() -> None:
    now = _at("2026-06-10T12:00")
    sent = [now - timedelta(hours=hours) for hours in (30, 20, 2, 1)]
    assert free_from(sent, 4, now) is None
    assert free_from(sent, 3, now) == now + timedelta(hours=4)
    assert free_from(sent, 1, now) == now + timedelta(hours=23)


@pytest.mark.parametrize(("attempts", "minutes"), [(1, 1), (2, 2), (3, 4), (6, 32), (7, 60), (1000, 60)])
def test_waits_double_up_to_an_hour(attempts: int, minutes: int) -> None:
    now = _at("2026-06-10T12:00")
    assert next_attempt(attempts, now) == now + timedelta(minutes=minutes)
