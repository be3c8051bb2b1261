"""Where windows and values lie in the picture. All panels share its columns, so what happened at once is in line."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

_WIDTH, _NARROWEST, _WIDEST = 1040.0, 7.0, 64.0
_LABEL = 84.0
"""Room that the name of a window needs, in pixels: the newest one may have a year, and ends at the edge."""


@dataclass(frozen=True)
class Grid:
    """One column per window, in pixels."""

    keys: tuple[str, ...]

    @cached_property
    def cell(self) -> float:
        """Width of a column."""
        return round(min(max(_WIDTH / max(len(self.keys), 1), _NARROWEST), _WIDEST), 2)

    @property
    def width(self) -> float:
        """Of all columns."""
        return round(self.cell * len(self.keys), 2)

    @cached_property
    def _places(self) -> dict[str, int]:
        return {key: place for place, key in enumerate(self.keys)}

    def place(self, key: str) -> int | None:
        """Number of a window's column."""
        return self._places.get(key)

    def left(self, place: int) -> float:
        """Left edge of a column."""
        return round(self.cell * place, 2)

    def middle(self, place: int) -> float:
        """Middle of a column."""
        return round(self.cell * (place + 0.5), 2)

    def since(self, key: str) -> int:
        """First column that is not before a window; that window may not be shown."""
        return next((place for place, each in enumerate(self.keys) if each >= key), len(self.keys))

    @cached_property
    def ticks(self) -> list[tuple[int, str]]:
        """Columns with a name, evenly spaced, the newest among them."""
        step = max(1, math.ceil(_LABEL / self.cell))
        places = sorted(range(len(self.keys) - 1, -1, -step))
        found, year = [], ""
        for place in places:
            name, of_year = _name(self.keys[place])
            found.append((place, f"{name} {of_year}" if of_year != year else name))
            year = of_year
        return found


@dataclass(frozen=True)
class Scale:
    """Values to heights: `low` at the bottom."""

    low: float
    high: float
    height: float

    def y(self, value: float) -> float:
        """Height of a value, from the top; beyond the scale it is its edge."""
        share = (min(max(value, self.low), self.high) - self.low) / (self.high - self.low)
        return round(self.height * (1 - share), 2)

    @property
    def ticks(self) -> list[float]:
        """Round values, at most eight."""
        step = _round_step((self.high - self.low) / 7)
        first = math.ceil(self.low / step - 1e-9)
        return [round(step * n, 10) for n in range(first, first + 8) if step * n <= self.high + 1e-9 * step]


def scale_of(values: Sequence[float], height: float) -> Scale:
    """A scale with some air around all values."""
    low, high = min(values), max(values)
    room = (high - low) * 0.08 or abs(high) * 0.1 or 1.0
    return Scale(low - room, high + room, height)


def squares(places: Sequence[tuple[float, float]], width: float, height: float) -> str:
    """Path of equal rectangles with these left upper corners: many in few bytes."""
    return "".join(f"M{_n(x)} {_n(y)}h{_n(width)}v{_n(height)}h-{_n(width)}z" for x, y in places)


def _name(key: str) -> tuple[str, str]:
    """Short name of a window, and its year."""
    day = datetime.strptime(key[:10], "%Y-%m-%d")
    hour = f" {key[11:16]}" if len(key) > 10 else ""
    return f"{day.day} {day:%b}{hour}", str(day.year)


def _round_step(rough: float) -> float:
    power = 10.0 ** math.floor(math.log10(rough))
    return next(step * power for step in (1, 2, 2.5, 5, 10) if step * power >= rough * 0.999)


def _n(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0")
