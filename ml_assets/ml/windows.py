"""The grid of windows that a cadence spans. Only arithmetic on times; no data."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from ml_assets.errors import UnknownWindowError
from ml_assets.spec import Cadence

WEEK = timedelta(days=7)


@dataclass(frozen=True, order=True)
class Window:
    """One half-open span of time, [start, end), in UTC."""

    start: datetime
    end: datetime

    @property
    def key(self) -> str:
        """Partition key: the day on which the window starts, e.g. `2013-04-01`."""
        return self.start.date().isoformat()

    def shift(self, windows: int) -> "Window":
        """The window so many windows later (earlier, when negative)."""
        return Window(self.start + windows * WEEK, self.end + windows * WEEK)


def window_of(cadence: Cadence, key: str) -> Window:
    """The window that a partition key names.

    Raises:
        UnknownWindowError: The key is no day of the grid.
    """
    try:
        day = date.fromisoformat(key)
    except ValueError:
        raise UnknownWindowError(key, cadence.start) from None
    if (day - cadence.start) % WEEK:
        raise UnknownWindowError(key, cadence.start)
    start = datetime(day.year, day.month, day.day, tzinfo=UTC)
    return Window(start, start + WEEK)


def windows_back(window: Window, span: timedelta, cadence: Cadence) -> list[Window]:
    """The windows that hold the time from `span` before `window` to its end, oldest first."""
    first = datetime(cadence.start.year, cadence.start.month, cadence.start.day, tzinfo=UTC)
    count = -(-span // WEEK)
    return [past for past in (window.shift(-n) for n in range(count, -1, -1)) if past.start >= first]
