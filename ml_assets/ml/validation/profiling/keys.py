"""What no two rows of a reference share: the declared key, or columns that are unique beyond chance."""

from collections.abc import Mapping, Sequence
from itertools import combinations

import numpy as np
import pandas as pd

from ml_assets.ml.validation.profiling.columns import ReferenceColumn
from ml_assets.spec import UniqueTogether

_MOST_CANDIDATES = 8
_LEAST_ROWS = 100
_EXPECTED_COLLISIONS = 10.0
"""Pairs of equal rows that chance alone would have made, at least, where there is none."""


def key_rule(
    frame: pd.DataFrame, columns: Mapping[str, ReferenceColumn], key: Sequence[str], over: str
) -> UniqueTogether | None:
    """What is unique together: the key that is declared, or the first column or pair of columns that proves to be.

    Args:
        frame: The reference.
        columns: Its columns as plain values.
        key: The declared key; empty where none is.
        over: What the reference is, for the notes.
    """
    rows = len(frame)
    if key:
        if frame.duplicated(list(key)).any():
            return None
        notes = f"The declared key; no two of {rows:,} rows share it."
        return UniqueTogether(kind="unique_together", columns=tuple(key), notes=notes)
    found = _unique(frame, columns)
    if not found:
        return None
    notes = f"No two of {rows:,} rows in {over} share {'it' if len(found) == 1 else 'both'}."
    return UniqueTogether(kind="unique_together", columns=found, notes=notes)


def _unique(frame: pd.DataFrame, columns: Mapping[str, ReferenceColumn]) -> tuple[str, ...]:
    rows = len(frame)
    if rows < _LEAST_ROWS:
        return ()
    candidates = [c for c in columns.values() if c.kind in ("string", "int", "time") and len(c.values) == rows]
    for column in candidates:
        if len(column.codes[1]) == rows and column.kind != "time":
            return (column.name,)
    repeated = {c.name: _chance_of_equal(c) for c in candidates if len(c.codes[1]) < rows}
    likely = sorted(repeated, key=lambda name: repeated[name])[:_MOST_CANDIDATES]
    for pair in combinations(likely, 2):
        expected = rows * (rows - 1) / 2 * repeated[pair[0]] * repeated[pair[1]]
        if expected >= _EXPECTED_COLLISIONS and not frame.duplicated(list(pair)).any():
            return tuple(name for name in columns if name in pair)
    return ()


def _chance_of_equal(column: ReferenceColumn) -> float:
    """That two rows drawn at random have the same value."""
    counts = np.bincount(column.codes[0]).astype(np.float64)
    return float((counts * (counts - 1)).sum() / max(counts.sum() * (counts.sum() - 1), 1.0))
