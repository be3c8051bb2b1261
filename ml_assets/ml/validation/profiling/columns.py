"""One column of a reference as plain values by part, whatever pandas type it came in. Nothing is learned here."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

Kind = Literal["int", "float", "string", "bool", "time", "empty", "other"]

MIN_PART_ROWS = 30
"""Values below which a part is left out of what is measured between parts: its quantiles would be noise."""

MIN_PART_SHARE = 0.1
"""Of the median part's values: the same for parts that were cut short."""

_BLOCKS, _BLOCK_ROWS = 10, 100
_MICROSECONDS = 1_000_000


@dataclass(frozen=True)
class ReferenceColumn:
    """The values of one column that are there, each with its part.

    Attributes:
        name: Column.
        kind: What the values are; `empty` without any, `other` for lists, dates and the like.
        values: (m,) float64 of numbers, truth values (0, 1) and times (seconds since 1970, UTC); object of text.
            NaN counts as null, infinity as a value.
        parts: (m,) int, the part of each, 0 to `n_parts` - 1.
        there: (n,) whether each row of the reference has a value.
        rows: (n_parts,) rows of each part, nulls included.
        exact: Whether every number is whole.
    """

    name: str
    kind: Kind
    values: NDArray[Any]
    parts: NDArray[np.int64]
    there: NDArray[np.bool_]
    rows: NDArray[np.int64]
    exact: bool = False

    @property
    def n_rows(self) -> int:
        """Rows of the reference."""
        return int(self.rows.sum())

    @cached_property
    def counts(self) -> NDArray[np.int64]:
        """(n_parts,) values of each part that are there."""
        return np.bincount(self.parts, minlength=len(self.rows))

    @cached_property
    def usable(self) -> NDArray[np.int64]:
        """Parts with enough values to be compared: a day that a week was cut to is no week."""
        typical = float(np.median(self.counts[self.counts > 0])) if self.counts.any() else 0.0
        return np.flatnonzero(self.counts >= max(MIN_PART_ROWS, MIN_PART_SHARE * typical))

    @cached_property
    def finite(self) -> NDArray[np.float64]:
        """Values without infinities, of all parts."""
        return self.values[np.isfinite(self.values)]

    @cached_property
    def codes(self) -> tuple[NDArray[np.int64], NDArray[Any]]:
        """((m,) position of each value among the distinct ones, the distinct ones in order)."""
        codes, distinct = pd.factorize(self.values, sort=True)
        return codes.astype(np.int64), np.asarray(distinct)

    def by_part(self) -> Iterator[NDArray[Any]]:
        """The values of each usable part."""
        order = np.argsort(self.parts, kind="stable")
        pieces = np.split(self.values[order], np.cumsum(self.counts)[:-1])
        return (pieces[part] for part in self.usable)

    def table(self) -> NDArray[np.int64]:
        """(n_usable, n_distinct) how often each distinct value occurs in each usable part."""
        codes, distinct = self.codes
        flat = np.bincount(self.parts * len(distinct) + codes, minlength=len(self.rows) * len(distinct))
        return flat.reshape(len(self.rows), len(distinct))[self.usable]

    def whole(self) -> NDArray[np.float64]:
        """(n,) numbers or times of all rows, NaN where there is none."""
        found = np.full(len(self.there), np.nan)
        found[self.there] = self.values
        return found


def part_codes(rows: int, parts: np.ndarray | None) -> NDArray[np.int64]:
    """(n,) part of each row, from 0. Without parts, consecutive blocks of at least 100 rows stand for them."""
    if parts is None:
        blocks = max(1, min(_BLOCKS, rows // _BLOCK_ROWS))
        return (np.arange(rows) * blocks // max(rows, 1)).astype(np.int64)
    codes, _ = pd.factorize(np.asarray(parts), sort=True)
    return codes.astype(np.int64)


def reference_column(name: str, series: pd.Series, parts: NDArray[np.int64]) -> ReferenceColumn:
    """A column as plain values.

    Args:
        name: Its name.
        series: (n,) its values, of any pandas type.
        parts: (n,) part of each row, from `part_codes`.
    """
    kind, values = _plain(series)
    there = ~pd.isna(values)
    rows = np.bincount(parts) if len(parts) else np.zeros(1, np.int64)
    kept = values[there]
    exact = kind in ("int", "float", "bool") and bool(np.all(np.mod(kept[np.isfinite(kept)], 1) == 0))
    return ReferenceColumn(name, kind, kept, parts[there], there, rows, exact)


def _plain(series: pd.Series) -> tuple[Kind, NDArray[Any]]:
    series = series.astype(series.cat.categories.dtype) if isinstance(series.dtype, pd.CategoricalDtype) else series
    types = pd.api.types
    if series.isna().all():
        return "empty", np.full(len(series), np.nan)
    if types.is_bool_dtype(series.dtype):
        return "bool", _numbers(series)
    if types.is_numeric_dtype(series.dtype) and not types.is_complex_dtype(series.dtype):
        return "int" if types.is_integer_dtype(series.dtype) else "float", _numbers(series)
    if types.is_datetime64_any_dtype(series.dtype):
        return "time", _seconds(series)
    return _of_objects(series.astype(object))


def _of_objects(series: pd.Series) -> tuple[Kind, NDArray[Any]]:
    """By what the objects are; pandas calls a column of text and a column of lists the same."""
    match pd.api.types.infer_dtype(series, skipna=True):
        case "string":
            return "string", series.to_numpy(dtype=object)
        case "boolean":
            return "bool", _numbers(series)
        case "integer":
            return "int", _numbers(series)
        case "floating" | "mixed-integer-float" | "decimal":
            return "float", _numbers(series)
        case "datetime" | "datetime64":
            return "time", _seconds(pd.to_datetime(series, utc=True))
    return "other", np.where(series.isna(), np.nan, 1.0)


def _numbers(series: pd.Series) -> NDArray[np.float64]:
    if series.dtype == object:
        return np.array([np.nan if pd.isna(value) else float(value) for value in series], dtype=np.float64)
    return series.to_numpy(dtype=np.float64, na_value=np.nan)


def _seconds(series: pd.Series) -> NDArray[np.float64]:
    """Times without a zone are UTC, as everywhere on the platform."""
    times = series.dt.tz_localize("UTC") if series.dt.tz is None else series.dt.tz_convert("UTC")
    since = times.astype("datetime64[us, UTC]").astype(np.int64).to_numpy() / _MICROSECONDS
    return np.where(series.isna(), np.nan, since)
