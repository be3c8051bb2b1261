"""Runs a declared computation over landed sources, in full or as they were known at one moment.

Here belongs how declared SQL, or a function, sees its tables. What is declared is in `spec`, where files lie in
the lake.
"""

import atexit
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from pathlib import Path
from threading import Lock

import duckdb
import pyarrow as pa

from ml_assets.errors import QueryError
from ml_assets.ml.features.functions import call_function
from ml_assets.ml.windows import Window
from ml_assets.spec import Computation, Source


@dataclass(frozen=True)
class Tables:
    """The sources that a computation may read: each with its declaration and its landed files.

    `folder` is where the files of declared functions are looked up.
    """

    sources: tuple[Source, ...]
    files: Mapping[str, Sequence[Path]]
    folder: Path = Path()


def connect() -> duckdb.DuckDBPyConnection:
    """A connection of its own, in UTC: its views and variables are seen by no other."""
    # Making a database takes 25 ms, a connection to one well below 1 ms; a window makes dozens.
    with _OPENING:
        database = _database()
    return database.cursor().execute("SET TimeZone = 'UTC'")


_OPENING = Lock()
"""Of threads that ask for the first connection at the same time, one makes the database."""


@cache
def _database() -> duckdb.DuckDBPyConnection:
    """One database in memory per process; it never holds a table and reaches for no extension."""
    atexit.register(_database.cache_clear)  # left open, it has the bindings print a page of leaks at exit
    return duckdb.connect(":memory:", config={"autoinstall_known_extensions": "false"})


def quoted(column: str) -> str:
    """A column name (checked by `spec.Column`) as an SQL identifier."""
    return f'"{column}"'


def compute(
    computation: Computation,
    plain: str,
    tables: Tables,
    window: Window,
    *,
    what: str,
    within: str | None = None,
    known_by: datetime | None = None,
) -> pa.Table:
    """Run a declared computation: its SQL, its function, or the SELECT that stands for neither.

    Args:
        computation: The declaration.
        plain: The SELECT that takes the one source as it is.
        tables: What it may read.
        window: The window that it computes.
        what: Culprit of an error, e.g. "feature view 'weather'".
        within: Time column whose value must lie in the window; rows outside are left out.
        known_by: When given, every value that became known later is hidden from the computation.

    Returns:
        All rows, ordered by all columns, so that equal input gives equal bytes.

    Raises:
        QueryError: DuckDB refuses the SELECT.
        FunctionError: The function is not there, fails, or returns no table.
    """
    con = connect()
    try:
        for source in tables.sources:
            con.execute(_view(source, tables.files[source.name], known_by))
        for name, moment in (("start", window.start), ("end", window.end), ("last", window.last)):
            con.execute(f"SET VARIABLE window_{name} = TIMESTAMPTZ '{moment.isoformat()}'")
        if computation.function:
            con.register("returned", _call(con, computation.function, tables, window))
        sql = "FROM returned" if computation.function else (computation.sql or plain).rstrip().rstrip(";")
        inside = f" WHERE {quoted(within)} >= getvariable('window_start')" if within else ""
        inside += f" AND {quoted(within)} < getvariable('window_end')" if within else ""
        return con.sql(f"SELECT * FROM ({sql}\n){inside} ORDER BY ALL").to_arrow_table()
    except duckdb.Error as error:
        raise QueryError(what, f"fails: {str(error).splitlines()[0]}") from error
    finally:
        con.close()


def _call(con: duckdb.DuckDBPyConnection, reference: str, tables: Tables, window: Window) -> pa.Table:
    frames = {source.name: con.sql(f"FROM {source.name} ORDER BY ALL").df() for source in tables.sources}
    return call_function(reference, tables.folder, frames, window)


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
