"""Faults as deliveries have them, planted into a frame: a unit, a swap, a gap, a new value, a clock.

Each fault names the columns that it changes, so that only the rules on those need to be judged.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import pandas as pd

SIZES = (0.01, 0.05, 0.25, 1.0)
"""Shares of the rows that a fault changes."""
SHIFTS_H = (1, 5, 12)
_MOST_PAIRS = 60
_MOST_CATEGORIES = 200
_NEW = "a value never seen"


@dataclass(frozen=True)
class Fault:
    """One fault: what, on which columns, in which share of the rows."""

    kind: str
    columns: tuple[str, ...]
    size: float
    hours: int = 0
    """Of a clock: by how much it is wrong."""

    def plant(self, frame: pd.DataFrame, seed: int) -> pd.DataFrame:
        """The frame with the fault in it, in rows drawn by the seed."""
        found, [name, *others] = frame.copy(deep=False), self.columns
        hit = np.random.default_rng(seed).random(len(frame)) < self.size if self.size < 1 else np.full(len(frame), True)
        match self.kind:
            case "scale ×100":
                found[name] = frame[name].mask(hit, frame[name] * 100)
            case "swapped columns":
                first, second = frame[name], frame[others[0]]
                found[name] = first.where(~hit, second)
                found[others[0]] = second.where(~hit, first)
            case "null burst":
                found[name] = frame[name].mask(hit)
            case "new category":
                found[name] = frame[name].mask(hit, _NEW)
            case _:
                found[name] = frame[name].mask(hit, frame[name] + pd.Timedelta(hours=self.hours))
        return found

    def is_catchable(self, frame: pd.DataFrame) -> bool:
        """Whether the fault changes anything: a hundred times 0 is 0, and equal columns may be swapped."""
        return not self.plant(frame, 0)[list(self.columns)].equals(frame[list(self.columns)])


def faults_of(frame: pd.DataFrame, columns: Sequence[str], sizes: Sequence[float] = SIZES) -> Iterator[Fault]:
    """Every fault that fits a table.

    Args:
        frame: The table, without faults.
        columns: Columns that rules may name.
        sizes: Shares of rows.
    """
    numbers = [c for c in columns if pd.api.types.is_numeric_dtype(frame[c])]
    times = [c for c in columns if pd.api.types.is_datetime64_any_dtype(frame[c])]
    texts = [c for c in columns if frame[c].dtype == object]
    for size in sizes:
        yield from (Fault("scale ×100", (c,), size) for c in numbers)
        yield from (Fault("null burst", (c,), size) for c in columns)
        yield from (Fault("new category", (c,), size) for c in texts if frame[c].nunique() <= _MOST_CATEGORIES)
        yield from (Fault(f"clock {hours} h late", (c,), size, hours) for hours in SHIFTS_H for c in times)
        yield from (Fault("swapped columns", pair, size) for pair in _pairs(numbers, texts, times))


def _pairs(*families: Sequence[str]) -> list[tuple[str, ...]]:
    """Pairs of columns of one type, evenly chosen where there are many."""
    pairs = [pair for family in families for pair in combinations(family, 2)]
    return pairs[:: max(1, -(-len(pairs) // _MOST_PAIRS))]
