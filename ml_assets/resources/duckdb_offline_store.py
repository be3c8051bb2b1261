"""Feast's offline store over the lake's parquet files, with DuckDB.

Here belongs what Feast asks of an offline store. The join itself is in `point_in_time`; what is registered,
and what callers see, in `feature_store`. Feast finds this store, and its config, by their names.

Feast's own local stores do not serve: `dask` drops rows and confuses corrections, `duckdb` loses the order of rows
and is many times slower.
This one keeps every row, in order, with its other columns, and takes nullable integers as integers.
"""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

# Subclasses of Feast's classes cannot import Feast any later; only Feast itself imports this module.
from feast import FeatureView, RepoConfig  # noqa: TID253
from feast.data_source import DataSource  # noqa: TID253
from feast.infra.offline_stores.offline_store import OfflineStore, RetrievalJob, RetrievalMetadata  # noqa: TID253
from feast.infra.offline_stores.offline_utils import infer_event_timestamp_from_entity_df  # noqa: TID253
from feast.infra.registry.base_registry import BaseRegistry  # noqa: TID253
from feast.on_demand_feature_view import OnDemandFeatureView  # noqa: TID253
from feast.repo_config import FeastConfigBaseModel  # noqa: TID253

from ml_assets.errors import OfflineReadError
from ml_assets.resources.feast_sources import join_keys, reading, stored_values
from ml_assets.resources.feature_reads import Reading, all_values, latest_values
from ml_assets.resources.lake_retrieval_job import LakeRetrievalJob
from ml_assets.resources.point_in_time import MOMENT, answers_as_of
from ml_assets.resources.stored_values import StoredValues

_SMALL_BYTES, _MOST_VIEWS = 256_000_000, 4
"""Views whose files take less than so many bytes together are joined so many at a time."""


class LakeOfflineStoreConfig(FeastConfigBaseModel):
    """Feast's `offline_store` block."""

    type: str = "ml_assets.resources.duckdb_offline_store.LakeOfflineStore"
    threads: int | None = None
    """Threads of the process's DuckDB, which all its queries share; all cores when left out."""
    memory_limit: str | None = None
    """Its memory limit, e.g. "4GB"; it spills to disk beyond. 80% of the machine when left out. What a
    point-in-time join holds outside DuckDB does not count; `point_in_time` says how much that is, for each view that
    is joined at the same time."""
    known_values_only: bool = True
    """Values not yet known at a row's prediction time are hidden, whether or not a caller asks Feast to with
    `filter_by_created_timestamp`: its default would let them through. False joins on event time alone."""


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
        only_known = config.offline_store.known_values_only
        stored = [(view, stored_values(config, view, feature_refs, full_feature_names)) for view in feature_views]
        at_once = _views_at_once([values for _, values in stored])

        def joined(view: FeatureView, values: StoredValues) -> pa.Table:
            names = join_keys(view)
            keys = [asked[names[key]] for key in values.keys]
            with reading(config, f"Feature view '{view.name}'") as con:
                answers = answers_as_of(con, keys, moments, values, ttl=view.ttl or None, only_known=only_known)
                return answers.values(con)

        def query() -> pa.Table:
            result = asked
            with ThreadPoolExecutor(at_once) as pool:
                for found in pool.map(joined, *zip(*stored, strict=True)):
                    for name in found.column_names:
                        result = result.append_column(name, found[name])
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
        columns = [*join_key_columns, *feature_name_columns]
        read = Reading(data_source, columns, timestamp_field, created_timestamp_column or None, start_date, end_date)
        return latest_values(config, read, join_key_columns)

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
        columns = [*join_key_columns, *feature_name_columns]
        read = Reading(data_source, columns, timestamp_field, created_timestamp_column or None, start_date, end_date)
        return all_values(config, read)


def _views_at_once(stored: Sequence[StoredValues]) -> int:
    """How many views are joined at the same time: a small one cannot keep all cores busy, a large one needs memory."""
    size = sum(path.stat().st_size for values in stored for path in values.files)
    return _MOST_VIEWS if size < _SMALL_BYTES else 1


def _moments(asked: pa.Table, column: str) -> pa.ChunkedArray:
    """Prediction times in UTC; times without a zone are taken as UTC, as Feast does."""
    times = asked[column]
    if pa.types.is_timestamp(times.type) and times.type.tz is None:
        times = pc.assume_timezone(times, "UTC")
    # Nanoseconds are cut off, so a moment can only become earlier: never a leak.
    return times.cast(MOMENT, safe=False)
