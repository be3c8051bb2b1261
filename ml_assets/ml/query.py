"""Runs the SQL of a declaration over landed sources, in full or as they were known at one moment.

Here belongs how a declared SELECT sees its tables. What is declared is in `spec`, where files lie in the lake.
"""

import atexit
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from pathlib import Path

import duckdb
import pyarrow as pa

from ml_assets.errors import QueryError
from ml_assets.ml.windows import Window
from ml_assets.spec import Source


@dataclass(frozen=True)
class Tables:
    """The sources that a SELECT may read: each with its declaration and its landed files."""

    sources: tuple[Source, ...]
    files: Mapping[str, Sequence[Path]]


def connect() -> duckdb.DuckDBPyConnection:
    """A connection of its own, in UTC: its views and variables are seen by no other."""
    # Making a database takes 25 ms, a connection to one well below 1 ms; a window makes dozens.
    return _database().cursor().execute("SET TimeZone = 'UTC'")


@cache
def _database() -> duckdb.DuckDBPyConnection:
    """One database in memory per process; it never holds a table and reaches for no extension."""
    atexit.register(_database.cache_clear)  # left open, it has the bindings print a page of leaks at exit
    return duckdb.connect(":memory:", config={"autoinstall_known_extensions": "false"})


def quoted(column: str) -> str:
    """A column name (checked by `spec.Column`) as an SQL identifier."""
    return f'"{column}"'


def run_query(
    sql: str,
    tables: Tables,
    window: Window,
    *,
    what: str,
    within: str | None = None,
    known_by: datetime | None = None,
) -> pa.Table:
    """Run a declared SELECT.

    Args:
        sql: One SELECT; `window_start` and `window_end` are available through getvariable().
        tables: What it may read.
        window: The window that it computes.
        what: Culprit of an error, e.g. "feature view 'weather'".
        within: Time column whose value must lie in the window; rows outside are left out.
        known_by: When given, every value that became known later is hidden from the SELECT.

    Returns:
        All rows, ordered by all columns, so that equal input gives equal bytes.

    Raises:
        QueryError: DuckDB refuses the SELECT.
    """
    con = connect()
    try:
        for source in tables.sources:
            con.execute(_view(source, tables.files[source.name], known_by))
        con.execute(f"SET VARIABLE window_start = TIMESTAMPTZ '{window.start.isoformat()}'")
        con.execute(f"SET VARIABLE window_end = TIMESTAMPTZ '{window.end.isoformat()}'")
        inside = f" WHERE {quoted(within)} >= getvariable('window_start')" if within else ""
        inside += f" AND {quoted(within)} < getvariable('window_end')" if within else ""
        return con.sql(f"SELECT * FROM ({sql.rstrip().rstrip(';')}\n){inside} ORDER BY ALL").to_arrow_table()
    except duckdb.Error as error:
        raise QueryError(what, f"fails: {str(error).splitlines()[0]}") from error
    finally:
        con.close()


def _view(source: Source, files: Sequence[Path], known_by: datetime | None) -> str:
    paths = ", ".join("'" + str(path).replace("'", "''") + "'" for path in files)
    table = f"read_parquet([{paths}], union_by_name = true)"
    if known_by is None:
        return f"CREATE TEMP VIEW {source.name} AS SELECT * FROM {table}"
    now = f"TIMESTAMPTZ '{known_by.isoformat()}'"
    hidden = ", ".join(
        f"CASE WHEN {quoted(known)} <= {now} THEN {quoted(column)} END AS {quoted(column)}"
        for column, known in source.known_at.items()
    )
    replace = f" REPLACE ({hidden})" if hidden else ""
    where = f" WHERE {quoted(source.row_known_at)} <= {now}" if source.row_known_at else ""
    return f"CREATE TEMP VIEW {source.name} AS SELECT *{replace} FROM {table}{where}"
