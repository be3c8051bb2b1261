"""The lake: parquet files by problem, kind, name and window, written whole or not at all.

Here belongs where things lie and how they are written. What is in them is the business of `ml`.
"""

import hashlib
from collections.abc import Iterable
from datetime import timedelta
from pathlib import Path

import dagster as dg
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from pydantic import Field

from ml_assets.errors import NotLandedError
from ml_assets.files import write_atomically
from ml_assets.ml.query import Tables
from ml_assets.ml.windows import Window, windows_back
from ml_assets.spec import Cadence, Problem, Source


class Lake(dg.ConfigurableResource):
    """Parquet on a local or mounted file system."""

    root: str = Field(description="Folder of the lake: `<root>/<problem>/<kind>/<name>/<window>.parquet`.")
    landing: str = Field(description="Folder of deliveries: `<landing>/<problem>/<source>/<window>.parquet`.")

    def delivery(self, problem: Problem, source: str, window: Window) -> Path:
        """Where a source's file for a window is delivered."""
        return Path(self.landing) / problem.name / source / f"{window.key}.parquet"

    def folder(self, problem: Problem, *parts: str) -> Path:
        """Folder of one table, e.g. folder(problem, "features", "weather")."""
        return Path(self.root, problem.name, *parts)

    def path(self, problem: Problem, kind: str, name: str, window: str) -> Path:
        """File of one window of one table."""
        return self.folder(problem, kind, name) / f"{window}.parquet"

    def write(self, path: Path, table: pa.Table | pd.DataFrame) -> Path:
        """Write one file; the same table gives the same bytes."""
        if isinstance(table, pd.DataFrame):
            table = pa.Table.from_pandas(table, preserve_index=False)
        table = table.replace_schema_metadata(None)
        return write_atomically(path, lambda to: pq.write_table(table, to, compression="zstd", coerce_timestamps="us"))

    def read(self, what: str, paths: Iterable[Path]) -> pa.Table:
        """Rows of several files in the given order.

        Raises:
            NotLandedError: One of them is not there.
        """
        paths = list(paths)
        if missing := [path.stem for path in paths if not path.exists()]:
            raise NotLandedError(what, missing)
        return pa.concat_tables([pq.read_table(path) for path in paths], promote_options="permissive")

    def require_features(self, problem: Problem, windows: Iterable[Window]) -> None:
        """Make sure that every feature view is there; a join would take a missing file for missing values.

        Raises:
            NotLandedError: A view lacks a window.
        """
        windows = list(windows)
        for view in problem.feature_views:
            missing = [w.key for w in windows if not self.path(problem, "features", view.name, w.key).exists()]
            if missing:
                raise NotLandedError(f"Feature view '{view.name}'", missing)

    def tables(self, problem: Problem, sources: Iterable[str], window: Window, lookback_days: int = 0) -> Tables:
        """Files of the named sources that a SELECT for `window` may read.

        A snapshot source is read as of the window. Nothing before the cadence's start is asked for.

        Raises:
            NotLandedError: A window of the look-back is missing: with a hole in its history, a feature would differ
                from what a backfill computes later.
        """
        declared = tuple(problem.source(name) for name in sources)
        return Tables(
            declared, {s.name: self._files(problem, s, window, problem.cadence, lookback_days) for s in declared}
        )

    def _files(
        self, problem: Problem, source: Source, window: Window, cadence: Cadence, lookback_days: int
    ) -> list[Path]:
        back = timedelta(days=lookback_days if source.event_time else 0)
        windows = windows_back(window, back, cadence)
        paths = [self.path(problem, "sources", source.name, past.key) for past in windows]
        if missing := [path.stem for path in paths if not path.exists()]:
            raise NotLandedError(f"Source '{source.name}'", missing)
        return paths


def content_hash(paths: Iterable[Path]) -> str:
    """SHA-256 over the bytes of the files, in the given order."""
    digest = hashlib.sha256()
    for path in paths:
        digest.update(path.read_bytes())
    return digest.hexdigest()
