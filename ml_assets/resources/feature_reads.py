"""Plain reads of stored feature values: all of a time range, or each key's latest.

Here belong the queries that materialisation and profiling need. The point-in-time join is in `point_in_time`.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import pyarrow as pa

# Only the offline store imports this module, and only Feast imports that.
from feast import RepoConfig  # noqa: TID253
from feast.data_source import DataSource  # noqa: TID253

from ml_assets.ml.features.query import quoted
from ml_assets.resources.feast_sources import expression, files_of, reading
from ml_assets.resources.lake_retrieval_job import LakeRetrievalJob
from ml_assets.resources.point_in_time import MOMENT
from ml_assets.resources.stored_values import files_between, moment_literal, scan


@dataclass(frozen=True)
class Reading:
    """What is read of a source.

    Attributes:
        source: The source, a `FileSource`.
        columns: Columns of the answer, before the times.
        event, known: Its time columns.
        first, last: Limits of the event time, both included; None for none.
    """

    source: DataSource
    columns: Sequence[str]
    event: str
    known: str | None
    first: datetime | None
    last: datetime | None


def all_values(config: RepoConfig, read: Reading) -> LakeRetrievalJob:
    """All rows in the range: the columns, then the times."""
    return _job(config, read, lambda table, where: f"SELECT {_picked(read)} FROM {table} {where}")


def latest_values(config: RepoConfig, read: Reading, keys: Sequence[str]) -> LakeRetrievalJob:
    """Of each key the row with the greatest (event, known); of equal ones the one written last.

    Who wins is found out over the times alone. Only then are the wide rows read, and passed on as they come:
    memory is bounded by the number of keys (about 100 bytes each), not by that of values.
    """
    event, known = (f"epoch_us({quoted(time)})" for time in (read.event, read.known or read.event))
    # Nothing is known earlier than what is not known at all; a NULL would win.
    known = f"coalesce({known}, -9223372036854775808)"
    best = f"{{'event': {event}, 'known': {known}, 'f': file_index, 'l': file_row_number}}"

    def sql(table: str, where: str) -> str:
        return f"""
            WITH won AS (
                SELECT unnest(max({best})) FROM {table} {where} GROUP BY {", ".join(map(quoted, keys))}
            )
            SELECT {_picked(read)} FROM {table} s
            SEMI JOIN won ON s.file_index = won.f AND s.file_row_number = won.l {where}"""

    return _job(config, read, sql)


def _picked(read: Reading) -> str:
    picked = [f"{expression(name, read.event, read.known, read.source)} AS {quoted(name)}" for name in read.columns]
    return ", ".join(picked + [quoted(name) for name in _times(read)])


def _times(read: Reading) -> list[str]:
    return [read.event] + ([read.known] if read.known else [])


def _job(config: RepoConfig, read: Reading, select: Callable[[str, str], str]) -> LakeRetrievalJob:
    first, last = (moment and moment.astimezone(UTC) for moment in (read.first, read.last))
    limits = [f"{quoted(read.event)} >= {moment_literal(first)}"] if first else []
    limits += [f"{quoted(read.event)} <= {moment_literal(last)}"] if last else []
    where = f"WHERE {' AND '.join(limits)}" if limits else ""

    def sql() -> str | None:
        files = files_between(files_of(config, read.source), first, last)
        return select(scan(files), where) if files else None

    def query() -> pa.Table:
        if not (text := sql()):
            kinds = {name: MOMENT if name in _times(read) else pa.null() for name in [*read.columns, *_times(read)]}
            return pa.schema(list(kinds.items())).empty_table()
        with reading(config, f"Feature view '{read.source.name}'") as con:
            return con.sql(text).to_arrow_table()

    def stream(rows: int) -> Iterator[pa.RecordBatch]:
        if text := sql():
            with reading(config, f"Feature view '{read.source.name}'") as con:
                yield from con.sql(text).to_arrow_reader(rows)

    return LakeRetrievalJob(query, stream=stream)
