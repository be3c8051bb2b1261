"""The grid of windows that a cadence spans. Only arithmetic on times; no data.

Keys are the ones that Dagster's partitions of the same cadence have; a test holds the two together.
"""

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from ml_assets.errors import UnknownWindowError
from ml_assets.spec import Cadence

DAY_FORMAT, HOUR_FORMAT = "%Y-%m-%d", "%Y-%m-%d-%H:%M"
_HOUR = timedelta(hours=1)


@dataclass(frozen=True, order=True)
class Window:
    """One half-open span of time, [start, end), in UTC; one cell of its cadence's grid."""

    start: datetime
    end: datetime
    cadence: Cadence = field(compare=False, repr=False)

    @property
    def key(self) -> str:
        """Partition key: the local time at which the window starts, e.g. `2013-04-01`."""
        local = self.start.astimezone(ZoneInfo(self.cadence.timezone))
        if self.cadence.kind != "hourly":
            return local.strftime(DAY_FORMAT)
        return local.strftime(HOUR_FORMAT + ("%z" if local.fold else ""))  # an hour that the clocks repeat

    @property
    def last(self) -> datetime:
        """Its last microsecond: where a snapshot as of its end belongs."""
        return self.end - timedelta(microseconds=1)

    def shift(self, windows: int) -> "Window":
        """The window so many windows later (earlier, when negative)."""
        return _nth(self.cadence, _number(self.cadence, self.start) + windows)


def window_of(cadence: Cadence, key: str) -> Window:
    """The window that a partition key names.

    Raises:
        UnknownWindowError: The key is no window of the grid.
    """
    window = window_at(cadence, _moment(cadence, key))
    if window.key != key:
        raise UnknownWindowError(key, window.key, cadence.kind)
    return window


def window_at(cadence: Cadence, moment: datetime) -> Window:
    """The window that holds a moment; also of a moment outside the cadence's start and end."""
    return _nth(cadence, _number(cadence, moment))


def first_window(cadence: Cadence) -> Window:
    """The window with which the cadence begins."""
    return _nth(cadence, 0)


def windows_before(cadence: Cadence, end: datetime) -> list[Window]:
    """All windows of the grid that are over at `end`, oldest first."""
    return [_nth(cadence, number) for number in range(_number(cadence, end))]


def windows_over(cadence: Cadence, start: datetime, end: datetime) -> list[Window]:
    """The windows of the grid that hold the time from `start` to `end` (not included), oldest first.

    Nothing before the cadence's start or after its end is among them.
    """
    last = _number(cadence, end - timedelta(microseconds=1))
    if (over := end_of(cadence)) is not None:
        last = min(last, _number(cadence, over) - 1)
    return [_nth(cadence, number) for number in range(max(0, _number(cadence, start)), last + 1)]


def end_of(cadence: Cadence) -> datetime | None:
    """End of the cadence's last window; None where it is open."""
    return None if cadence.end is None else _utc(cadence, _naive(cadence.end))


def all_windows(cadence: Cadence, now: datetime | None = None) -> list[Window]:
    """All windows of a cadence: to its end, or to those that are over now where it has none."""
    return windows_before(cadence, end_of(cadence) or now or datetime.now(UTC))


def _nth(cadence: Cadence, number: int) -> Window:
    return Window(_start(cadence, number), _start(cadence, number + 1), cadence)


def _start(cadence: Cadence, number: int) -> datetime:
    first = _naive(cadence.start)
    if cadence.kind == "hourly":
        return _utc(cadence, first) + number * _HOUR
    if cadence.kind == "monthly":
        months = first.year * 12 + first.month - 1 + number
        return _utc(cadence, datetime(months // 12, months % 12 + 1, first.day))
    return _utc(cadence, first + timedelta(days=number * (7 if cadence.kind == "weekly" else 1)))


def _number(cadence: Cadence, moment: datetime) -> int:
    """Number of the window that holds a moment; the cadence's first is 0."""
    first = _naive(cadence.start)
    if cadence.kind == "hourly":
        return (moment - _utc(cadence, first)) // _HOUR
    local = moment.astimezone(ZoneInfo(cadence.timezone))
    if cadence.kind == "monthly":
        guess = (local.year - first.year) * 12 + local.month - first.month
    else:
        guess = (local.date() - first.date()).days // (7 if cadence.kind == "weekly" else 1)
    # The guess goes by the calendar; days that begin late (a clock change at midnight) and months that begin
    # on another day than the first are one off.
    while moment < _start(cadence, guess):
        guess -= 1
    while moment >= _start(cadence, guess + 1):
        guess += 1
    return guess


def _moment(cadence: Cadence, key: str) -> datetime:
    text = DAY_FORMAT if cadence.kind != "hourly" else HOUR_FORMAT
    for form in (text, text + "%z"):
        try:
            found = datetime.strptime(key, form)
        except ValueError:
            continue
        return found.astimezone(UTC) if found.tzinfo else _utc(cadence, found)
    raise UnknownWindowError(key, first_window(cadence).key, cadence.kind)


def _naive(moment: date | datetime) -> datetime:
    return moment if isinstance(moment, datetime) else datetime(moment.year, moment.month, moment.day)


def _utc(cadence: Cadence, local: datetime) -> datetime:
    """Local time of the cadence in UTC; of a repeated hour the first one."""
    return local.replace(tzinfo=ZoneInfo(cadence.timezone)).astimezone(UTC)
