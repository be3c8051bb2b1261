"""The windows that a check looks at: landed into a folder of its own, as the platform would land them.

Here belongs how data gets there and what is wrong with it. What is computed from it is in `views.py`, `labels.py`.
"""

from collections.abc import Iterable
from datetime import timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from ml_assets import errors
from ml_assets.assets.sources import in_reading_order
from ml_assets.checking.complaints import Complaints
from ml_assets.checking.tolerance import let_pass
from ml_assets.components.mistakes import nearest
from ml_assets.components.places import KeyPath
from ml_assets.ml.features.query import Tables, connect, quoted
from ml_assets.ml.landing.contracts import check_columns
from ml_assets.ml.landing.window import land
from ml_assets.ml.windows import Window, all_windows, windows_over
from ml_assets.resources.lake import Lake
from ml_assets.resources.readers import read_window
from ml_assets.spec import Computation, Deliveries, FeatureSet, Source

MOST_WINDOWS = 40
"""Windows of a source that are landed at most; a longer look-back is cut. A convention: some seconds."""


class Look:
    """Lands windows of a feature set's sources when they are asked for, and collects what is wrong with them."""

    def __init__(self, features: FeatureSet, complaints: Complaints, lake: Lake) -> None:
        self.features, self.complaints, self._lake = features, complaints, lake
        self._landed: dict[tuple[str, str], Path | None] = {}
        self._refused: set[str] = set()
        self._windows: list[Window] | None = None

    @property
    def windows(self) -> list[Window]:
        """All windows whose data are there, oldest first: of an open cadence, up to the last that has rows."""
        if self._windows is None:
            self._windows = [w for w in all_windows(self.features.cadence) if self._is_delivered(w)]
            whole = [s for s in self.features.sources if s.event_time and not isinstance(s.read, Deliveries)]
            if self.features.cadence.end is None and whole and self._windows:
                last = min(self._last_with_rows(source, self._windows) for source in whole)
                self._windows = self._windows[: last + 1]
        return self._windows

    def land(self, window: Window) -> None:
        """Land all sources of a window."""
        for source in in_reading_order(self.features):
            self._file(source, window)

    def tables(self, computation: Computation, window: Window, *, lookahead_days: int = 0) -> Tables | None:
        """What a computation of a window reads; None where something of it cannot land."""
        around = self._around(window, computation.lookback_days, lookahead_days)
        declared = tuple(self.features.source(name) for name in computation.sources)
        files: dict[str, list[Path]] = {}
        for source in declared:
            wanted = around if source.event_time else [window]
            for each in wanted:
                self.land(each)
            landed = [self._landed.get((source.name, each.key)) for each in wanted]
            files[source.name] = [path for path in landed if path]
            if self._landed.get((source.name, window.key)) is None:
                return None
        return Tables(declared, files, self.features.folder)

    def _around(self, window: Window, lookback_days: int, lookahead_days: int) -> list[Window]:
        start, end = window.start - timedelta(days=lookback_days), window.end + timedelta(days=lookahead_days)
        there = {each.key for each in self.windows}
        wanted = [w for w in windows_over(window.cadence, start, end) if w.key in there]
        wanted.sort(key=lambda w: abs((w.start - window.start).total_seconds()))
        return sorted(wanted[:MOST_WINDOWS])

    def _file(self, source: Source, window: Window) -> Path | None:
        known = (source.name, window.key)
        if known not in self._landed:
            table = None if source.name in self._refused else self._table(source, window)
            path = self._lake.source(self.features, source.name, window.key)
            self._landed[known] = None if table is None else self._lake.write(path, table)
        return self._landed[known]

    def _table(self, source: Source, window: Window) -> pa.Table | None:
        part = ("sources", [s.name for s in self.features.sources].index(source.name))
        try:
            delivered = read_window(source, window, self.features.folder, self._delivery(source, window))
        except errors.MissingDeliveryError:
            return None
        except errors.MLAssetsError as error:
            self._refuse(source, part, error, ("read",))
            return None
        if not self._columns_fit(source, window, part, delivered.schema):
            self._refused.add(source.name)
            return None
        others = {
            name: pq.read_table(path)
            for (name, key), path in self._landed.items()
            if key == window.key and path and name != source.name
        }
        key = source.key
        while True:
            try:
                landed = land(source, window, delivered, others).table
                # What reads it would complain of the same repeated rows again.
                return landed if source.key == key else _once_per_key(landed, key)
            except errors.MLAssetsError as error:
                field, relaxed = let_pass(source, error)
                if relaxed is None or relaxed == source:
                    self._refuse(source, part, error, field)
                    return None
                self.complaints.add(part, error, field=field)
                source = relaxed

    def _refuse(self, source: Source, part: KeyPath, error: errors.MLAssetsError, field: KeyPath) -> None:
        """The source is wrong in every window: it is not looked at again."""
        self._refused.add(source.name)
        self.complaints.add(part, error, field=field)

    def _columns_fit(self, source: Source, window: Window, part: KeyPath, found: pa.Schema) -> bool:
        """Say of every column by itself what is wrong with it."""
        fits = True
        for name, kind in source.columns.items():
            field = ("columns", name)
            if name not in found.names:
                if name not in source.cleaning.optional_columns:
                    what = f"source '{source.name}' has no column '{name}' in its data"
                    self.complaints.add(part, what, nearest(name, found.names), field=field)
                    fits = False
                continue
            only = source.model_copy(update={"columns": {name: kind}})
            try:
                check_columns(only, window, pa.schema([found.field(name)]))
            except errors.DeliveryError as error:
                self.complaints.add(part, error, field=field)
                fits = False
        return fits

    def _delivery(self, source: Source, window: Window) -> Path:
        return self._lake.delivery(self.features, source.name, window)

    def _is_delivered(self, window: Window) -> bool:
        delivered: Iterable[Source] = (s for s in self.features.sources if isinstance(s.read, Deliveries))
        return all(self._delivery(source, window).exists() for source in delivered)

    def _last_with_rows(self, source: Source, windows: list[Window]) -> int:
        """Position of the last window with rows, found without reading most of them: no hole is assumed."""
        there, back = len(windows) - 1, 1
        if self._rows(source, windows[there]):
            return there
        beyond = there
        while there > 0:
            there = max(0, there - back)
            if self._rows(source, windows[there]):
                break
            beyond, back = there, back * 2
        while beyond - there > 1:
            middle = (there + beyond) // 2
            there, beyond = (middle, beyond) if self._rows(source, windows[middle]) else (there, middle)
        return there

    def _rows(self, source: Source, window: Window) -> int:
        try:
            return read_window(source, window, self.features.folder, self._delivery(source, window)).num_rows
        except errors.MLAssetsError:
            return 1  # told when it lands


def _once_per_key(table: pa.Table, key: tuple[str, ...]) -> pa.Table:
    con = connect()
    try:
        con.register("rows_", table)
        return con.sql(f"SELECT DISTINCT ON ({', '.join(map(quoted, key))}) * FROM rows_").to_arrow_table()
    finally:
        con.close()
