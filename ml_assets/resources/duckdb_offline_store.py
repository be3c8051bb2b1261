"""Feast's offline store over the lake's parquet files, with DuckDB.

Here belongs what Feast asks of an offline store. The join itself is in `point_in_time`; what is registered,
and what callers see, in `feature_store`. Feast finds this store, and its config, by their names.

Feast's own local stores do not serve: `dask` drops rows, `duckdb` loses their order and is many times slower.
This one keeps every row, in order, with its other columns, and takes nullable integers as integers.
"""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

# Subclasses of Feast's classes cannot import Feast any later; only Feast itself imports this module.
from feast import FeatureView, FileSource, RepoConfig  # noqa: TID253
from feast.data_source import DataSource  # noqa: TID253
from feast.infra.offline_stores.offline_store import (  # noqa: TID253
    OfflineStore,
    RetrievalJob,
    RetrievalMetadata,
)
from feast.infra.offline_stores.offline_utils import infer_event_timestamp_from_entity_df  # noqa: TID253
from feast.infra.registry.base_registry import BaseRegistry  # noqa: TID253
from feast.on_demand_feature_view import OnDemandFeatureView  # noqa: TID253
from feast.repo_config import FeastConfigBaseModel  # noqa: TID253
from feast.types import Bool, FeastType, Float32, Float64, Int32, Int64, String, UnixTimestamp  # noqa: TID253

from ml_assets.errors import OfflineReadError
from ml_assets.ml.query import connect, quoted
from ml_assets.resources.point_in_time import (
    MOMENT,
    StoredValues,
    files_between,
    key_names,
    moment_literal,
    scan,
    values_as_of,
)

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


class LakeOfflineStoreConfig(FeastConfigBaseModel):
    """Feast's `offline_store` block."""

    type: str = "ml_assets.resources.duckdb_offline_store.LakeOfflineStore"
    threads: int | None = None
    """Threads of the process's DuckDB, which all its queries share; all cores when left out."""
    memory_limit: str | None = None
    """Its memory limit, e.g. "4GB"; it spills to disk beyond. 80% of the machine when left out."""


class LakeRetrievalJob(RetrievalJob):
    """A query that runs when its result is asked for."""

    def __init__(
        self,
        query: Callable[[], pa.Table],
        metadata: RetrievalMetadata | None = None,
        full_feature_names: bool = False,
        on_demand: Sequence[OnDemandFeatureView] = (),
    ) -> None:
        self._query, self._metadata = query, metadata
        self._full_feature_names, self._on_demand = full_feature_names, list(on_demand)

    def _to_arrow_internal(self, timeout: int | None = None) -> pa.Table:
        return self._query()

    def _to_df_internal(self, timeout: int | None = None) -> pd.DataFrame:
        return self._query().to_pandas()

    @property
    def full_feature_names(self) -> bool:
        """Whether features are called `<view>__<feature>`."""
        return self._full_feature_names

    @property
    def on_demand_feature_views(self) -> list[OnDemandFeatureView]:
        """Views that Feast computes from the result."""
        return self._on_demand

    @property
    def metadata(self) -> RetrievalMetadata | None:
        """Features, keys and time range of a point-in-time join; None for a plain read."""
        return self._metadata


class LakeOfflineStore(OfflineStore):
    """Reads feature values from `FileSource`s: a folder of parquet files, or one file."""

    supports_filter_by_created_timestamp = True

    @staticmethod
    def get_historical_features(
        config: RepoConfig,
        feature_views: list[FeatureView],
        feature_refs: list[str],
        entity_df: pd.DataFrame | str | None,
        registry: BaseRegistry,
        project: str,
        full_feature_names: bool = False,
        **kwargs: Any,
    ) -> RetrievalJob:
        """The point-in-time join of `entity_df` with the views; see `point_in_time` for its rule.

        Returns:
            A job with all rows and columns of `entity_df`, in order, then the features by view.
        """
        if not isinstance(entity_df, pd.DataFrame):
            raise OfflineReadError("entity_df", "is no DataFrame; give the keys and prediction times as one")
        asked = pa.Table.from_pandas(entity_df, preserve_index=False)
        time = infer_event_timestamp_from_entity_df(dict(entity_df.dtypes))
        moments = _moments(asked, time)
        only_known = bool(kwargs.get("filter_by_created_timestamp"))

        def query() -> pa.Table:
            con, result = _connect(config), asked
            try:
                for view in feature_views:
                    stored = _stored(config, view, feature_refs, full_feature_names)
                    values = _joined(con, asked, moments, view, stored, only_known)
                    for name in values.column_names:
                        result = result.append_column(name, values[name])
            finally:
                con.close()
            return result

        span = pc.min_max(moments).as_py()
        keys = [column for column in asked.column_names if column != time]
        return LakeRetrievalJob(
            query,
            RetrievalMetadata(feature_refs, keys, span["min"], span["max"]),
            full_feature_names,
            OnDemandFeatureView.get_requested_odfvs(feature_refs, project, registry),
        )

    @staticmethod
    def pull_latest_from_table_or_query(
        config: RepoConfig,
        data_source: DataSource,
        join_key_columns: list[str],
        feature_name_columns: list[str],
        timestamp_field: str,
        created_timestamp_column: str | None,
        start_date: datetime,
        end_date: datetime,
    ) -> RetrievalJob:
        """Of each key the row with the greatest (event, known), events from start to end, both included."""
        order = [timestamp_field] + ([created_timestamp_column] if created_timestamp_column else [])
        latest = f"""
            QUALIFY row_number() OVER (
                PARTITION BY {", ".join(map(quoted, join_key_columns))}
                ORDER BY {", ".join(f"{quoted(column)} DESC" for column in order)},
                         file_index DESC, file_row_number DESC) = 1"""
        columns = [*join_key_columns, *feature_name_columns]
        return _plain_read(config, data_source, columns, order, (start_date, end_date), latest)

    @staticmethod
    def pull_all_from_table_or_query(
        config: RepoConfig,
        data_source: DataSource,
        join_key_columns: list[str],
        feature_name_columns: list[str],
        timestamp_field: str,
        created_timestamp_column: str | None = None,
        start_date: datetime | None = None,
        end_date: datetime | None = None,
    ) -> RetrievalJob:
        """All rows with events from start to end, both included."""
        order = [timestamp_field] + ([created_timestamp_column] if created_timestamp_column else [])
        columns = [*join_key_columns, *feature_name_columns]
        return _plain_read(config, data_source, columns, order, (start_date, end_date), "")


