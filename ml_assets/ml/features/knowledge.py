"""The knowledge-time rule: a value must be computable from what was known when it claims to have been known.

The rule does not trust what a computation says of itself. It hides everything that became known after a moment t,
computes again, and compares the rows that claim to have been known by t. A difference is a leak, whatever the
score says.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
import pandas as pd
import pyarrow as pa

from ml_assets.errors import LeakageError


@dataclass(frozen=True)
class Claim:
    """A computation, and how its rows say when they were known.

    Attributes:
        what: Name for errors, e.g. "feature view 'weather'".
        key: Columns that identify a row.
        known_at: Column with the moment at which the whole row claims to have been known (UTC).
        as_of: Computes again from what was known by a moment.
    """

    what: str
    key: tuple[str, ...]
    known_at: str
    as_of: Callable[[datetime], pa.Table]


def check_knowledge(claim: Claim, result: pa.Table, *, cut: float = 0.5) -> int:
    """Compute again as of one moment and compare.

    Args:
        claim: What is checked.
        result: (n, k) what was computed with nothing hidden.
        cut: Where in the sorted `known_at` of the result the moment lies, 0 (first row) to 1 (last row).

    Returns:
        Rows compared; 0 when the result is empty.

    Raises:
        LeakageError: A row that claims to have been known by then looks different.
    """
    frame = result.to_pandas()
    if frame.empty:
        return 0
    moment: datetime = frame[claim.known_at].sort_values().iloc[int(cut * (len(frame) - 1))].to_pydatetime()
    hidden = claim.as_of(moment).to_pandas()
    full, then = (part[part[claim.known_at] <= moment] for part in (frame, hidden))
    differing = _differences(full, then, claim.key)
    if differing:
        rows = max(differing.values())
        worst = max(differing, key=lambda column: differing[column])
        raise LeakageError(claim.what, sorted(differing), rows, f"column '{worst}' at {moment:%Y-%m-%d %H:%M} UTC")
    return len(full)


def _differences(full: pd.DataFrame, then: pd.DataFrame, key: Sequence[str]) -> dict[str, int]:
    """Columns that differ, with the number of rows; a row on one side only differs in its key."""
    both = full.merge(then, on=list(key), how="outer", suffixes=("", "\0then"), indicator=True)
    lonely = int((both["_merge"] != "both").sum())
    counts = {key[0]: lonely} if lonely else {}
    both = both[both["_merge"] == "both"]
    for column in full.columns.difference(list(key)):
        differ = ~_equal(both[column], both[f"{column}\0then"])
        if differ.any():
            counts[column] = int(differ.sum())
    return counts


def _equal(left: pd.Series, right: pd.Series) -> np.ndarray:
    if pd.api.types.is_float_dtype(left) or pd.api.types.is_float_dtype(right):
        # A column hidden altogether comes back as objects; sums may differ in the last bit.
        numbers = [pd.to_numeric(side, errors="coerce").to_numpy(float) for side in (left, right)]
        return np.isclose(numbers[0], numbers[1], rtol=1e-9, atol=1e-9, equal_nan=True)
    return ((left == right) | (left.isna() & right.isna())).to_numpy(bool)
