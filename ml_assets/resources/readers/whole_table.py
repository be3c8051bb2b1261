"""Tables that are there as a whole, scanned by DuckDB: each window takes its own rows of them.

Here belongs how the rows of a window are told by their time. How a table is opened is the business of its own file.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import duckdb
import pyarrow as pa
import pyarrow.types as pt

from ml_assets import errors
from ml_assets.ml.features.query import connect
from ml_assets.ml.landing import parsing
from ml_assets.ml.landing.parsing import Value, identifier, is_text, literal, parses_text
from ml_assets.ml.windows import Window, all_windows, first_window
from ml_assets.spec import Cadence, Csv, Source, Whole

_MARGIN = timedelta(days=1)
"""More than any time zone is away from UTC: local times are first selected with it, then exactly."""

ALL_WINDOWS = "any"
"""Stands for the window in an error that concerns them all."""


@dataclass(frozen=True)
class Scan:
    """Tables that DuckDB can scan, each with its schema; together they hold all windows.

    A table may be a stream: it is asked once, in the order given.
    """

    con: duckdb.DuckDBPyConnection
    tables: Iterable[tuple[str, pa.Schema]]


def schema_of(con: duckdb.DuckDBPyConnection, table: str) -> pa.Schema:
    """Columns of what a FROM clause names."""
    return con.sql(f"FROM {table} LIMIT 0").to_arrow_table().schema


def time_column(source: Source) -> str | None:
    """The column that says which window a row belongs to; None for a snapshot, read whole by every window."""
    named = source.read.time if isinstance(source.read, Whole) else None
    return named or source.event_time


def rows_of_window(scan: Scan, source: Source, window: Window) -> pa.Table:
    """All columns of a window's rows (of all rows, where the source is a snapshot).

    Raises:
        TimeColumnError: The rows' time cannot be told.
    """
    column = time_column(source)
    parts = []
    for table, schema in scan.tables:
        if column is None:
            parts.append(scan.con.sql(f"FROM {table}").to_arrow_table())
            continue
        time = _time(source, window.key, column, schema)
        columns = ", ".join(identifier(name) for name in schema.names)
        timed = parsing.with_values(table, {column: time})
        near = _near(source, window, column, time)
        parts.append(scan.con.sql(f"SELECT {columns} FROM {timed} WHERE {near}").to_arrow_table())
    rows = pa.concat_tables(parts, promote_options="default")
    return rows if column is None else exactly_in_window(source, window, column, rows)


def exactly_in_window(source: Source, window: Window, column: str, rows: pa.Table) -> pa.Table:
    """Those of some rows whose time lies in the window, in the same order."""
    time = _time(source, window.key, column, rows.schema)
    con = connect()
    try:
        con.register("_rows", rows)
        timed = parsing.with_values("_rows", {column: time})
        inside = f"coalesce({_between(identifier(f'value:{column}'), window.start, window.end)}, FALSE) AS inside"
        return rows.filter(con.sql(f"SELECT {inside} FROM {timed}").to_arrow_table().column("inside"))
    finally:
        con.close()


def count_in_no_window(scan: Scan, source: Source, cadence: Cadence, column: str) -> int:
    """How many rows have no time, or one before the first window or after the cadence's end."""
    first, end = span(cadence)
    count = 0
    for table, schema in scan.tables:
        time = _time(source, ALL_WINDOWS, column, schema)
        outside = f"NOT coalesce({_between(identifier(f'value:{column}'), first, end)}, FALSE)"
        if time.local is not None and time.text is None:
            # What is well inside by its local clock needs no conversion, which is slow.
            local = identifier(f"local:{column}")
            well_inside = _local_between(local, first + _MARGIN, end - _MARGIN if end else None)
            outside = f"NOT coalesce({_between(time.sql, first, end)}, FALSE)"
            outside = f"CASE WHEN {well_inside} THEN FALSE ELSE {outside} END"
        timed = parsing.with_values(table, {column: time})
        [(found,)] = scan.con.execute(f"SELECT count(*) FILTER ({outside}) FROM {timed}").fetchall()
        count += found
    return count


def span(cadence: Cadence) -> tuple[datetime, datetime | None]:
    """Start of a cadence's first window, and end of its last; None where it is open."""
    return first_window(cadence).start, all_windows(cadence)[-1].end if cadence.end else None


def _time(source: Source, window: str, column: str, schema: pa.Schema) -> Value:
    """The column's values as UTC times."""
    if column not in schema.names:
        raise errors.TimeColumnError(source.name, window, column, "is not there", schema.names)
    found = schema.field(column).type
    if is_text(found) and not parses_text(source):
        reason = "is text: cast it where it comes from, or set `cleaning.text_numbers`"
        raise errors.TimeColumnError(source.name, window, column, reason, [])
    if not (is_text(found) or pt.is_timestamp(found) or pt.is_date(found) or pt.is_null(found)):
        raise errors.TimeColumnError(source.name, window, column, f"is {found} and no time", [])
    return parsing.value(source, column, "timestamp", found)


def _near(source: Source, window: Window, column: str, time: Value) -> str:
    """A condition that leaves out what is far from the window, as cheap as can be; it may let more pass."""
    if time.local is None:
        return _between(identifier(f"value:{column}"), window.start, window.end)
    lo, hi = window.start - _MARGIN, window.end + _MARGIN
    if time.text is None or (isinstance(source.read, Csv) and source.read.timestamp_format):
        return _local_between(identifier(f"local:{column}"), lo, hi)
    # A text in ISO 8601 sorts by its date; what does not begin with a digit (a blank, say) is looked at later.
    text = f"CAST({identifier(column)} AS VARCHAR)"
    first, last = literal(lo.date().isoformat()), literal((hi + _MARGIN).date().isoformat())
    return f"({text} >= {first} AND {text} < {last} OR {text} < '0' OR {text} >= ':')"


def _between(time: str, lo: datetime, hi: datetime | None) -> str:
    condition = f"{time} >= TIMESTAMPTZ '{lo.isoformat()}'"
    return condition + (f" AND {time} < TIMESTAMPTZ '{hi.isoformat()}'" if hi else "")


def _local_between(local: str, lo: datetime, hi: datetime | None) -> str:
    """As `_between`, by the clock of UTC whatever the zone; the caller leaves a margin."""
    condition = f"{local} >= TIMESTAMP '{_clock(lo)}'"
    return condition + (f" AND {local} < TIMESTAMP '{_clock(hi)}'" if hi else "")


def _clock(moment: datetime) -> str:
    return moment.astimezone(UTC).replace(tzinfo=None).isoformat(sep=" ")
