"""Counts of rows as SQL, with the meaning that Great Expectations' pandas engine gives them.

Here belongs which of GX's metrics are one aggregate in DuckDB, and on which columns SQL and pandas agree. Who asks for
them, and what becomes of the rest, stands in `gx_duckdb.py`.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import pandas as pd
import pyarrow as pa

from ml_assets.ml.features.query import connect

Sql = tuple[str, list[Any]]
"""An expression and the values of its parameters."""


@dataclass
class Counting:
    """The columns of one frame as DuckDB reads them, converted when first asked for."""

    frame: pd.DataFrame
    columns: dict[str, pa.Array | None] = field(default_factory=dict)

    def kind(self, name: Any) -> str | None:
        """How SQL and pandas agree on a column: "number", "time", "text"; None where they may not, or it is absent."""
        array = self._column(name)
        if array is None:
            return None
        if pa.types.is_integer(array.type) or pa.types.is_floating(array.type):
            return "number"
        return "time" if pa.types.is_timestamp(array.type) else "text"

    def ask(self, select: str, parameters: Iterable[Any] = ()) -> list[tuple[Any, ...]]:
        """Rows of a SELECT over `t`, the columns that were asked about."""
        con = connect()
        try:
            ready = {name: array for name, array in self.columns.items() if array is not None}
            con.register("t", pa.table(ready))
            return con.execute(select, list(parameters)).fetchall()
        finally:
            con.close()

    def _column(self, name: Any) -> pa.Array | None:
        if name not in self.columns:
            self.columns[name] = _array(self.frame[name]) if name in self.frame else None
        return self.columns[name]


def _array(series: pd.Series) -> pa.Array | None:
    """Numbers, times and texts with nulls as nulls; None for what is none of them throughout."""
    if isinstance(series, pd.DataFrame):  # two columns of one name
        return None
    if pd.api.types.is_object_dtype(series) or pd.api.types.is_string_dtype(series):
        try:
            found = pa.array(series, from_pandas=True)
        except (pa.ArrowInvalid, pa.ArrowTypeError):
            return None
        return found if pa.types.is_string(found.type) or pa.types.is_large_string(found.type) else None
    numbers = pd.api.types.is_numeric_dtype(series) and not pd.api.types.is_bool_dtype(series)
    if numbers or pd.api.types.is_datetime64_any_dtype(series):
        return pa.array(series, from_pandas=True)
    return None


def quoted_name(column: str) -> str:
    return '"' + column.replace('"', '""') + '"'


def _nulls(counting: Counting, domain: Mapping[str, Any], values: Mapping[str, Any]) -> Sql | None:
    column = domain["column"]
    return (f"count(*) - count({quoted_name(column)})", []) if counting.kind(column) else None


def _values(counting: Counting, domain: Mapping[str, Any], values: Mapping[str, Any]) -> Sql | None:
    column = domain["column"]
    return (f"count({quoted_name(column)})", []) if counting.kind(column) else None


def _not_text(counting: Counting, domain: Mapping[str, Any], values: Mapping[str, Any]) -> Sql | None:
    """A column that arrow takes for text holds nothing but text."""
    if counting.kind(domain["column"]) != "text":
        return None
    return ("0", []) if "str" in values["type_list"] else _values(counting, domain, values)


def _outside(counting: Counting, domain: Mapping[str, Any], values: Mapping[str, Any]) -> Sql | None:
    column, low, high = domain["column"], values.get("min_value"), values.get("max_value")
    if counting.kind(column) != "number":
        return None
    signs = ("<=" if values.get("strict_min") else "<", ">=" if values.get("strict_max") else ">")
    ends = [(sign, end) for sign, end in zip(signs, (low, high), strict=True) if end is not None]
    outside = " OR ".join(f"{quoted_name(column)} {sign} ?" for sign, _ in ends)
    return f"count(*) FILTER ({outside})", [end for _, end in ends]


def _foreign(counting: Counting, domain: Mapping[str, Any], values: Mapping[str, Any]) -> Sql | None:
    column, listed = domain["column"], list(values["value_set"])
    expected: tuple[type, ...] = (str,) if counting.kind(column) == "text" else (int, float)
    if counting.kind(column) not in ("text", "number") or not all(isinstance(each, expected) for each in listed):
        return None
    return f"count(*) FILTER ({quoted_name(column)} NOT IN ({', '.join('?' * len(listed))}))", listed


def _pairs(counting: Counting, domain: Mapping[str, Any]) -> tuple[str, str] | None:
    a, b = domain["column_A"], domain["column_B"]
    kinds = {counting.kind(a), counting.kind(b)}
    ours = kinds in ({"number"}, {"time"}) and domain.get("ignore_row_if") == "either_value_is_missing"
    return (quoted_name(a), quoted_name(b)) if ours else None


def _disordered(counting: Counting, domain: Mapping[str, Any], values: Mapping[str, Any]) -> Sql | None:
    pair = _pairs(counting, domain)
    return (f"count(*) FILTER ({pair[0]} < {pair[1]})", []) if pair and values.get("or_equal") else None


def _both(counting: Counting, domain: Mapping[str, Any], values: Mapping[str, Any]) -> Sql | None:
    pair = _pairs(counting, domain)
    return (f"count(*) FILTER ({pair[0]} IS NOT NULL AND {pair[1]} IS NOT NULL)", []) if pair else None


def _alike(counting: Counting, domain: Mapping[str, Any], values: Mapping[str, Any]) -> Sql | None:
    names = list(dict.fromkeys(domain["column_list"]))
    if domain.get("ignore_row_if") != "never" or not all(counting.kind(name) for name in names):
        return None
    groups = f"SELECT count(*) AS n FROM t GROUP BY {', '.join(map(quoted_name, names))} HAVING count(*) > 1"
    return f"(SELECT coalesce(sum(n), 0)::BIGINT FROM ({groups}))", []


def _all_rows(counting: Counting, domain: Mapping[str, Any], values: Mapping[str, Any]) -> Sql | None:
    return ("count(*)", []) if _alike(counting, domain, values) else None


def _parts(counting: Counting, domain: Mapping[str, Any], values: Mapping[str, Any]) -> Sql | None:
    """Counts between edges, the last one included, as numpy's histogram has them."""
    column, edges = domain["column"], [float(edge) for edge in values["bins"]]
    if counting.kind(column) != "number":
        return None
    name, last = quoted_name(column), len(edges) - 2
    counts = [
        f"count(*) FILTER ({name} >= ? AND {name} {'<=' if at == last else '<'} ?)" for at in range(len(edges) - 1)
    ]
    ends = [end for pair in pairwise(edges) for end in pair]
    return f"[{', '.join(counts)}]", ends


Count = Callable[[Counting, Mapping[str, Any], Mapping[str, Any]], Sql | None]

COUNTS: dict[str, Count] = {
    "column_values.nonnull.unexpected_count": _nulls,
    "column_values.null.unexpected_count": _values,
    "column_values.in_type_list.unexpected_count": _not_text,
    "column_values.between.unexpected_count": _outside,
    "column_values.in_set.unexpected_count": _foreign,
    "column_pair_values.a_greater_than_b.unexpected_count": _disordered,
    "column_pair_values.a_greater_than_b.filtered_row_count": _both,
    "compound_columns.unique.unexpected_count": _alike,
    "compound_columns.unique.filtered_row_count": _all_rows,
    "column.histogram": _parts,
}
"""GX's metrics that are one SQL aggregate: (expression, its parameters), or None where pandas has to count."""
