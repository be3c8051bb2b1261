"""What a Feast view means in the lake: which files, which columns, which SQL expressions.

Here belongs the translation from Feast's objects to `StoredValues` and paths. Nothing is read here.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb
import pyarrow as pa

# Only the offline store imports this module, and only Feast imports that.
from feast import FeatureView, FileSource, RepoConfig  # noqa: TID253
from feast.data_source import DataSource  # noqa: TID253
from feast.types import Bool, FeastType, Float32, Float64, Int32, Int64, String, UnixTimestamp  # noqa: TID253

from ml_assets.errors import OfflineReadError
from ml_assets.ml.features.query import connect, quoted
from ml_assets.resources.stored_values import StoredValues

KNOWN_AT_SUFFIX = "__known_at"
"""`<view>__known_at`: when the joined value became known, Int64 microseconds since 1970.

Not a UnixTimestamp: Feast keeps those in whole seconds online. The files need not hold the column.
"""
EVENT_TIME_SUFFIX = "__event_time"
"""`<view>__event_time`: since when the joined value holds, likewise. Only online reads need it, for TTLs."""

_SQL_TYPES: dict[FeastType, str] = {
    Bool: "BOOLEAN",
    Float32: "FLOAT",
    Float64: "DOUBLE",
    Int32: "INTEGER",
    Int64: "BIGINT",
    String: "VARCHAR",
    UnixTimestamp: "TIMESTAMPTZ",
}


@contextmanager
def reading(config: RepoConfig, what: str) -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection as configured; what cannot be read becomes an error that names `what`."""
    con = connect()
    try:
        if config.offline_store.threads:
            con.execute(f"SET threads = {int(config.offline_store.threads)}")
        if config.offline_store.memory_limit:
            con.execute("SET memory_limit = ?", [config.offline_store.memory_limit])
        yield con
    except (duckdb.Error, pa.ArrowException, OSError) as error:  # a stream reports DuckDB's errors as Arrow's
        reason = f"cannot be read: {str(error).splitlines()[0]}; materialise its windows again"
        raise OfflineReadError(what, reason) from error
    finally:
        con.close()


def files_of(config: RepoConfig, source: DataSource) -> list[Path]:
    """The parquet files of a source: a folder's, or one; none when nothing is there yet.

    Raises:
        OfflineReadError: The source is no `FileSource`.
    """
    if not isinstance(source, FileSource):
        raise OfflineReadError(f"Source '{source.name}'", "is no FileSource; declare one over a parquet folder")
    path = Path(FileSource.get_uri_for_file_path(config.repo_path, source.path))
    return sorted(path.glob("*.parquet")) if path.is_dir() else [path] if path.is_file() else []


def join_keys(view: FeatureView) -> dict[str, str]:
    """Column of the source -> column of the rows."""
    return view.projection.join_key_map or {column.name: column.name for column in view.entity_columns}


def expression(name: str, event: str, known: str | None, source: DataSource) -> str:
    """SQL for one column of a view: its own, or one derived from its times."""
    if name.endswith(KNOWN_AT_SUFFIX):
        return f"epoch_us({quoted(known)})" if known else "NULL"
    if name.endswith(EVENT_TIME_SUFFIX):
        return f"epoch_us({quoted(event)})"
    return quoted({new: old for old, new in source.field_mapping.items()}.get(name, name))


def stored_values(
    config: RepoConfig, view: FeatureView, feature_refs: list[str], full_feature_names: bool
) -> StoredValues:
    """Where the asked features of a view are stored.

    Raises:
        OfflineReadError: The view has no source, none of files, or no entity.
    """
    source, owner = view.batch_source, view.projection.name_to_use()
    if source is None:
        raise OfflineReadError(f"Feature view '{view.name}'", "has no batch source; declare one")
    if not join_keys(view):
        raise OfflineReadError(f"Feature view '{view.name}'", "has no entity; declare one")
    event, known = source.timestamp_field, source.created_timestamp_column or None
    kinds = {field.name: _SQL_TYPES.get(field.dtype, "VARCHAR") for field in view.features}
    prefix = f"{owner}__" if full_feature_names else ""
    values = {
        prefix + name: (expression(name, event, known, source), kinds[name])
        for name in (ref.removeprefix(f"{owner}:") for ref in feature_refs if ref.startswith(f"{owner}:"))
    }
    return StoredValues(files_of(config, source), tuple(join_keys(view)), event, known, values)
