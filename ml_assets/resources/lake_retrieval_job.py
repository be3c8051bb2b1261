"""A query of the offline store, as Feast hands it to its caller: it runs when its result is asked for.

Here belongs what one can do with a result: take it whole, in batches, or keep it as a file. The queries are in
`duckdb_offline_store` and `feature_reads`.
"""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

# Subclasses of Feast's classes cannot import Feast any later; only the offline store imports this module.
from feast.errors import SavedDatasetLocationAlreadyExists  # noqa: TID253
from feast.infra.offline_stores.file_source import SavedDatasetFileStorage  # noqa: TID253
from feast.infra.offline_stores.offline_store import RetrievalJob, RetrievalMetadata  # noqa: TID253
from feast.on_demand_feature_view import OnDemandFeatureView  # noqa: TID253
from feast.saved_dataset import SavedDatasetStorage  # noqa: TID253

from ml_assets.errors import OfflineReadError
from ml_assets.files import write_atomically


class LakeRetrievalJob(RetrievalJob):
    """A query that runs when its result is asked for."""

    def __init__(
        self,
        query: Callable[[], pa.Table],
        metadata: RetrievalMetadata | None = None,
        full_feature_names: bool = False,
        on_demand: Sequence[OnDemandFeatureView] = (),
        *,
        stream: Callable[[int], Iterator[pa.RecordBatch]] | None = None,
    ) -> None:
        self._query, self._metadata, self._stream = query, metadata, stream
        self._full_feature_names, self._on_demand = full_feature_names, list(on_demand)

    def to_batches(self, rows: int) -> Iterator[pa.RecordBatch]:
        """The result in record batches of at most so many rows, read as they are asked for.

        Memory stays bounded by the batches and by what the query has to remember, not by the result. Views that
        Feast computes on demand are left out, as they are of a plain query. Take all batches, or close the
        iterator: until then files are open.

        Raises:
            OfflineReadError: A file cannot be read; possibly after some batches.
        """
        if self._stream:
            yield from self._stream(rows)
        else:
            yield from self._query().to_batches(max_chunksize=rows)

    def _to_arrow_internal(self, timeout: int | None = None) -> pa.Table:
        return self._query()

    def _to_df_internal(self, timeout: int | None = None) -> pd.DataFrame:
        return self._query().to_pandas()

    def persist(self, storage: SavedDatasetStorage, allow_overwrite: bool = False, timeout: int | None = None) -> None:
        """Write the result as one parquet file, whole or not at all: what Feast's saved datasets ask for."""
        if not isinstance(storage, SavedDatasetFileStorage):
            raise OfflineReadError("A saved dataset", f"cannot go to a {type(storage).__name__}; give a file storage")
        path = Path(storage.file_options.uri)
        if path.exists() and not allow_overwrite:
            raise SavedDatasetLocationAlreadyExists(location=str(path))
        table = self._query()
        write_atomically(path, lambda to: pq.write_table(table, to, compression="zstd", coerce_timestamps="us"))

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
