"""What a person wants to see of each column: examples, missing values, distinct values, quantiles, a histogram."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ml_assets.ml.validation.profiling.columns import Kind, ReferenceColumn, part_codes, reference_column

BARS = 32
TOP_VALUES = 8
_EXAMPLES = 5
_LONGEST_EXAMPLE = 60
_TRIMMED = (0.002, 0.998)
"""Quantiles between which the bars of numbers lie where tails would squeeze them into one."""


@dataclass(frozen=True)
class Bar:
    """One bar: a value, or a half-open range of numbers; `low` and `high` are NaN for values."""

    label: str
    count: int
    low: float = float("nan")
    high: float = float("nan")


@dataclass(frozen=True)
class ColumnSummary:
    """One column of a table.

    Attributes:
        name: Column.
        kind: What its values are.
        dtype: What pandas calls it.
        rows: Rows of the table.
        missing: Rows without a value.
        distinct: Distinct values; None where values cannot be compared.
        examples: A few values from all over the table, as text.
        quantiles: Name ("min", "5 %", "median", ...) -> value, of numbers; times as seconds since 1970.
        bars: A histogram of numbers and times; the most frequent values of text and truth values, most first.
        beyond: Values that the bars leave out on either side, or other values than the most frequent.
        missing_by_part: (n_parts,) share of missing values in each part, in order of the parts.
    """

    name: str
    kind: Kind
    dtype: str
    rows: int
    missing: int
    distinct: int | None
    examples: tuple[str, ...]
    quantiles: Mapping[str, float]
    bars: tuple[Bar, ...]
    beyond: int
    missing_by_part: tuple[float, ...]

    @property
    def missing_share(self) -> float:
        """Share of rows without a value, 0 to 1."""
        return self.missing / max(self.rows, 1)


QUANTILES = {"min": 0.0, "5 %": 0.05, "25 %": 0.25, "median": 0.5, "75 %": 0.75, "95 %": 0.95, "max": 1.0}


def summarize(frame: pd.DataFrame, *, parts: np.ndarray | None = None) -> tuple[ColumnSummary, ...]:
    """A summary of each column.

    Args:
        frame: (n, k) any table; its column names are unique.
        parts: (n,) time partition of each row; consecutive blocks of rows where left out.
    """
    codes = part_codes(len(frame), parts)
    return tuple(_summary(reference_column(str(name), frame[name], codes), frame[name]) for name in frame.columns)


def _summary(column: ReferenceColumn, series: pd.Series) -> ColumnSummary:
    comparable = column.kind not in ("empty", "other")
    bars, beyond = _bars(column)
    numbers = column.kind in ("int", "float", "time") and len(column.finite)
    found = np.quantile(column.finite, list(QUANTILES.values())) if numbers else ()
    with_rows = column.rows > 0
    return ColumnSummary(
        name=column.name,
        kind=column.kind,
        dtype=str(series.dtype),
        rows=column.n_rows,
        missing=column.n_rows - len(column.values),
        distinct=len(column.codes[1]) if comparable else None,
        examples=_examples(series[column.there]),
        quantiles=dict(zip(QUANTILES, map(float, found), strict=False)),
        bars=bars,
        beyond=beyond,
        missing_by_part=tuple((1 - column.counts[with_rows] / column.rows[with_rows]).tolist()),
    )


def _examples(values: pd.Series) -> tuple[str, ...]:
    """Distinct values from all over the column, in its order."""
    if not len(values):
        return ()
    places = np.unique(np.linspace(0, len(values) - 1, 20 * _EXAMPLES).astype(int))
    texts = dict.fromkeys(_text(value) for value in values.iloc[places])
    return tuple(texts)[:: max(1, len(texts) // _EXAMPLES)][:_EXAMPLES]


def _text(value: object) -> str:
    if isinstance(value, pd.Timestamp):
        return value.isoformat(sep=" ", timespec="minutes" if value.second == 0 else "seconds")
    text = f"{value:.6g}" if isinstance(value, float) else str(value)
    return text if len(text) <= _LONGEST_EXAMPLE else text[: _LONGEST_EXAMPLE - 1] + "…"


def _bars(column: ReferenceColumn) -> tuple[tuple[Bar, ...], int]:
    if column.kind in ("string", "bool"):
        return _top(column)
    if column.kind not in ("int", "float", "time") or not len(column.finite):
        return (), 0
    values = column.finite
    low, high = _shown_range(values)
    if column.exact and high - low < BARS:
        edges: NDArray[np.float64] = np.arange(low, high + 2) - 0.5
    else:
        edges = np.linspace(low, high, BARS + 1) if high > low else np.array([low - 0.5, low + 0.5])
    counts, _ = np.histogram(values, edges)
    bars = tuple(
        Bar("", int(count), float(a), float(b)) for count, a, b in zip(counts, edges[:-1], edges[1:], strict=True)
    )
    return bars, len(column.values) - int(counts.sum())


def _shown_range(values: NDArray[np.float64]) -> tuple[float, float]:
    """From least to greatest, unless a few values far out would take most of the room."""
    least, greatest = float(values.min()), float(values.max())
    inner_low, inner_high = (float(q) for q in np.quantile(values, _TRIMMED))
    if inner_high > inner_low and greatest - least > 2 * (inner_high - inner_low):
        return inner_low, inner_high
    return least, greatest


def _top(column: ReferenceColumn) -> tuple[tuple[Bar, ...], int]:
    codes, distinct = column.codes
    counts = np.bincount(codes, minlength=len(distinct))
    order = np.argsort(-counts, kind="stable")[:TOP_VALUES]
    names = [("true" if v else "false") if column.kind == "bool" else _text(v) for v in distinct[order]]
    bars = tuple(Bar(name, int(count)) for name, count in zip(names, counts[order], strict=True))
    return bars, int(counts.sum() - counts[order].sum())
