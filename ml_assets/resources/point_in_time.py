"""The point-in-time join over parquet files: for each row the newest value already known.

Here belongs which files, columns and rows are read for it, and when. The rule is in `ml.features.as_of`, how files
are read in `stored_values`. Feast is not known here.

First the keys and times alone are read, and give each asked row the number of the value that answers it. Only then
the features are read, a few at a time, and picked by those numbers. So a wide view costs little more than reading
it, and beside the result some 60 bytes for each row asked or stored, and `stored_values.GROUP_BYTES` for features,
are in memory.
"""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ml_assets.ml.features.as_of import Keyed, newest_known
from ml_assets.ml.features.query import quoted
from ml_assets.resources.stored_values import History, StoredValues, files_between, moment_literal

MOMENT = pa.timestamp("us", tz="UTC")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_PICKED_AT_ONCE = 2**20
"""Rows per chunk of the result: a chunk of text must stay below 2 GB."""


@dataclass(frozen=True)
class Answers:
    """Which stored value answers which of n asked rows.

    Attributes:
        stored: The values.
        history: What was read of them; None when nothing can matter.
        rows: How many that were.
        places: (n,) int32 or int64: the answering row of `history`, or null.
    """

    stored: StoredValues
    history: History | None
    rows: int
    places: pa.Array

    def values(self, con: duckdb.DuckDBPyConnection) -> pa.Table:
        """n rows with the columns of `stored.values`; null where nothing answers.

        Raises:
            duckdb.Error, OSError: A file cannot be read, lacks a column, or changed since the answers were found.
        """
        if self.history is None:
            kinds = [f"NULL::{kind} AS v{i}" for i, (_, kind) in enumerate(self.stored.values.values())]
            types = con.sql(f"SELECT {', '.join(kinds)} LIMIT 0").to_arrow_table().schema.types
            return pa.table([pa.nulls(len(self.places), kind) for kind in types], list(self.stored.values))
        picked: dict[str, pa.ChunkedArray] = {}
        with ThreadPoolExecutor(_threads(con)) as pool:
            for group in self.history.values(con, self.rows):
                picked |= zip(group, pool.map(self._pick, group.values()), strict=True)
        return pa.table(picked)

    def _pick(self, column: pa.ChunkedArray) -> pa.ChunkedArray:
        kind = column.type
        # One array of text may exceed the 2 GB that offsets of 32 bits reach.
        whole = (column.cast(pa.large_string()) if pa.types.is_string(kind) else column).combine_chunks()
        starts = range(0, len(self.places), _PICKED_AT_ONCE)
        parts = [whole.take(self.places.slice(start, _PICKED_AT_ONCE)).cast(kind) for start in starts]
        return pa.chunked_array(parts, kind)


def answers_as_of(
    con: duckdb.DuckDBPyConnection,
    keys: Sequence[pa.ChunkedArray],
    moments: pa.ChunkedArray,
    stored: StoredValues,
    *,
    ttl: timedelta | None,
    only_known: bool = True,
) -> Answers:
    """Find the values that were known at each asked moment.

    Args:
        con: A connection in UTC.
        keys: n values of each key, in the order of `stored.keys`; null matches nothing.
        moments: (n,) timestamp[us, UTC]; null matches nothing.
        stored: The values.
        ttl: A value with event < moment - ttl is too old; one exactly that old is not, as in Feast.
        only_known: Whether values with known > moment are hidden; `known` breaks ties either way.

    Raises:
        duckdb.Error, OSError: A file cannot be read, lacks a column, or changed meanwhile.
        pyarrow.ArrowException: Keys of both sides cannot be compared.
    """
    span = pc.min_max(moments).as_py()
    oldest = span["min"] - ttl if span["min"] and ttl and ttl < span["min"] - _EPOCH else None
    files = files_between(stored.files, oldest, span["max"]) if span["max"] else []
    if not files:
        return Answers(stored, None, 0, pa.nulls(len(moments), pa.int32()))
    history = History(stored, files, _limits(stored, oldest, span["max"], only_known))
    times = history.times(con)
    found = newest_known(
        Keyed(keys, moments.cast(pa.int64())),
        Keyed([times[f"k{i}"] for i in range(len(keys))], times["event"]),
        times["known"],
        ttl_us=ttl // _MICROSECOND if ttl else None,
        only_known=only_known,
        threads=_threads(con),
    )
    # Half the bytes where they suffice: picking is bound by memory.
    places = found.astype(np.int32) if times.num_rows < 2**31 else found
    return Answers(stored, history, times.num_rows, pa.array(places, mask=found < 0))


def _limits(stored: StoredValues, oldest: datetime | None, newest: datetime, only_known: bool) -> list[str]:
    event, known = quoted(stored.event), quoted(stored.known or stored.event)
    limits = [f"{event} <= {moment_literal(newest)}"]
    limits += [f"{event} >= {moment_literal(oldest)}"] if oldest else []
    return limits + ([f"{known} <= {moment_literal(newest)}"] if only_known else [])


def _threads(con: duckdb.DuckDBPyConnection) -> int:
    return int(con.sql("SELECT current_setting('threads')").fetchall()[0][0])
