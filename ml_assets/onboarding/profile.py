"""What the columns of a table hold: types, gaps, dirt, ranges, values. Measured by DuckDB over the whole file."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ml_assets.errors import UnreadableTableError
from ml_assets.ml.landing.parsing import identifier, with_values
from ml_assets.onboarding.inference import Inferred, infer
from ml_assets.onboarding.table import ORDINAL, RAW, SAMPLE_ROWS, TYPED, FlatTable
from ml_assets.spec import ColumnType

MAX_LISTED = 200
"""Columns with at most so many different values have them listed."""
_COUNTED = 10_000
"""Columns with more different values have them estimated, but for those whose values may all differ."""
UNPARSABLE = "__unparsable "
"""Prefix of the columns of `typed` that mark texts which are no value of their column's type."""


@dataclass(frozen=True)
class ColumnProfile:
    """One column over all rows.

    Attributes:
        name: Its declared name.
        type: Its declared type.
        rows: Rows of the table.
        nulls: Rows without a value, those with a text that is none of the type included.
        unparsable: Texts among them that are no value of the type.
        infinite: Infinite values.
        distinct: Different values; within some percent where they are more than ten thousand and yet repeat.
        low: Least finite number; None for other types and for empty columns.
        high: Greatest finite number.
        usual: Where the middle 99% of some thousand numbers lie; None for other types.
        mean_length: Mean length of a text, in characters.
        values: Value -> rows, most frequent first; empty where there are more than `MAX_LISTED`.
        parsed: Whether it is stored as text and declared as something else.
        time_format: strptime format of its texts, where they are not ISO 8601.
        doubtful_format: Whether day and month could be the other way round.
    """

    name: str
    type: ColumnType
    rows: int
    nulls: int
    unparsable: int = 0
    infinite: int = 0
    distinct: int = 0
    low: float | None = None
    high: float | None = None
    usual: tuple[float, float] | None = None
    mean_length: float = 0.0
    values: Mapping[Any, int] = field(default_factory=dict)
    parsed: bool = False
    time_format: str | None = None
    doubtful_format: bool = False

    @property
    def null_share(self) -> float:
        """Share of rows without a value, 0 to 1."""
        return self.nulls / self.rows

    @property
    def known(self) -> int:
        """Rows with a value."""
        return self.rows - self.nulls

    @property
    def unique(self) -> bool:
        """Whether every row has a value of its own."""
        return self.nulls == 0 and self.distinct == self.rows


@dataclass(frozen=True)
class TableProfile:
    """The columns of a table.

    Attributes:
        rows: Rows of the file.
        columns: Name -> profile, in the order of the file.
        unfit: Columns of the file that cannot be declared -> why.
    """

    rows: int
    columns: Mapping[str, ColumnProfile]
    unfit: Mapping[str, str]

    def of_type(self, *types: ColumnType) -> list[ColumnProfile]:
        """Columns of these types."""
        return [column for column in self.columns.values() if column.type in types]


def profile(table: FlatTable, *, exclude: frozenset[str] = frozenset(), time_format: str | None = None) -> TableProfile:
    """Profile every column that is not excluded, and leave the table with the relation `typed`."""
    tried = {name: infer(table, name, time_format) for name in table.stored if name not in exclude}
    inferred = {name: found for name, found in tried.items() if found}
    unfit = {name: "has a name that cannot be declared: rename it, or let `--copy` do so" for name in table.unnamed}
    unfit |= {name: "was excluded on the command line" for name in sorted(exclude)}
    unfit |= {name: f"is {table.stored[name]}, which no declared type is" for name in tried if name not in inferred}
    if not inferred:
        raise UnreadableTableError(table.path, "none of its columns can be declared; rename them, or use --copy")
    table.add_nulls(sorted({text for found in inferred.values() for text in found.null_texts}))
    read = with_values(RAW, {name: found.value for name, found in inferred.items()})
    columns = {name: _typed(name, found) for name, found in inferred.items()}
    marks = {f"{UNPARSABLE}{name}": _is_unparsable(name) for name, found in inferred.items() if found.value.text}
    local = table.timezone != "UTC" and any(found.type == "timestamp" for found in inferred.values())
    table.type_columns(columns | marks, read, keep=local or any(found.parsed for found in inferred.values()))
    return TableProfile(table.rows, _columns(table, inferred, _unparsable(table, list(marks))), unfit)


