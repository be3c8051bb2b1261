"""The lake: parquet files by group, kind, name and window, written whole or not at all.

Here belongs where things lie and how they are written. What is in them is the business of `ml`.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import dagster as dg
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from pydantic import Field

from ml_assets.errors import NeverKnownError, NotLandedError
from ml_assets.files import write_atomically
from ml_assets.ml.features.query import Tables
from ml_assets.ml.windows import Window, end_of, windows_over
from ml_assets.spec import Computation, FeatureSet, Problem

_VERSION, _ABOUT = b"ml_assets.code_version", b"ml_assets.about"
"""Keys in the schema of a parquet file."""


class Lake(dg.ConfigurableResource):
    """Parquet on a local or mounted file system."""

    root: str = Field(description="Folder of the lake: `<root>/<group>/<kind>/<name>/<window>.parquet`.")
    landing: str = Field(description="Folder of deliveries: `<landing>/<group>/<source>/<window>.parquet`.")

    def delivery(self, features: FeatureSet, source: str, window: Window) -> Path:
        """Where a source's file for a window is delivered."""
        return Path(self.landing) / features.feature_group / source / f"{window.key}.parquet"

    def source(self, features: FeatureSet, name: str, window: str) -> Path:
        """File of one window of a landed source."""
        return Path(self.root, features.feature_group, "sources", name, f"{window}.parquet")

    def view(self, features: FeatureSet, name: str, window: str = "") -> Path:
        """File of one window of a feature view; without a window, the folder of all."""
        folder = Path(self.root, features.feature_group, "features", name)
        return folder / f"{window}.parquet" if window else folder

    def stage(self, problem: Problem, stage: str, window: str, name: str = "") -> Path:
        """File of one window (or cutoff) of a stage, e.g. stage(problem, "labels", "2013-04-01")."""
        return Path(self.root, problem.name, stage, name or stage, f"{window}.parquet")

    def quarantine(self, group: str, name: str, window: str) -> Path:
        """File of the rows of one window (or cutoff) that broke rules; of a feature view, or of a problem's dataset."""
        return Path(self.root, group, "quarantine", name, f"{window}.parquet")

    def model_folder(self, problem: Problem, cutoff: str) -> Path:
        """Folder of the search of a cutoff, with its log, its result and its model."""
        return Path(self.root, problem.name, "tuned_model", cutoff)

    def write(
        self, path: Path, table: pa.Table | pd.DataFrame, *, version: str = "", about: Mapping[str, Any] | None = None
    ) -> Path:
        """Write one file; the same table, version and facts give the same bytes.

        Args:
            path: Where to.
            table: The rows.
            version: Code version of what computed them; `view_versions` finds it again.
            about: More facts for `about` to find again, as JSON; they go with the rows, whoever copies the file.
        """
        if isinstance(table, pd.DataFrame):
            table = pa.Table.from_pandas(table, preserve_index=False)
        facts = {_VERSION: version} if version else {}
        facts |= {_ABOUT: json.dumps(about, sort_keys=True)} if about else {}
        table = table.replace_schema_metadata(facts or None)
        return write_atomically(path, lambda to: pq.write_table(table, to, compression="zstd", coerce_timestamps="us"))

    def write_rows(self, path: Path, table: pa.Table) -> Path | None:
        """Write one file, or remove the former one where there are no rows."""
        if table.num_rows:
            return self.write(path, table)
        path.unlink(missing_ok=True)
        return None

    def read(self, what: str, paths: Iterable[Path]) -> pa.Table:
        """Rows of several files in the given order.

        Raises:
            NotLandedError: One of them is not there.
        """
        paths = list(paths)
        _require(what, paths)
        return pa.concat_tables([pq.read_table(path) for path in paths], promote_options="permissive")

    def read_stage(self, problem: Problem, stage: str, window: str) -> pd.DataFrame:
        """One window (or cutoff) of a stage.

        Raises:
            NotLandedError: It was not materialised.
        """
        return self.read(f"Asset '{problem.name}/{stage}'", [self.stage(problem, stage, window)]).to_pandas()

    def about(self, path: Path) -> dict[str, Any]:
        """The facts that a file was written with; empty where there are none, or no file."""
        return json.loads(_metadata(path).get(_ABOUT, b"{}"))

    def version(self, path: Path) -> str:
        """Code version of what computed a file; "" where it carries none."""
        return _metadata(path).get(_VERSION, b"").decode()

    def view_versions(self, features: FeatureSet, view: str, windows: Iterable[Window]) -> dict[str, list[str]]:
        """Code version -> the windows of a view that it computed, of those that are there; "" for files without one.

        Reads the files' footers only, 0.1 ms each.
        """
        found: dict[str, list[str]] = {}
        for window in windows:
            if (path := self.view(features, view, window.key)).exists():
                found.setdefault(self.version(path), []).append(window.key)
        return found

    def require_features(self, features: FeatureSet, windows: Iterable[Window]) -> None:
        """Make sure that every feature view is there; a join would take a missing file for missing values.

        Raises:
            NotLandedError: A view lacks a window.
        """
        keys = [window.key for window in windows]
        for view in features.feature_views:
            _require(f"Feature view '{view.name}'", [self.view(features, view.name, key) for key in keys])

    def tables(
        self, features: FeatureSet, computation: Computation, window: Window, *, lookahead_days: int = 0
    ) -> Tables:
        """Files of the sources that a computation of `window` may read.

        A snapshot source is read as of the window. Nothing outside the cadence is asked for.

        Raises:
            NeverKnownError: The look-ahead reaches beyond the cadence: cut off, it would give wrong labels.
            NotLandedError: A window of the look-back or look-ahead is missing: with a hole in its history, a
                feature would differ from what a backfill computes later.
        """
        start = window.start - timedelta(days=computation.lookback_days)
        end = window.end + timedelta(days=lookahead_days)
        over = end_of(window.cadence)
        if lookahead_days and over is not None and end > over:
            raise NeverKnownError(window.key, lookahead_days, over.date().isoformat())
        around = windows_over(window.cadence, start, end)
        files = {}
        for source in (declared := tuple(features.source(name) for name in computation.sources)):
            windows = around if source.event_time else [window]
            files[source.name] = [self.source(features, source.name, each.key) for each in windows]
            _require(f"Source '{source.name}'", files[source.name])
        return Tables(declared, files, features.folder)


def _require(what: str, paths: Iterable[Path]) -> None:
    if missing := [path.stem for path in paths if not path.exists()]:
        raise NotLandedError(what, missing)


def _metadata(path: Path) -> Mapping[bytes, bytes]:
    return (pq.read_schema(path).metadata or {}) if path.exists() else {}


def content_hash(paths: Iterable[Path]) -> str:
    """SHA-256 over the bytes of the files, in the given order."""
    digest = hashlib.sha256()
    for path in paths:
        digest.update(path.read_bytes())
    return digest.hexdigest()
