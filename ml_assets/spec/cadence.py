"""When a problem's windows begin and end."""

from datetime import date, timedelta
from typing import Literal

from pydantic import Field, model_validator

from ml_assets.spec.base import Spec


class Cadence(Spec):
    """The grid of windows: every partition of a problem is one of them, in UTC.

    A window is named after the day on which it starts. A training *cutoff* is a day of the same grid, so
    "trained for the window of 2013-04-01" means: from nothing that became known after that window's start.
    """

    kind: Literal["weekly"] = Field("weekly", description="Length of a window.")
    start: date = Field(description="First day of the first window; a Monday, e.g. 2012-12-31.")
    end: date | None = Field(None, description="Day after the last window; open when left out. A Monday.")
    landing_delay_hours: int = Field(
        24, ge=0, description="Hours after a window's end at which the weekly schedule runs it."
    )

    @model_validator(mode="after")
    def _on_the_grid(self) -> "Cadence":
        for day in filter(None, (self.start, self.end)):
            if day.weekday() != 0:
                monday = day - timedelta(days=day.weekday())
                raise ValueError(f"{day} is not a Monday; the week it lies in starts on {monday}")
        if self.end is not None and self.end <= self.start:
            raise ValueError(f"end {self.end} is not after start {self.start}")
        return self