def _connect(config: RepoConfig) -> duckdb.DuckDBPyConnection:
    con = connect()
    if config.offline_store.threads:
        con.execute(f"SET threads = {int(config.offline_store.threads)}")
    if config.offline_store.memory_limit:
        con.execute("SET memory_limit = ?", [config.offline_store.memory_limit])
    return con


def _reading(what: str, read: Callable[[], pa.Table]) -> pa.Table:
    try:
        return read()
    except duckdb.Error as error:
        reason = f"cannot be read: {str(error).splitlines()[0]}; materialise its windows again"
        raise OfflineReadError(f"Feature view '{what}'", reason) from error


def _joined(
    con: duckdb.DuckDBPyConnection,
    asked: pa.Table,
    moments: pa.ChunkedArray,
    view: FeatureView,
    stored: StoredValues,
    only_known: bool,
) -> pa.Table:
    keys = _join_keys(view)
    table = pa.table([*(asked[keys[key]] for key in stored.keys), moments], [*key_names(stored), "moment"])
    ttl = view.ttl or None
    return _reading(view.name, lambda: values_as_of(con, table, stored, ttl=ttl, only_known=only_known))


def _join_keys(view: FeatureView) -> dict[str, str]:
    """Column of the source -> column of the rows."""
    return view.projection.join_key_map or {column.name: column.name for column in view.entity_columns}


def _moments(asked: pa.Table, column: str) -> pa.ChunkedArray:
    """Prediction times in UTC; times without a zone are taken as UTC, as Feast does."""
    times = asked[column]
    if pa.types.is_timestamp(times.type) and times.type.tz is None:
        times = pc.assume_timezone(times, "UTC")
    # Nanoseconds are cut off, so a moment can only become earlier: never a leak.
    return times.cast(MOMENT, safe=False)


def _files(config: RepoConfig, source: DataSource) -> list[Path]:
    if not isinstance(source, FileSource):
        raise OfflineReadError(f"Source '{source.name}'", "is no FileSource; declare one over a parquet folder")
    path = Path(FileSource.get_uri_for_file_path(config.repo_path, source.path))
    return sorted(path.glob("*.parquet")) if path.is_dir() else [path] if path.is_file() else []


def _expression(name: str, event: str, known: str | None, source: DataSource) -> str:
    """SQL for one column of a view: its own, or one derived from its times."""
    if name.endswith(KNOWN_AT_SUFFIX):
        return f"epoch_us({quoted(known)})" if known else "NULL"
    if name.endswith(EVENT_TIME_SUFFIX):
        return f"epoch_us({quoted(event)})"
    return quoted({new: old for old, new in source.field_mapping.items()}.get(name, name))


def _stored(config: RepoConfig, view: FeatureView, feature_refs: list[str], full_feature_names: bool) -> StoredValues:
    source, owner = view.batch_source, view.projection.name_to_use()
    if source is None:
        raise OfflineReadError(f"Feature view '{view.name}'", "has no batch source; declare one")
    event, known = source.timestamp_field, source.created_timestamp_column or None
    kinds = {field.name: _SQL_TYPES.get(field.dtype, "VARCHAR") for field in view.features}
    prefix = f"{owner}__" if full_feature_names else ""
    values = {
        prefix + name: (_expression(name, event, known, source), kinds[name])
        for name in (ref.removeprefix(f"{owner}:") for ref in feature_refs if ref.startswith(f"{owner}:"))
    }
    return StoredValues(_files(config, source), tuple(_join_keys(view)), event, known, values)


def _plain_read(
    config: RepoConfig,
    source: DataSource,
    columns: list[str],
    times: list[str],
    span: tuple[datetime | None, datetime | None],
    qualify: str,
) -> RetrievalJob:
    event, known = times[0], times[1] if len(times) > 1 else None

    def query() -> pa.Table:
        first, last = (moment and moment.astimezone(UTC) for moment in span)
        files = files_between(_files(config, source), first, last)
        if not files:
            kinds = {name: MOMENT if name in times else pa.null() for name in [*columns, *times]}
            return pa.schema(list(kinds.items())).empty_table()
        limits = [f"{quoted(event)} >= {moment_literal(first)}"] if first else []
        limits += [f"{quoted(event)} <= {moment_literal(last)}"] if last else []
        picked = [f"{_expression(name, event, known, source)} AS {quoted(name)}" for name in columns]
        picked += [quoted(name) for name in times]
        where = f"WHERE {' AND '.join(limits)}" if limits else ""
        con = _connect(config)
        try:
            sql = f"SELECT {', '.join(picked)} FROM {scan(files)} {where} {qualify}"
            return _reading(source.name, lambda: con.sql(sql).to_arrow_table())
        finally:
            con.close()

    return LakeRetrievalJob(query)
