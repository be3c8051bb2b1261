"""What a delivery must look like before it lands. Each violation is its own error; nothing is repaired here."""

from collections.abc import Mapping
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pyarrow.types as pt

from ml_assets import errors
from ml_assets.ml.query import connect, quoted
from ml_assets.ml.windows import Window
from ml_assets.spec import ColumnType, MaxGap, Reference, Source

_IS_TYPE = {
    "int64": pt.is_integer,
    "float64": lambda t: pt.is_floating(t) or pt.is_integer(t),
    "string": lambda t: pt.is_string(t) or pt.is_large_string(t) or pt.is_dictionary(t),
    "timestamp": pt.is_timestamp,
    "bool": pt.is_boolean,
}
_ARROW: dict[ColumnType, pa.DataType] = {
    "int64": pa.int64(),
    "float64": pa.float64(),
    "string": pa.string(),
    "timestamp": pa.timestamp("us", tz="UTC"),
    "bool": pa.bool_(),
}


def read_delivery(source: Source, window: Window, path: Path) -> pa.Table:
    """The declared columns of a delivered file, in the declared types.

    Raises:
        MissingDeliveryError, UnreadableDeliveryError, MissingColumnError, ChangedTypeError, EmptyDeliveryError.
    """
    if not path.exists():
        raise errors.MissingDeliveryError(source.name, window.key, path)
    try:
        table = pq.read_table(path)
    except (pa.ArrowInvalid, OSError) as error:
        raise errors.UnreadableDeliveryError(source.name, window.key, str(error).splitlines()[0]) from error
    if missing := [column for column in source.columns if column not in table.column_names]:
        raise errors.MissingColumnError(source.name, window.key, missing, table.column_names)
    for column, expected in source.columns.items():
        found = table.schema.field(column).type
        if not _IS_TYPE[expected](found) and not pt.is_null(found):
            raise errors.ChangedTypeError(source.name, window.key, column, expected, str(found))
    if table.num_rows == 0:
        raise errors.EmptyDeliveryError(source.name, window.key)
    return table.select(list(source.columns)).cast(
        pa.schema([(column, _ARROW[kind]) for column, kind in source.columns.items()])
    )


def land(source: Source, window: Window, delivered: pa.Table, others: Mapping[str, pa.Table]) -> pa.Table:
    """Delivered rows with the landing SQL applied and every rule of the contract checked.

    Args:
        source: The declaration.
        window: The window that was delivered.
        delivered: (n, k) from `read_delivery`.
        others: Landed tables of the same window that the SQL or the references read.

    Raises:
        DuplicateRowsError, OutsideWindowError, GapError, UnknownReferenceError, QueryError.
    """
    con = connect()
    try:
        for name, table in others.items():
            con.register(name, table)
        _check_unique(source, window, delivered)
        for reference in source.references:
            _check_reference(source, window, delivered, reference, others[reference.source])
        con.register("delivered", delivered)
        landed = con.sql(f"SELECT * FROM ({source.sql or 'FROM delivered'}) ORDER BY ALL").to_arrow_table()
    except duckdb.Error as error:
        raise errors.QueryError(f"source '{source.name}'", f"fails: {str(error).splitlines()[0]}") from error
    finally:
        con.close()
    if landed.num_rows != delivered.num_rows:
        rows = f"{landed.num_rows} rows out of {delivered.num_rows} delivered"
        raise errors.QueryError(f"source '{source.name}'", f"makes {rows}: it must add columns, not rows.")
    if source.event_time:
        _check_window(source, window, landed, source.event_time)
        if source.max_gap:
            _check_gap(source, window, landed, source.event_time, source.max_gap)
    return landed


def _check_unique(source: Source, window: Window, table: pa.Table) -> None:
    key = ", ".join(quoted(column) for column in source.key)
    found = _query(table, f"SELECT {key}, count(*) - 1 AS extra FROM rows GROUP BY ALL HAVING extra > 0 ORDER BY ALL")
    if found:
        example = ", ".join(str(value) for value in found[0][:-1])
        raise errors.DuplicateRowsError(source.name, window.key, source.key, sum(row[-1] for row in found), example)


def _check_reference(source: Source, window: Window, table: pa.Table, ref: Reference, target: pa.Table) -> None:
    known = set(target.column(ref.to).to_pylist()) | set(ref.also) | {None}
    values = table.column(ref.column).to_pylist()
    if unknown := [value for value in values if value not in known]:
        names = sorted({str(value) for value in unknown})
        raise errors.UnknownReferenceError(
            source.name, window.key, ref.column, names, len(unknown), f"source '{ref.source}'"
        )


def _check_window(source: Source, window: Window, table: pa.Table, time: str) -> None:
    lo, hi = (f"TIMESTAMPTZ '{moment.isoformat()}'" for moment in (window.start, window.end))
    sql = f"SELECT count(*), min({quoted(time)}), max({quoted(time)}) FROM rows WHERE NOT "
    rows, first, last = _query(table, f"{sql} coalesce({quoted(time)} >= {lo} AND {quoted(time)} < {hi}, false)")[0]
    if rows:
        raise errors.OutsideWindowError(source.name, window.key, rows, str(first), str(last))


def _check_gap(source: Source, window: Window, table: pa.Table, time: str, gap: MaxGap) -> None:
    by = "".join(f"{quoted(column)}, " for column in gap.by)
    partition = f"PARTITION BY {by.rstrip(', ')}" if by else ""
    end = min(window.end, gap.ends) if gap.ends else window.end
    found = _query(
        table,
        f"SELECT {by} since, epoch(coalesce(until, TIMESTAMPTZ '{end.isoformat()}') - since) / 3600 AS hours "
        f"FROM (SELECT {by} {quoted(time)} AS since, lead({quoted(time)}) OVER ({partition} ORDER BY {quoted(time)}) "
        "AS until FROM rows) ORDER BY hours DESC LIMIT 1",
    )[0]
    *where, since, hours = found
    if hours > gap.hours:
        place = f" of {', '.join(str(value) for value in where)}" if where else ""
        raise errors.GapError(source.name, window.key, place, hours, gap.hours, f"{since:%Y-%m-%d %H:%M} UTC")


def _query(rows: pa.Table, sql: str) -> list[tuple]:
    con = connect()
    try:
        con.register("rows", rows)
        return con.execute(sql).fetchall()
    finally:
        con.close()
