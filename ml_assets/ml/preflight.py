"""Two frames made comparable: the same columns, of plain types, on a stated sample.

Evidently skips nullable and arrow columns in silence, drops missing values before it compares, ignores a lost
column and fails as a whole on an empty one. So columns are required, cast and counted here, before it sees
them. Distances and verdicts are the business of `distances.py` and `drift.py`.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from ml_assets.errors import DriftColumnsError
from ml_assets.ml.encoding import numbers
from ml_assets.spec import FeatureType


@dataclass(frozen=True)
class Sides:
    """The same columns of the reference and of the current window.

    Attributes:
        reference: (<= sample, k) columns of float64 (NaN = missing) or of `str` objects (None = missing).
        current: The same columns of the window.
        types: Column -> declared type, in the order of the columns.
        notes: Column -> what a reader has to know about its values.
    """

    reference: pd.DataFrame
    current: pd.DataFrame
    types: Mapping[str, FeatureType]
    notes: Mapping[str, str]

    def missing(self, column: str) -> tuple[float, float]:
        """Share of missing values in 0..1, (reference, current); 0 where there are no rows."""
        return _missing(self.reference[column]), _missing(self.current[column])

    def values(self, column: str) -> tuple[int, int]:
        """Number of values that are there, (reference, current)."""
        return int(self.reference[column].count()), int(self.current[column].count())

    def categories(self, column: str) -> int:
        """Number of distinct values on both sides together."""
        return pd.concat([self.reference[column], self.current[column]]).nunique()


def require(reference: pd.DataFrame, current: pd.DataFrame, columns: Iterable[str]) -> None:
    """Refuse frames that lack columns.

    Raises:
        DriftColumnsError: A side lacks columns.
    """
    for side, frame in (("reference", reference), ("current", current)):
        if lost := [column for column in columns if column not in frame.columns]:
            raise DriftColumnsError(side, lost)


def prepare(
    reference: pd.DataFrame,
    current: pd.DataFrame,
    types: Mapping[str, FeatureType],
    *,
    sample_rows: int,
    seed: int,
) -> Sides:
    """Sample and cast the columns of both sides.

    Args:
        reference: (n, >= k) rows to compare with; numbers of any numeric, nullable, arrow or object type.
        current: (m, >= k) rows of the window; m may be 0.
        types: The k columns and their declared types.
        sample_rows: Rows kept of each side at most; they stay in their order.
        seed: Seed of the sample.

    Raises:
        FeatureTypeError: A numeric column holds text or times.
    """
    before, now = (_plain(_sample(frame, sample_rows, seed), types) for frame in (reference, current))
    notes = {}
    for column, kind in types.items():
        if before[column].nunique() == 1:
            notes[column] = "one value only in the reference"
        elif kind != "string" and (scale := _scale(before[column])) > 1:
            notes[column] = f"compared and shown times {scale:.0e}"
            before[column], now[column] = before[column] * scale, now[column] * scale
    return Sides(before, now, dict(types), notes)


def _scale(column: pd.Series) -> float:
    """Power of ten that lifts a standard deviation to 0.01 or more.

    Evidently norms by at least 0.001, so a rate of finer spread could never drift. The distance has no unit.
    """
    spread = float(column.std())
    return 10.0 ** np.ceil(-np.log10(spread) - 2) if 0 < spread < 0.001 else 1.0


def _sample(frame: pd.DataFrame, rows: int, seed: int) -> pd.DataFrame:
    if len(frame) <= rows:
        return frame
    return frame.iloc[np.sort(np.random.default_rng(seed).choice(len(frame), rows, replace=False))]


def _plain(frame: pd.DataFrame, types: Mapping[str, FeatureType]) -> pd.DataFrame:
    return pd.DataFrame(
        {name: _text(frame[name]) if kind == "string" else _float(frame, name) for name, kind in types.items()},
        index=pd.RangeIndex(len(frame)),
        columns=list(types),
    )


def _float(frame: pd.DataFrame, name: str) -> np.ndarray:
    # Infinite values have no distance to others: they count as missing, which the missing share then shows.
    values = numbers(frame, name)
    return np.where(np.isfinite(values), values, np.nan)


def _text(column: pd.Series) -> np.ndarray:
    """(n,) objects: `str` or None. Codes that missing values turned from 1 into 1.0 stay one category."""
    if pd.api.types.is_float_dtype(column.dtype) and (column.dropna() % 1 == 0).all():
        column = column.astype("Int64")
    codes, values = pd.factorize(column)
    return np.array([*map(str, values), None], dtype=object)[codes]


def _missing(column: pd.Series) -> float:
    return float(column.isna().mean()) if len(column) else 0.0
