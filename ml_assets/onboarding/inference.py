"""Which declared type a column has: stored types, and what texts turn out to be. Judged on the sample alone.

What a text means is asked of `ml.landing.parsing`, so that landing the table later reads the same values.
"""

from dataclasses import dataclass

import pyarrow as pa
import pyarrow.types as pt

from ml_assets.ml.landing.parsing import Value, identifier, is_text, literal, value, with_values
from ml_assets.onboarding.hints import entity_hint, names_single_events
from ml_assets.onboarding.table import SAMPLE, FlatTable
from ml_assets.spec import ColumnType, Csv, Source

PARSES = 0.95
"""Least share of a column's texts that must be of a type. A convention."""
_DATES = ("%d/%m/%Y", "%m/%d/%Y", "%d.%m.%Y", "%d-%m-%Y", "%m-%d-%Y", "%Y/%m/%d", "%Y%m%d", "%d/%m/%y", "%m/%d/%y")
_CLOCKS = ("", " %H:%M", " %H:%M:%S", " %I:%M %p", " %I:%M:%S %p")
_NULL_TEXTS = ("nan", "NaN", "n/a", "N/A", "#N/A", "None", "none", "null", "-", "?")
"""Texts that stand for a missing value in columns of numbers or times, beside those the declaration knows anyway."""
_OTHERS: tuple[ColumnType, ...] = ("bool", "timestamp")
_FIRST_LOOK = 500
"""Texts that each format of times is tried on, before the likely ones are tried on the sample."""
_CODE, _LONG = "[+-]?0[0-9]+", "[+-]?[0-9]{16,}"


@dataclass(frozen=True)
class Inferred:
    """A column's declared type and how its values are got.

    Attributes:
        type: The declared type.
        value: How the platform reads it.
        parsed: Whether it is stored as text and declared as something else.
        time_format: strptime format, where it is not ISO 8601.
        doubtful_format: Whether day and month could be the other way round.
        null_texts: Texts found that mean no value.
    """

    type: ColumnType
    value: Value
    parsed: bool = False
    time_format: str | None = None
    doubtful_format: bool = False
    null_texts: tuple[str, ...] = ()


def infer(table: FlatTable, name: str, time_format: str | None = None) -> Inferred | None:
    """The declared type of a column; None where none fits.

    Args:
        table: The table.
        name: The column.
        time_format: The only format of times to try beside ISO 8601; the usual ones when left out.
    """
    stored = table.stored[name]
    if is_text(stored):
        return _infer_text(table, name, time_format)
    kind = _native(stored)
    return Inferred(kind, _value(table, name, kind)) if kind else None


def _native(stored: pa.DataType) -> ColumnType | None:
    if pt.is_boolean(stored):
        return "bool"
    if pt.is_integer(stored):
        return "int64"
    if pt.is_floating(stored) or pt.is_decimal(stored):
        return "float64"
    if pt.is_timestamp(stored) or pt.is_date(stored):
        return "timestamp"
    return "string" if pt.is_null(stored) else None


def _value(table: FlatTable, name: str, kind: ColumnType, form: str | None = None) -> Value:
    reading = table.reading
    if isinstance(reading, Csv):
        reading = reading.model_copy(update={"timestamp_format": form})
    declared = {"name": "table", "read": reading, "columns": {name: kind}, "timezone": table.timezone}
    source = Source.model_validate(declared | {"cleaning": {"text_numbers": True}})
    return value(source, name, kind, table.stored[name])


def _infer_text(table: FlatTable, name: str, time_format: str | None) -> Inferred:
    is_csv = isinstance(table.reading, Csv)
    text = f"trim(CAST({identifier(name)} AS VARCHAR))"
    known = f"{text} <> ''" + (f" AND {text} NOT IN ({', '.join(map(literal, _NULL_TEXTS))})" if is_csv else "")
    n, codes, long = table.one(
        f"SELECT count(*), count(*) FILTER (regexp_full_match({text}, '{_CODE}')), "
        f"count(*) FILTER (regexp_full_match({text}, '{_LONG}')) FROM {SAMPLE} WHERE {known}"
    )
    as_text = Inferred("string", _value(table, name, "string"))

    def found(kind: ColumnType, form: str | None = None) -> int:
        read = with_values(SAMPLE, {name: _value(table, name, kind, form)})
        return int(table.one(f"SELECT count({identifier(f'value:{name}')}) FROM {read} WHERE {known}")[0])

    def parsed(kind: ColumnType, form: str | None = None, doubtful: bool = False) -> Inferred:
        nulls = _null_texts(table, text) if is_csv else ()
        return Inferred(kind, _value(table, name, kind, form), True, form, doubtful, nulls)

    if n == 0:
        return as_text
    if (numbers := found("float64")) / n >= PARSES:
        # Numbers that begin with a zero are codes, and those of sixteen digits identifiers.
        if max(codes, long) / n > 1 - PARSES or (_sounds_like_key(name) and (numbers < n or not is_csv)):
            return as_text
        return parsed("int64" if found("int64") == numbers else "float64")
    for kind in _OTHERS:
        if found(kind) / n >= PARSES:
            return parsed(kind)
    form, doubtful = _time_format(table, text, known, n, time_format) if is_csv else (None, False)
    return parsed("timestamp", form, doubtful) if form else as_text


def _sounds_like_key(name: str) -> bool:
    """Of an identifier, letters in a few values, or storage as text, are no accident."""
    return entity_hint(name) > 0 or names_single_events(name)


def _null_texts(table: FlatTable, text: str) -> tuple[str, ...]:
    listed = ", ".join(map(literal, _NULL_TEXTS))
    rows = table.all(f"SELECT DISTINCT {text} FROM {SAMPLE} WHERE {text} IN ({listed}) ORDER BY 1")
    return tuple(row[0] for row in rows)


def _time_format(table: FlatTable, text: str, known: str, n: int, given: str | None) -> tuple[str | None, bool]:
    """The format that reads most values, and whether another one that swaps day and month reads as many."""
    formats = [given] if given else [day + clock for clock in _CLOCKS for day in _DATES]
    first = _reads(table, text, f"(FROM {SAMPLE} WHERE {known} LIMIT {_FIRST_LOOK})", formats)
    likely = [form for form, count in first.items() if count]
    if not likely:
        return None, False
    reads = _reads(table, text, f"{SAMPLE} WHERE {known}", likely)
    best = max(likely, key=lambda form: reads[form])
    if reads[best] / n < PARSES:
        return None, False
    return best, sum(count == reads[best] for count in reads.values()) > 1


def _reads(table: FlatTable, text: str, rows: str, formats: list[str]) -> dict[str, int]:
    counts = ", ".join(f"count(try_strptime({text}, {literal(form)}))" for form in formats)
    return dict(zip(formats, table.one(f"SELECT {counts} FROM {rows}"), strict=True))