def _typed(name: str, found: Inferred) -> str:
    """SQL of a value as it lands: NaN is a missing one."""
    read = identifier(f"value:{name}")
    return f"CASE WHEN NOT isnan({read}) THEN {read} END" if found.type == "float64" else read


def _unparsable(table: FlatTable, marks: Sequence[str]) -> dict[str, int]:
    """Columns with texts that are no value of their type -> how many."""
    if not marks:
        return {}
    counts = table.one(f"SELECT {', '.join(f'count(*) FILTER ({identifier(mark)})' for mark in marks)} FROM {TYPED}")
    return {mark.removeprefix(UNPARSABLE): count for mark, count in zip(marks, counts, strict=True) if count}


def _is_unparsable(name: str) -> str:
    return f"({identifier(f'text:{name}')} IS NOT NULL AND {identifier(f'value:{name}')} IS NULL)"


def _columns(table: FlatTable, inferred: Mapping[str, Inferred], bad: Mapping[str, int]) -> dict[str, ColumnProfile]:
    asked: list[str] = []
    for name, found in inferred.items():
        column = identifier(name)
        finite = f"FILTER (isfinite({column}))" if found.type == "float64" else ""
        number = found.type in ("int64", "float64")
        asked += [
            f"count(*) - count({column})",
            f"approx_count_distinct({column})",
            f"count(*) FILTER (isinf({column}))" if found.type == "float64" else "0",
            f"min({column}) {finite}" if number else "NULL",
            f"max({column}) {finite}" if number else "NULL",
            f"avg(length({column}))" if found.type == "string" else "NULL",
        ]
    answers = iter(table.one(f"SELECT {', '.join(asked)} FROM {TYPED}") if asked else ())
    columns = {}
    for name, found in inferred.items():
        nulls, distinct, infinite, low, high, length = (next(answers) for _ in range(6))
        exact, values = _distinct(table, name, distinct, table.rows - nulls)
        columns[name] = ColumnProfile(
            name=name,
            type=found.type,
            rows=table.rows,
            nulls=nulls,
            unparsable=bad.get(name, 0),
            infinite=infinite,
            distinct=exact,
            low=low,
            high=high,
            usual=_usual(table, name) if low is not None else None,
            mean_length=length or 0.0,
            values=values,
            parsed=found.parsed,
            time_format=found.time_format,
            doubtful_format=found.doubtful_format,
        )
    return columns


def _usual(table: FlatTable, name: str) -> tuple[float, float]:
    step = max(1, table.rows // SAMPLE_ROWS)
    value = f"quantile_disc({identifier(name)}::DOUBLE, [0.005, 0.995])"
    some = f"WHERE {ORDINAL} % {step} = 0 AND isfinite({identifier(name)}::DOUBLE)"
    found = table.one(f"SELECT {value} FROM {TYPED} {some}")[0] or (0.0, 0.0)
    return float(found[0]), float(found[1])


def _distinct(table: FlatTable, name: str, estimate: int, known: int) -> tuple[int, dict[Any, int]]:
    """Different values and, where they are few, how many rows have each; the estimate errs by some percent."""
    column = identifier(name)
    if estimate <= 1.3 * MAX_LISTED:
        listed = table.all(
            f"SELECT {column}, count(*) AS n FROM {TYPED} WHERE {column} IS NOT NULL GROUP BY 1 ORDER BY n DESC, 1 "
            f"LIMIT {2 * MAX_LISTED}"
        )
        return len(listed), dict(listed) if len(listed) <= MAX_LISTED else {}
    if estimate <= _COUNTED or estimate >= 0.7 * known:
        return int(table.one(f"SELECT count(DISTINCT {column}) FROM {TYPED}")[0]), {}
    return min(estimate, known), {}
