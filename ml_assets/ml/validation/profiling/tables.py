"""How many rows a table has."""

import numpy as np
from numpy.typing import NDArray

from ml_assets.ml.validation.profiling.tolerance import band
from ml_assets.spec import RowCount


def row_count_rule(parts: NDArray[np.int64], over: str, *, per_part: bool) -> RowCount | None:
    """Rows of the next table: half of the reference at least, or of a part what parts have with their spread.

    Args:
        parts: (n,) part of each row.
        over: What the reference is, for the notes.
        per_part: Whether a part, and not the whole, is judged.
    """
    rows = len(parts)
    if rows == 0:
        return None
    sizes = np.bincount(parts)
    sizes = _whole(sizes[sizes > 0])
    if not per_part or len(sizes) < 2:
        notes = f"{rows:,} in the reference; half of them at least."
        return RowCount(kind="row_count", low=rows // 2, notes=notes)
    low, high = band(sizes, 0.2 * float(np.median(sizes)))
    notes = f"{sizes.min():,} to {sizes.max():,} in {over}."
    return RowCount(kind="row_count", low=_down(low), high=_up(high), severity="warning", notes=notes)


def _whole(sizes: NDArray[np.int64]) -> NDArray[np.int64]:
    """Without a first or last part that the beginning or end of the history has cut: below half of the median."""
    full = sizes >= np.median(sizes) / 2
    full[1:-1] = True
    return sizes[full]


def _down(value: float) -> int:
    return 0 if value <= 0 else int(float(f"{value * 0.995:.1e}"))


def _up(value: float) -> int:
    return int(float(f"{value * 1.05:.1e}"))
