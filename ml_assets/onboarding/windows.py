"""The grid of windows that a table's times suggest: long enough to hold rows, short enough to be many."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import groupby
from statistics import median
from typing import Literal, get_args

from ml_assets.errors import TooFewWindowsError
from ml_assets.ml.landing.parsing import identifier
from ml_assets.onboarding.table import TYPED, FlatTable
from ml_assets.spec import Cadence

Kind = Literal["hourly", "daily", "weekly", "monthly"]
KINDS: tuple[Kind, ...] = get_args(Kind)
UNITS: dict[Kind, str] = {"hourly": "hour", "daily": "day", "weekly": "week", "monthly": "month"}

LEAST_WINDOWS = 6
"""Train, validate, test, and some to score."""
GOOD_WINDOWS = 10
GOOD_ROWS = 100
"""Rows per window from which its statistics mean something. Both are conventions."""
_MANY_WEEKS = 60
_SOME_MONTHS = 20
_DAYS: dict[Kind, float] = {"hourly": 1 / 24, "daily": 1, "weekly": 7, "monthly": 30.4}
_CORE = 0.005
"""Share of rows at each end that may be strays, years off."""
_LONGEST_GAP = 0.1
_LEAST_GAP_DAYS = 31


@dataclass(frozen=True)
class Grid:
    """A cadence and the rows in its windows.

    Attributes:
        cadence: From the first window with rows to the last.
        rows: Rows of each window, oldest first.
        strays: Rows outside all windows, years off.
        first: Earliest time of a stray, local.
        last: Latest time of a stray, local.
        timeless: Rows without a time.
    """

    cadence: Cadence
    rows: tuple[int, ...]
    strays: int
    first: datetime
    last: datetime
    timeless: int

    @property
    def typical(self) -> int:
        """Median rows of a window."""
        return round(median(self.rows))

    @property
    def kind(self) -> Kind:
        """Length of a window."""
        return self.cadence.kind


def propose_grid(table: FlatTable, time: str, *, timezone: str, kind: Kind | None, known_after_days: int) -> Grid:
    """The windows of a table.

    Args:
        table: The table, typed.
        time: Its time column.
        timezone: Time zone of the grid.
        kind: The cadence, when the user names it.
        known_after_days: Days until labels are known; so many windows cannot be trained on yet.

    Raises:
        TooFewWindowsError: The times span too little.
    """
    hours = rows_by_hour(table, time)
    days = {start: rows for start, rows in _grouped("daily", hours).items() if rows}
    first, last = core_span(days)
    inside = {moment: rows for moment, rows in hours.items() if first <= moment < last + timedelta(days=1)}
    grids = {each: counts(each, inside) for each in KINDS}
    waiting = {each: round(known_after_days / _DAYS[each]) for each in KINDS}
    chosen = kind or choose(grids, waiting)
    if chosen is None or len(grids[chosen]) - waiting[chosen] < LEAST_WINDOWS:
        span = f"{first.date()} to {last.date()}"
        raise TooFewWindowsError(span, {each: len(grids[each]) - waiting[each] for each in KINDS}, LEAST_WINDOWS)
    total = sum(hours.values())
    return Grid(
        cadence=_cadence(chosen, min(inside), max(inside), timezone),
        rows=tuple(grids[chosen]),
        strays=total - sum(grids[chosen]),
        first=min(days),
        last=max(days),
        timeless=table.rows - total,
    )


def rows_by_hour(table: FlatTable, time: str) -> dict[datetime, int]:
    """Rows of each local hour that has any."""
    column = identifier(time)
    found = table.all(
        f"SELECT strftime(hour, '%Y-%m-%dT%H:%M'), n FROM (SELECT date_trunc('hour', {column}) AS hour, count(*) AS n "
        f"FROM {TYPED} WHERE isfinite({column}) AND year({column}) BETWEEN 2 AND 9998 GROUP BY 1) ORDER BY 1"
    )
    return {moment: sum(n for _, n in same) for moment, same in groupby(found, lambda r: datetime.fromisoformat(r[0]))}


def core_span(days: Mapping[datetime, int]) -> tuple[datetime, datetime]:
    """First and last day that belong together; rows beyond a long gap at either end are strays.

    From the middle 99% of the rows the span grows outwards over gaps of at most a tenth of it, or a month.
    """
    ordered = sorted(days)
    if not ordered:
        raise TooFewWindowsError("no time at all", {}, LEAST_WINDOWS)
    low, high = _at_share(days, ordered, _CORE), _at_share(days, ordered, 1 - _CORE)
    gap = max(timedelta(days=_LEAST_GAP_DAYS), (high - low) * _LONGEST_GAP)
    for day in reversed([day for day in ordered if day < low]):
        low = day if low - day <= gap else low
    for day in (day for day in ordered if day > high):
        high = day if day - high <= gap else high
    return low, high


def counts(kind: Kind, moments: Mapping[datetime, int]) -> list[int]:
    """Rows of every window from the first with rows to the last, oldest first."""
    rows = _grouped(kind, moments)
    window, last, found = min(rows), max(rows), []
    while window <= last:
        found.append(rows[window])
        window = _next(kind, window)
    return found


def _grouped(kind: Kind, moments: Mapping[datetime, int]) -> Counter[datetime]:
    rows: Counter[datetime] = Counter()
    for moment, n in moments.items():
        rows[_start(kind, moment)] += n
    return rows


def choose(grids: Mapping[Kind, Sequence[int]], waiting: Mapping[Kind, int]) -> Kind | None:
    """The cadence whose windows are many and full, weeks and months rather than days and hours; None if none serves.

    Args:
        grids: Kind -> rows of each window.
        waiting: Kind -> windows whose labels are not known yet at the end.
    """
    usable = {kind: len(rows) - waiting[kind] for kind, rows in grids.items()}
    good = [k for k in grids if usable[k] >= GOOD_WINDOWS and median(grids[k]) >= GOOD_ROWS]
    weeks_serve = "weekly" in good and (len(grids["weekly"]) <= _MANY_WEEKS or usable["monthly"] < _SOME_MONTHS)
    longest_first = tuple(reversed(KINDS))
    for kind in ("weekly", *longest_first) if weeks_serve else longest_first:
        if kind in good:
            return kind
    # Too little data for good windows: as full as they get while there are enough of them.
    return next((kind for kind in longest_first if usable[kind] >= LEAST_WINDOWS), None)


def _cadence(kind: Kind, first: datetime, last: datetime, timezone: str) -> Cadence:
    start, end = _start(kind, first), _next(kind, _start(kind, last))
    moments: tuple[date, date] = (start, end) if kind == "hourly" else (start.date(), end.date())
    return Cadence(kind=kind, start=moments[0], end=moments[1], timezone=timezone)


def _at_share(days: Mapping[datetime, int], ordered: Sequence[datetime], share: float) -> datetime:
    needed, seen = share * sum(days.values()), 0
    for day in ordered:
        seen += days[day]
        if seen >= needed:
            return day
    return ordered[-1]


def _start(kind: Kind, moment: datetime) -> datetime:
    """Start of the window that holds a moment: weeks begin on Monday, months on the first."""
    if kind == "hourly":
        return moment.replace(minute=0)
    day = moment.replace(hour=0, minute=0)
    if kind == "weekly":
        return day - timedelta(days=day.weekday())
    return day.replace(day=1) if kind == "monthly" else day


def _next(kind: Kind, start: datetime) -> datetime:
    if kind == "monthly":
        return datetime(start.year + start.month // 12, start.month % 12 + 1, 1)
    return start + {"hourly": timedelta(hours=1), "daily": timedelta(days=1), "weekly": timedelta(days=7)}[kind]
