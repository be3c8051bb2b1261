"""Feature values in parquet files: where they are, which files can matter, and reading them in one order.

Here belongs reading. Which value answers which row is found in `point_in_time`. Feast is not known here.
"""

from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb
import pyarrow as pa

from ml_assets.ml.features.query import quoted
from ml_assets.ml.windows import DAY_FORMAT, HOUR_FORMAT

GROUP_BYTES = 512_000_000
"""Columns are read in groups of about this size, so that a wide view needs no more memory than a narrow one."""


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


@dataclass(frozen=True)
class History:
    """The stored rows of a time range, in the order of files and lines.

    Both methods read the same rows in the same order, so the n-th of one belongs to the n-th of the other.

    Attributes:
        stored: The values.
        files: Those of its files that can matter; at least one.
        limits: SQL conditions on the time columns.
    """

    stored: StoredValues
    files: Sequence[Path]
    limits: Sequence[str]
    versions: Sequence[tuple[int, int, int]] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "versions", file_versions(self.files))

    def times(self, con: duckdb.DuckDBPyConnection) -> pa.Table:
        """h rows: `k0`, `k1`, ... (the keys), `event` and `known` (int64 microseconds since 1970)."""
        stored = self.stored
        event, known = (f"epoch_us({quoted(time)})" for time in (stored.event, stored.known or stored.event))
        keys = [f"{quoted(column)} AS k{i}" for i, column in enumerate(stored.keys)]
        return self._read(con, [*keys, f"{event} AS event", f"{known} AS known"])

    def values(self, con: duckdb.DuckDBPyConnection, rows: int) -> Iterator[dict[str, pa.ChunkedArray]]:
        """The features, a group of them at a time: name -> h values.

        Args:
            con: A connection in UTC.
            rows: h.
        """
        wanted = list(self.stored.values.items())
        size = max(GROUP_BYTES // (8 * max(rows, 1)), 1)
        for start in range(0, len(wanted), size):
            group = wanted[start : start + size]
            # Numbered, as an alias of the user's would hide a column of the same name.
            table = self._read(con, [f"CAST({sql} AS {kind}) AS v{i}" for i, (_, (sql, kind)) in enumerate(group)])
            yield {name: table[f"v{i}"] for i, (name, _) in enumerate(group)}

    def _read(self, con: duckdb.DuckDBPyConnection, picked: Sequence[str]) -> pa.Table:
        where = f"WHERE {' AND '.join(self.limits)}" if self.limits else ""
        # DuckDB keeps the order of files and lines (`preserve_insertion_order`), filtered or not.
        table = con.sql(f"SELECT {', '.join(picked)} FROM {scan(self.files)} {where}").to_arrow_table()
        # A file replaced between two reads would give a row the values of another.
        if file_versions(self.files) != self.versions:
            raise OSError("its files changed while they were read")
        return table


def file_versions(files: Sequence[Path]) -> list[tuple[int, int, int]]:
    """What differs once a file has been replaced or written to: inode, size and time."""
    return [(found.st_ino, found.st_size, found.st_mtime_ns) for found in (path.stat() for path in files)]


def files_between(files: Sequence[Path], first: datetime | None, last: datetime | None) -> list[Path]:
    """The files that can hold events from `first` to `last`, sorted by name.

    Files named after a window hold the events from its start to that of the next file, in local time, which is at
    most a day off UTC: what cannot matter is not even opened. If a name is no window's, or there is but one file (a
    saved training set is named after its cutoff), all are kept, and row groups are skipped by their statistics.
    """
    ordered = sorted(files)
    try:
        starts = [_start(path.stem) for path in ordered]
    except ValueError:
        return ordered
    if len(ordered) == 1:
        return ordered
    begin = max(bisect_right(starts, first - _ZONES) - 1, 0) if first else 0
    return ordered[begin : bisect_right(starts, last + _ZONES) if last else None]


def _start(window: str) -> datetime:
    """Local time at which a window starts, taken for UTC. (An hour that the clocks repeat has its zone in its name.)"""
    text = HOUR_FORMAT if len(window) > _DAY else DAY_FORMAT
    return datetime.strptime(window[:_HOUR], text).replace(tzinfo=UTC)


_DAY, _HOUR = len("2013-01-07"), len("2013-01-07-05:00")


_ZONES = timedelta(days=1)
"""More than any time zone is ahead of or behind UTC."""


def scan(files: Sequence[Path]) -> str:
    """The files as one SQL table; a literal list, since DuckDB prunes by it."""
    return "read_parquet([" + ", ".join("'" + str(path).replace("'", "''") + "'" for path in files) + "])"


def moment_literal(moment: datetime) -> str:
    """A moment as an SQL constant, which DuckDB compares with the statistics of row groups."""
    return f"TIMESTAMPTZ '{moment.astimezone(UTC).isoformat()}'"
