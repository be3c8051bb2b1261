"""The point-in-time join: for each row the newest value already known, in one DuckDB query per view.

Here belongs how parquet files of feature values are read as of a moment. Feast is not known here.

The rule. A value holds from `event` on and is known from `known` on, so it is *visible* at time t if
max(event, known) <= t: call that moment its `effective` time. The answer is the visible value with the
greatest (event, known), unless it is older than its TTL. An ASOF join on `event` alone cannot give it, as the
newest event may not be known yet. But go through the values of one key by `effective` time: a value whose
event is before one already seen is superseded at the very moment it appears, and is never an answer. Drop
those, and the last one with effective <= t is the answer: one ASOF join on `effective`. The TTL is looked at
last, which is right because the answer has the greatest event time: if it has expired, so have all others.

(Values of one event come by `effective` time in the order of `known`, save those known by the event, which
share it: so ties are ordered by event and known, and the last of them stands for all.)
"""

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.compute as pc

from ml_assets.ml.query import quoted

MOMENT = pa.timestamp("us", tz="UTC")


@dataclass(frozen=True)
class StoredValues:
    """Feature values in parquet files, and where in them to find what.

    Attributes:
        files: The files, e.g. one per window.
        keys: Columns that identify an entity.
        event: UTC column: since when a value holds.
        known: UTC column: when it became known; None when that is not recorded.
        values: Column of the answer -> (SQL expression over a file's columns, SQL type).
    """

    files: Sequence[Path]
    keys: tuple[str, ...]
    event: str
    known: str | None
    values: Mapping[str, tuple[str, str]]


def key_names(stored: StoredValues) -> list[str]:
    """How the keys are called in a table of asked rows, in the order of `stored.keys`."""
    return [f"k{i}" for i in range(len(stored.keys))]


def values_as_of(
    con: duckdb.DuckDBPyConnection,
    asked: pa.Table,
    stored: StoredValues,
    *,
    ttl: timedelta | None,
    only_known: bool = True,
) -> pa.Table:
    """The values that were known at each asked moment.

    Args:
        con: A connection in UTC.
        asked: n rows: the `key_names` and `moment` (timestamp[us, UTC]). Null keys and moments match nothing.
        stored: The values.
        ttl: A value with event < moment - ttl is too old; one exactly that old is not, as in Feast.
        only_known: Whether values with known > moment are hidden; `known` breaks ties either way.

    Returns:
        n rows in the order of `asked`, with the columns of `stored.values`; null where nothing matches.

    Raises:
        duckdb.Error: A file cannot be read, or lacks a column.
    """
    span = pc.min_max(asked["moment"]).as_py()
    oldest = span["min"] - ttl if span["min"] and ttl and ttl < span["min"] - _EPOCH else None
    files = files_between(stored.files, oldest, span["max"]) if span["max"] else []
    if not files:
        kinds = ", ".join(f"NULL::{kind} AS {quoted(name)}" for name, (_, kind) in stored.values.items())
        return con.sql(f"SELECT {kinds} FROM range({asked.num_rows})").to_arrow_table()
    con.register("asked", asked.append_column("place", pa.array(range(asked.num_rows), pa.int64())))
    try:
        return con.sql(_join(files, stored, oldest, span["max"], ttl, only_known)).to_arrow_table()
    finally:
        con.unregister("asked")


def files_between(files: Sequence[Path], first: datetime | None, last: datetime | None) -> list[Path]:
    """The files that can hold events from `first` to `last`, sorted by name.

    Files named after a day hold the events from that day to the day of the next file: what cannot matter is
    not even opened. If a name is no day, all are kept, and row groups are skipped by their statistics.
    """
    ordered = sorted(files)
    try:
        days = [datetime.combine(date.fromisoformat(path.stem), datetime.min.time(), UTC) for path in ordered]
    except ValueError:
        return ordered
    begin = max(bisect_right(days, first) - 1, 0) if first else 0
    return ordered[begin : bisect_right(days, last) if last else None]


def scan(files: Sequence[Path]) -> str:
    """The files as one SQL table; a literal list, since DuckDB prunes by it."""
    return "read_parquet([" + ", ".join("'" + str(path).replace("'", "''") + "'" for path in files) + "])"


def moment_literal(moment: datetime) -> str:
    """A moment as an SQL constant, which DuckDB compares with the statistics of row groups."""
    return f"TIMESTAMPTZ '{moment.astimezone(UTC).isoformat()}'"


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def _join(
    files: Sequence[Path],
    stored: StoredValues,
    oldest: datetime | None,
    newest: datetime,
    ttl: timedelta | None,
    only_known: bool,
) -> str:
    keys = key_names(stored)
    event, known = quoted(stored.event), quoted(stored.known or stored.event)
    limits = [f"{event} <= {moment_literal(newest)}"]
    limits += [f"{event} >= {moment_literal(oldest)}"] if oldest else []
    limits += [f"{known} <= {moment_literal(newest)}"] if only_known else []
    named = [f"{quoted(column)} AS {key}" for column, key in zip(stored.keys, keys, strict=True)]
    named += [f"CAST({sql} AS {kind}) AS v{i}" for i, (sql, kind) in enumerate(stored.values.values())]
    fresh = f"s.event >= epoch_us(a.moment) - {ttl // timedelta(microseconds=1)}" if ttl else "true"
    picked = [f"CASE WHEN {fresh} THEN v{i} END AS {quoted(name)}" for i, name in enumerate(stored.values)]
    # Written out, as an alias would give way to a feature that happens to be called `event`.
    effective = f"greatest(epoch_us({event}), epoch_us({known}))" if only_known else f"epoch_us({event})"
    return f"""
        WITH visible AS (
            SELECT {", ".join(named)}, epoch_us({event}) AS event, epoch_us({known}) AS known,
                   {effective} AS effective, file_index AS file, file_row_number AS line
            FROM {scan(files)} WHERE {" AND ".join(limits)}
        ), answers AS (
            SELECT * EXCLUDE (known, file, line) FROM visible
            WINDOW so_far AS (PARTITION BY {", ".join(keys)} ORDER BY effective, event, known, file, line)
            QUALIFY event = max(event) OVER (so_far ROWS UNBOUNDED PRECEDING)
                AND lead(effective) OVER so_far IS DISTINCT FROM effective
        )
        SELECT {", ".join(picked)} FROM asked a ASOF LEFT JOIN answers s
        ON {" AND ".join(f"a.{key} = s.{key}" for key in keys)} AND epoch_us(a.moment) >= s.effective
        ORDER BY a.place"""
