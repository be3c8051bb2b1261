"""Moments as people write them: a date, a time with or without an offset, or the key of a window."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from ml_assets.errors import MomentError, UnknownWindowError
from ml_assets.ml.windows import Window, window_at, window_of
from ml_assets.spec import Cadence


def window_named(cadence: Cadence, text: str) -> Window:
    """The window that holds a moment; also of one before the cadence's start or after its end.

    Args:
        cadence: Times without an offset are local to its time zone.
        text: E.g. 2013-06-01, 2013-06-01T12:00+02:00, or a window's key.

    Raises:
        MomentError: It is none of these.
    """
    try:
        return window_of(cadence, text)
    except UnknownWindowError:
        return window_at(cadence, moment(text, cadence.timezone))


def moment(text: str, timezone: str = "UTC") -> datetime:
    """The moment, in UTC.

    Raises:
        MomentError: It is no date and no time.
    """
    try:
        found = datetime.fromisoformat(text.strip())
        return found.astimezone(UTC) if found.tzinfo else found.replace(tzinfo=ZoneInfo(timezone)).astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise MomentError(text) from error
