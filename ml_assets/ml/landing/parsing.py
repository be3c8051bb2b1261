"""SQL expressions that turn a delivered column into its declared type: text to numbers, local time to UTC.

Here belongs what a single value means. Which rows are dropped for it is the business of `cleaning.py`.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.types as pt

from ml_assets.spec import Csv, Source

SQL_TYPE = {
    "int64": "BIGINT",
    "float64": "DOUBLE",
    "string": "VARCHAR",
    "timestamp": "TIMESTAMP WITH TIME ZONE",
    "bool": "BOOLEAN",
}

_WHOLE = r"[+-]?\d+"
_NUMBER = r"(?i)[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?|[+-]?(inf|infinity)|nan"
_OFFSET = r"(?i)(z| ?[+-]\d{2}(:?\d{2})?)"
_ISO = rf"\d{{4}}-\d{{2}}-\d{{2}}([T ]\d{{2}}:\d{{2}}(:\d{{2}}(\.\d+)?)?{_OFFSET}?)?"
_LARGEST_EXACT_WHOLE = 2**53  # above it a float64 skips whole numbers
_TRUE, _FALSE = ("true", "yes", "1", "t", "y"), ("false", "no", "0", "f", "n")
_BLANKS = "' ' || chr(9) || chr(10) || chr(13) || chr(160)"


@dataclass(frozen=True)
class Value:
    """SQL of a column's values, in up to three stages: each may name the column that the stage before it made.

    `text` is, of text that is parsed, the text without blanks around it (NULL where nothing is left). `local` is, of
    times, the part that carries no UTC offset, as a TIMESTAMP in the source's time zone. `sql` is the value in the
    declared type. The first two are None where there is no such thing.
    """

    sql: str
    local: str | None = None
    text: str | None = None


def identifier(name: str) -> str:
    """Any name, also one that nobody has checked, as an SQL identifier."""
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    """A text as an SQL literal."""
    return "'" + text.replace("'", "''") + "'"


def is_text(found: pa.DataType) -> bool:
    """Whether a delivered column is text, dictionary-encoded or not."""
    if pt.is_dictionary(found):
        return is_text(found.value_type)
    return pt.is_string(found) or pt.is_large_string(found) or pt.is_string_view(found)


def parses_text(source: Source) -> bool:
    """Whether text stands for numbers, times and truth values in this source."""
    return source.cleaning.text_numbers or isinstance(source.read, Csv)


def value(source: Source, column: str, kind: str, found: pa.DataType) -> Value:
    """How a delivered column becomes its declared type.

    Args:
        source: Says the time zone of times without an offset, and the format of times in text.
        column: Name of the column.
        kind: Declared type (`spec.ColumnType`).
        found: Type as delivered; one that `contracts.check_columns` lets pass.
    """
    name, text, local = identifier(column), identifier(f"text:{column}"), identifier(f"local:{column}")
    if is_text(found) and kind != "string":
        trimmed = f"nullif(trim(CAST({name} AS VARCHAR), {_BLANKS}), '')"
        if kind == "timestamp":
            return _time_in_text(source, trimmed, text, local)
        return Value(_TEXT[kind](text), text=trimmed)
    if kind == "timestamp" and not pt.is_null(found) and getattr(found, "tz", None) is None:
        clock = name if found == pa.timestamp("us") else f"CAST({name} AS TIMESTAMP)"
        return Value(instant(local, source.timezone), local=clock)
    if pt.is_uint64(found) and kind == "int64":  # half of its range is beyond int64
        return Value(f"TRY_CAST({name} AS BIGINT)", text=f"CAST({name} AS VARCHAR)")
    return Value(f"CAST({name} AS {SQL_TYPE[kind]})")


def with_values(table: str, values: Mapping[str, Value]) -> str:
    """A SELECT of all columns of a table, and of "text:x", "local:x" and "value:x" for each column x with a value."""
    texts = [f"{each.text} AS {identifier(f'text:{column}')}" for column, each in values.items() if each.text]
    locals_ = [f"{each.local} AS {identifier(f'local:{column}')}" for column, each in values.items() if each.local]
    final = [f"{each.sql} AS {identifier(f'value:{column}')}" for column, each in values.items()]
    for stage in (texts, locals_, final):
        table = f"(SELECT {', '.join(['*', *stage])} FROM {table})"
    return table


def instant(local: str, zone: str) -> str:
    """SQL of the UTC instant of a local TIMESTAMP: of an hour that the clocks repeat, the first; of one that they
    skip, as long after the skip as the clock says (as Python's `fold=0` has it)."""
    if zone == "UTC":
        return f"timezone('UTC', {local})"
    before, after = _candidates(local, zone)
    chosen = f"CASE WHEN {_reads(before, zone)} = {local} THEN {before} "
    chosen += f"WHEN {_reads(after, zone)} = {local} THEN {after} ELSE {before} END"
    return f"timezone('UTC', {chosen})"


def is_ambiguous(local: str, zone: str) -> str:
    """SQL condition: a local TIMESTAMP that two instants have, when the clocks go back."""
    before, after = _candidates(local, zone)
    return f"({before} <> {after} AND {_reads(before, zone)} = {local} AND {_reads(after, zone)} = {local})"


def is_nonexistent(local: str, zone: str) -> str:
    """SQL condition: a local TIMESTAMP that no instant has, when the clocks go forward."""
    before, after = _candidates(local, zone)
    return f"({_reads(before, zone)} <> {local} AND {_reads(after, zone)} <> {local})"


def _candidates(local: str, zone: str) -> tuple[str, str]:
    """The UTC times (TIMESTAMP) that a local time stands for by the offsets of the day before and the day after."""
    found = []
    for day in (f"({local} - INTERVAL 1 DAY)", f"({local} + INTERVAL 1 DAY)"):
        found.append(f"({local} - ({_reads(day, zone)} - {day}))")
    return found[0], found[1]


def _reads(utc: str, zone: str) -> str:
    """The local clock at a UTC time."""
    return f"timezone({literal(zone)}, timezone('UTC', {utc}))"


def _whole(text: str) -> str:
    number = f"TRY_CAST({text} AS DOUBLE)"
    whole = f"{number} = trunc({number}) AND abs({number}) <= {_LARGEST_EXACT_WHOLE}"
    return (
        f"CASE WHEN regexp_full_match({text}, '{_WHOLE}') THEN TRY_CAST({text} AS BIGINT) "
        f"WHEN regexp_full_match({text}, '{_NUMBER}') AND {whole} THEN TRY_CAST({number} AS BIGINT) END"
    )


def _number(text: str) -> str:
    return f"CASE WHEN regexp_full_match({text}, '{_NUMBER}') THEN TRY_CAST({text} AS DOUBLE) END"


def _truth(text: str) -> str:
    true, false = (", ".join(literal(word) for word in words) for words in (_TRUE, _FALSE))
    return f"CASE WHEN lower({text}) IN ({true}) THEN TRUE WHEN lower({text}) IN ({false}) THEN FALSE END"


_TEXT = {"int64": _whole, "float64": _number, "bool": _truth}


def _time_in_text(source: Source, trimmed: str, text: str, local: str) -> Value:
    form = source.read.timestamp_format if isinstance(source.read, Csv) else None
    if form is not None:
        parsed = f"try_strptime({text}, {literal(form)})"
        if "%z" in form.lower():
            return Value(parsed, text=trimmed)
        return Value(instant(local, source.timezone), local=parsed, text=trimmed)
    iso = f"CASE WHEN regexp_full_match({text}, '{_ISO}') THEN replace(replace({text}, ' +', '+'), ' -', '-') END"
    # Cast to TIMESTAMP, DuckDB reads a text with an offset and silently leaves the offset out.
    offset = f"regexp_matches({text}, '[0-9]{_OFFSET}$') AND length({text}) > {len('2020-03-29')}"
    clock = f"CASE WHEN NOT ({offset}) THEN TRY_CAST({iso} AS TIMESTAMP) END"
    aware = f"CASE WHEN {offset} THEN TRY_CAST({iso} AS TIMESTAMP WITH TIME ZONE) END"
    return Value(f"coalesce({aware}, {instant(local, source.timezone)})", local=clock, text=trimmed)
