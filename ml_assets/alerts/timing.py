"""When a message goes out: quiet hours, the daily limit, the waits between attempts. Only arithmetic on times."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from ml_assets.spec import QuietHours

FIRST_WAIT, LONGEST_WAIT = timedelta(minutes=1), timedelta(hours=1)
DAY = timedelta(hours=24)
_HOUR = timedelta(hours=1)
_SATURDAY = 5


def next_attempt(attempts: int, now: datetime) -> datetime:
    """When to try again after so many failed attempts (>= 1): after 1, 2, 4, ... minutes, at most an hour."""
    doublings = min(attempts - 1, 10)  # beyond, the wait is the longest one anyway
    return now + min(FIRST_WAIT * 2**doublings, LONGEST_WAIT)


def quiet_until(quiet: QuietHours | None, now: datetime) -> datetime | None:
    """When it stops being quiet; None where it is not.

    Args:
        quiet: The declared hours.
        now: With a time zone.
    """
    if quiet is None or not _is_quiet(quiet, now):
        return None
    # Clocks change at whole hours, so quiet time ends at one. Steps in UTC meet each hour that there is once.
    moment = now.replace(minute=0, second=0, microsecond=0)
    while _is_quiet(quiet, moment):
        moment += _HOUR
    local = moment.astimezone(ZoneInfo(quiet.time_zone))
    # A zone half an hour off UTC: the whole hour of UTC lies within the first loud one.
    return max(now, moment - timedelta(minutes=local.minute))


def free_from(sent: Sequence[datetime], most: int, now: datetime) -> datetime | None:
    """When a receiver may get another message; None for now.

    Args:
        sent: When the former ones went out, in any order.
        most: Messages in any 24 hours.
        now: Now.
    """
    recent = sorted(moment for moment in sent if moment > now - DAY)
    return recent[len(recent) - most] + DAY if len(recent) >= most else None


def _is_quiet(quiet: QuietHours, moment: datetime) -> bool:
    local = moment.astimezone(ZoneInfo(quiet.time_zone))
    if quiet.weekends and local.weekday() >= _SATURDAY:
        return True
    if quiet.start_hour < quiet.end_hour:
        return quiet.start_hour <= local.hour < quiet.end_hour
    return local.hour >= quiet.start_hour or local.hour < quiet.end_hour
