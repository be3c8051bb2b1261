"""When a problem's windows begin and end."""

from datetime import date, datetime
from typing import Annotated, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, Field, model_validator

from ml_assets.spec.base import Spec

_LAST_DAY_OF_EVERY_MONTH = 28


def known_zone(name: str) -> str:
    """The name, if it is one of the IANA time zone database.

    Raises:
        ValueError: It is not.
    """
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        raise ValueError(f"'{name}' is no time zone; use a name like 'UTC' or 'Europe/London'") from None
    return name


TimeZone = Annotated[str, AfterValidator(known_zone)]
"""A name of the IANA time zone database."""


class Cadence(Spec):
    """The grid of windows: every partition is one of them, cut at local midnight (or hour) of a time zone.

    A window is named after the local time at which it starts, e.g. `2013-04-01`, and half-open: its end is the
    start of the next. A training *cutoff* is a window of the same grid: "trained for 2013-04-01" means from
    nothing that became known after that window's start.
    """

    kind: Literal["hourly", "daily", "weekly", "monthly"] = Field(
        description="Length of a window.", examples=["weekly"]
    )
    start: date | datetime = Field(
        description="Start of the first window, local time: a day, or for hourly windows a whole hour. Weeks begin on "
        "its weekday, months on its day (1 to 28).",
        examples=["2012-12-31", "2024-01-01T06:00"],
    )
    end: date | datetime | None = Field(
        None, description="End of the last window; open when left out.", examples=["2014-01-06"]
    )
    timezone: TimeZone = Field(
        "UTC",
        description="Time zone of the grid; a day with a clock change has 23 or 25 hours.",
        examples=["Europe/London"],
    )
    landing_delay_hours: int = Field(
        24, ge=0, description="Hours after a window's end at which the schedule runs it.", examples=[6]
    )

    @model_validator(mode="after")
    def _can_be_cut(self) -> "Cadence":
        for moment in filter(None, (self.start, self.end)):
            if isinstance(moment, datetime):
                if moment.tzinfo is not None:
                    raise ValueError(f"{moment} has a UTC offset; give local time and `timezone`")
                whole = (moment.minute, moment.second, moment.microsecond) == (0, 0, 0)
                if not whole or (self.kind != "hourly" and moment.hour):
                    raise ValueError(
                        f"{moment} is no start of a window; give a whole hour"
                        + ("" if self.kind == "hourly" else " 00:00")
                    )
            if self.kind == "monthly" and moment.day > _LAST_DAY_OF_EVERY_MONTH:
                raise ValueError(f"{moment}: not every month has a day {moment.day}; start on one of 1 to 28")
        if self.end is not None and _naive(self.end) <= _naive(self.start):
            raise ValueError(f"end {self.end} is not after start {self.start}")
        if self.end is not None and (off := _off_grid(self.kind, _naive(self.start), _naive(self.end))):
            raise ValueError(f"end {self.end} {off}")
        return self


def _naive(moment: date | datetime) -> datetime:
    return moment if isinstance(moment, datetime) else datetime(moment.year, moment.month, moment.day)


def _off_grid(kind: str, start: datetime, end: datetime) -> str:
    """Why a window cannot end there, or ""."""
    if kind == "weekly" and (end - start).days % 7:
        return f"is a {end:%A}; weeks that start on {start.date()} end on a {start:%A}"
    if kind == "monthly" and end.day != start.day:
        return f"is day {end.day} of its month; months that start on {start.date()} end on day {start.day}"
    return ""
