"""Feast's SQLite online store, with the same content, written in bulk and read by several processes at a time.

Here belongs what differs from Feast's own: tables sorted by their key, so that each value is written once (theirs
keep two more indices); one statement per batch; only the features asked for are read. Feast finds this store, and
its config, by their names; either store reads the other's files.
"""

import sqlite3
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from itertools import groupby
from typing import Any

import pyarrow as pa

# Subclasses of Feast's classes cannot import Feast any later; only Feast itself imports this module.
from feast import Entity, FeatureView, RepoConfig  # noqa: TID253
from feast.infra.key_encoding_utils import serialize_entity_key  # noqa: TID253
from feast.infra.online_stores.helpers import compute_table_id, extract_text_and_num  # noqa: TID253
from feast.infra.online_stores.sqlite import (  # noqa: TID253
    SqliteOnlineStore,
    SqliteOnlineStoreConfig,
    adapt_datetime_epoch,
)
from feast.protos.feast.types.EntityKey_pb2 import EntityKey  # noqa: TID253
from feast.protos.feast.types.Value_pb2 import Value  # noqa: TID253
from feast.utils import to_naive_utc  # noqa: TID253

from ml_assets.resources.online_columns import EncodedColumn, EncodedRows

Row = tuple[EntityKey, dict[str, Value], datetime, datetime | None]
_KEYS = 10_000
"""Keys per statement: SQLite takes a bounded number of parameters."""
_FEATURES = 1_000
"""Features per statement, likewise."""
_WAIT_S = 120
_CACHE_KIB = 65_536


class LakeSqliteOnlineStoreConfig(SqliteOnlineStoreConfig):
    """Feast's `online_store` block: `path` of the file."""

    type: str = "ml_assets.resources.sqlite_online_store.LakeSqliteOnlineStore"  # type: ignore[assignment]


class LakeSqliteOnlineStore(SqliteOnlineStore):
    """One table per feature view: a row per key and feature."""

    def _get_conn(self, config: RepoConfig) -> sqlite3.Connection:
        known, connection = self._conn, super()._get_conn(config)
        if known is None:
            connection.execute(f"PRAGMA busy_timeout = {_WAIT_S * 1000}")
            connection.execute("PRAGMA journal_mode = WAL")  # readers and the writer do not wait for each other
            connection.execute("PRAGMA synchronous = NORMAL")  # in WAL mode a crash loses no consistency
            connection.execute(f"PRAGMA cache_size = -{_CACHE_KIB}")
        return connection

    def update(
        self,
        config: RepoConfig,
        tables_to_delete: Sequence[FeatureView],
        tables_to_keep: Sequence[FeatureView],
        entities_to_delete: Sequence[Entity],
        entities_to_keep: Sequence[Entity],
        partial: bool,
    ) -> None:
        """Make the tables of views that are there, and drop those of views that are not."""
        connection = self._get_conn(config)
        for view in tables_to_keep:
            connection.execute(
                f"CREATE TABLE IF NOT EXISTS {_table(config, view)} (entity_key BLOB, feature_name TEXT, value BLOB, "
                "value_text TEXT, vector_value BLOB, event_ts timestamp, created_ts timestamp, "
                "PRIMARY KEY (entity_key, feature_name)) WITHOUT ROWID"
            )
        for view in tables_to_delete:
            connection.execute(f"DROP TABLE IF EXISTS {_table(config, view)}")

    def online_write_batch(
        self,
        config: RepoConfig,
        table: FeatureView,
        data: list[Row],
        progress: Callable[[int], Any] | None,
    ) -> None:
        """Write all rows, or none."""
        connection = self._get_conn(config)
        with connection:
            connection.executemany(_upsert(config, table, "(?, ?, ?, ?, ?, ?)"), _parameters(config, data))
        if progress:
            progress(len(data))

    def write_columns(self, config: RepoConfig, table: FeatureView, rows: EncodedRows) -> None:
        """Write all rows, or none; fastest in the order of their keys.

        All features of a key go with one statement, which takes half the time of one for each.
        """
        connection = self._get_conn(config)
        times = [_epochs(rows.event), _epochs(rows.known)]
        names = sorted(rows.columns)  # as the table is
        with connection:
            for start in range(0, len(names), _FEATURES):
                part = names[start : start + _FEATURES]
                values = [column for name in part for column in _value_and_text(rows.columns[name])]
                # Parameters 1 to 3 are the same for all features, the others are a pair for each.
                marks = (f"(?1, {_literal(name)}, ?{2 * i + 4}, ?{2 * i + 5}, ?2, ?3)" for i, name in enumerate(part))
                parameters = zip(rows.keys, *times, *values, strict=True)
                connection.executemany(_upsert(config, table, ", ".join(marks)), parameters)

    def online_read(
        self,
        config: RepoConfig,
        table: FeatureView,
        entity_keys: list[EntityKey],
        requested_features: list[str] | None = None,
    ) -> list[tuple[datetime | None, dict[str, Value] | None]]:
        """Values of each key; (None, None) where there are none."""
        asked = [_key(config, key) for key in entity_keys]
        wanted = requested_features or [field.name for field in table.features]
        found: dict[bytes, tuple[datetime, dict[str, Value]]] = {}
        for start in range(0, len(asked), _KEYS):
            part = asked[start : start + _KEYS]
            rows = self._get_conn(config).execute(
                f"SELECT entity_key, feature_name, value, event_ts FROM {_table(config, table)} "
                f"WHERE entity_key IN ({_marks(part)}) AND feature_name IN ({_marks(wanted)}) ORDER BY entity_key",
                [*part, *wanted],
            )
            for key, group in groupby(rows, key=lambda row: row[0]):
                values = list(group)
                found[key] = values[0][3], {name: Value.FromString(value) for _, name, value, _ in values}
        return [found.get(key, (None, None)) for key in asked]


def _upsert(config: RepoConfig, view: FeatureView, rows: str) -> str:
    return (
        f"INSERT INTO {_table(config, view)} "
        f"(entity_key, feature_name, value, value_text, event_ts, created_ts) VALUES {rows} "
        "ON CONFLICT (entity_key, feature_name) DO UPDATE SET value = excluded.value, "
        "value_text = excluded.value_text, event_ts = excluded.event_ts, created_ts = excluded.created_ts"
    )


def _value_and_text(column: EncodedColumn) -> tuple[Sequence[bytes], list[str | None]]:
    return column.encoded, [None if value is None else str(value) for value in column.plain]


def _epochs(times: pa.Array) -> list[int | None]:
    # As Feast's adapter of datetimes has it: whole seconds, the UTC time read as a local one, and back when read.
    return [time and adapt_datetime_epoch(time) for time in times.to_pylist()]


def _parameters(config: RepoConfig, data: list[Row]) -> Iterator[tuple[Any, ...]]:
    # By key, as the table is: neighbours go to the same page.
    keyed = sorted(((_key(config, row[0]), row) for row in data), key=lambda pair: pair[0])
    for key, (_, values, event, created) in keyed:
        times = to_naive_utc(event), to_naive_utc(created) if created else None
        for name, value in values.items():
            text, _ = extract_text_and_num(value, compute_num=False)
            yield key, name, value.SerializeToString(), text, *times


def _key(config: RepoConfig, key: EntityKey) -> bytes:
    return serialize_entity_key(key, entity_key_serialization_version=config.entity_key_serialization_version)


def _table(config: RepoConfig, view: FeatureView) -> str:
    return '"' + compute_table_id(config.project, view).replace('"', '""') + '"'


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _marks(values: Sequence[object]) -> str:
    return ", ".join("?" * len(values))
