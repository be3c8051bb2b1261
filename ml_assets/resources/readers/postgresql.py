"""A query on PostgreSQL: the window's rows are selected there, with bound parameters, in a read-only transaction.

The address comes from an environment variable and is shown nowhere: no message of the driver that could hold it is
passed on, not even as the cause of an error.
"""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import pyarrow as pa

from ml_assets import errors
from ml_assets.ml.landing.parsing import identifier
from ml_assets.ml.windows import Window
from ml_assets.resources.readers.integers import with_integers
from ml_assets.resources.readers.whole_table import ALL_WINDOWS, exactly_in_window, span, time_column
from ml_assets.spec import Cadence, PostgreSql, Source

if TYPE_CHECKING:
    from psycopg import Connection

_ROWS_AT_A_TIME = 20_000
_CONNECT_TIMEOUT_S = 15
_MARGIN = timedelta(days=1)  # more than any time zone is away from UTC

_BOOL, _DATE, _TIMESTAMP, _TIMESTAMPTZ = 16, 1082, 1114, 1184
_ARROW = {
    _BOOL: pa.bool_(),
    **dict.fromkeys((20, 21, 23), pa.int64()),
    **dict.fromkeys((700, 701, 1700), pa.float64()),  # numeric has no other type in a declaration
    _DATE: pa.date32(),
    _TIMESTAMP: pa.timestamp("us"),
    _TIMESTAMPTZ: pa.timestamp("us", tz="UTC"),
}
"""Type number of PostgreSQL -> Arrow; all others are taken as text."""


def read_query(source: Source, read: PostgreSql, window: Window) -> pa.Table:
    """All columns of a window's rows (of all rows, where the source is a snapshot).

    Raises:
        DatabaseAddressError: The variable is not set, or no database answers.
        UnreadableSourceError: The query does not run.
        TimeColumnError: The rows' time cannot be told.
    """
    column = time_column(source)
    with _connected(source, read, window.key) as con:
        if column is None:
            return with_integers(source, _fetched(con, f"SELECT * FROM {_table(read)}", ()))
        kind = _type_of_time(con, source, read, window.key, column)
        margin = timedelta() if kind == _TIMESTAMPTZ else _MARGIN
        bounds = [_comparable(source, kind, moment) for moment in (window.start - margin, window.end + margin)]
        name = identifier(column)
        rows = _fetched(con, f"SELECT * FROM {_table(read)} WHERE {name} >= $1 AND {name} < $2", bounds)
    return with_integers(source, exactly_in_window(source, window, column, rows))


def count_in_no_window(source: Source, read: PostgreSql, cadence: Cadence, column: str) -> int:
    """How many rows have no time, or one before the first window or after the cadence's end.

    Raises:
        As `read_query`.
    """
    name = identifier(column)
    outside = [f"{name} IS NULL", f"{name} < $1", f"{name} >= $2"]
    with _connected(source, read, ALL_WINDOWS) as con:
        kind = _type_of_time(con, source, read, ALL_WINDOWS, column)
        bounds = [_comparable(source, kind, moment) for moment in span(cadence) if moment is not None]
        where = " OR ".join(outside[: 1 + len(bounds)])
        [(count,)] = con.execute(f"SELECT count(*) FROM {_table(read)} WHERE {where}", bounds).fetchall()
    return int(count)


@contextmanager
def _connected(source: Source, read: PostgreSql, window: str) -> Iterator["Connection"]:
    import psycopg

    address = os.environ.get(read.url_env)
    if not address:
        raise errors.DatabaseAddressError(source.name, read.url_env, "the address of its database is not set")
    try:
        con = psycopg.connect(address, connect_timeout=_CONNECT_TIMEOUT_S, cursor_factory=psycopg.RawCursor)
    except psycopg.Error as error:
        # The driver's message holds the host and the user, of an address that it cannot parse even the password.
        reason = f"no database answers at its address ({type(error).__name__})"
        raise errors.DatabaseAddressError(source.name, read.url_env, reason) from None
    try:
        con.read_only = True
        con.execute("SET TIME ZONE 'UTC'")
        yield con
    except psycopg.Error as error:
        reason = error.diag.message_primary or type(error).__name__
        raise errors.UnreadableSourceError(source.name, window, "the query on PostgreSQL", reason) from None
    finally:
        con.close()


def _table(read: PostgreSql) -> str:
    return f"({read.query.rstrip().rstrip(';')}\n) AS source"


def _type_of_time(con: "Connection", source: Source, read: PostgreSql, window: str, column: str) -> int:
    """Type number of the column that says the rows' time."""
    described = con.execute(f"SELECT * FROM {_table(read)} LIMIT 0").description or []
    types = {each.name: each.type_code for each in described}
    if column not in types:
        raise errors.TimeColumnError(source.name, window, column, "is not there", list(types))
    if types[column] not in (_TIMESTAMPTZ, _TIMESTAMP, _DATE):
        raise errors.TimeColumnError(source.name, window, column, "is no time: cast it in `read.query`", [])
    return types[column]


def _comparable(source: Source, kind: int, moment: datetime) -> datetime:
    """A moment as the database compares it: where the column has no offset, by the local clock of the source."""
    return moment if kind == _TIMESTAMPTZ else moment.astimezone(ZoneInfo(source.timezone)).replace(tzinfo=None)


def _fetched(con: "Connection", query: str, parameters: Sequence[datetime]) -> pa.Table:
    """The result as a table, fetched through a cursor of the server's."""
    import psycopg
    from psycopg.types.string import TextLoader

    for name in ("json", "jsonb"):
        con.adapters.register_loader(name, TextLoader)
    with psycopg.RawServerCursor(con, "rows") as cursor:
        cursor.execute(query, parameters)
        described = cursor.description or []
        schema = pa.schema([(each.name, _ARROW.get(each.type_code, pa.string())) for each in described])
        batches = []
        while rows := cursor.fetchmany(_ROWS_AT_A_TIME):
            columns = zip(*rows, strict=True)
            arrays = [_array(values, field.type) for values, field in zip(columns, schema, strict=True)]
            batches.append(pa.record_batch(arrays, schema=schema))
    return pa.Table.from_batches(batches, schema)


def _array(values: Sequence[Any], kind: pa.DataType) -> pa.Array:
    if kind == pa.float64():
        values = [None if value is None else float(value) for value in values]
    elif kind == pa.string():
        values = [None if value is None else str(value) for value in values]
    return pa.array(values, kind)
