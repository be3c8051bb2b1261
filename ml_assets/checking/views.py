"""Feature views computed on real windows: what fails, what is known too early or too late, what is never there."""

from dataclasses import dataclass, field

import duckdb
import pyarrow as pa

from ml_assets import errors
from ml_assets.assets.features import cut_of
from ml_assets.checking.look import Look
from ml_assets.components.places import KeyPath
from ml_assets.ml.features.compute import EVENT, KNOWN, compute_view
from ml_assets.ml.features.query import connect, quoted
from ml_assets.ml.windows import Window
from ml_assets.spec import FeatureView

_LARGEST_FLOAT32 = 3.4028235e38


@dataclass
class ViewLook:
    """One feature view over the windows that were looked at."""

    view: FeatureView
    path: KeyPath
    look: Look
    _computed: dict[str, pa.Table | None] = field(default_factory=dict)
    null_keys: int = 0

    def rows(self, window: Window) -> pa.Table | None:
        """The view's rows of a window; None where they cannot be computed."""
        if window.key not in self._computed:
            self._computed[window.key] = self._compute(window)
        return self._computed[window.key]

    @property
    def all_rows(self) -> pa.Table | None:
        """The rows of all windows computed so far."""
        tables = [table for table in self._computed.values() if table is not None]
        return pa.concat_tables(tables) if tables else None

    def always_empty(self) -> list[str]:
        """Features without a value in any row that was looked at."""
        rows = self.all_rows
        if rows is None or rows.num_rows == 0:
            return []
        return [name for name in self.view.features if rows.column(name).null_count == rows.num_rows]

    def _compute(self, window: Window) -> pa.Table | None:
        tables = self.look.tables(self.view, window)
        if tables is None:
            return None
        try:
            computed = compute_view(self.view, tables, window, cut=cut_of(window))
        except (errors.MLAssetsError, duckdb.Error) as error:
            self.look.complaints.add(self.path, _told(self.view, error), field=_field(self.view, error))
            return None
        self.null_keys += computed.null_keys
        self._judge_values(computed.table)
        return computed.table

    def _judge_values(self, table: pa.Table) -> None:
        floats = [name for name, kind in self.view.features.items() if kind == "float"]
        for name, rows in _beyond_float32(table, floats).items():
            error = errors.InfiniteFeatureError(name, rows, table.num_rows)
            self.look.complaints.add(self.path, error, field=("features", name))


def views_of(look: Look) -> list[ViewLook]:
    """A look at each view of a feature set."""
    return [ViewLook(view, ("feature_views", i), look) for i, view in enumerate(look.features.feature_views)]


def known_in_time(view: ViewLook, rows: pa.Table) -> int:
    """Rows for which the view has a value that was known at their prediction time, and young enough.

    Args:
        view: The view; its windows around the rows are computed.
        rows: (n, k) with its join keys and `event_timestamp`.
    """
    values = view.all_rows
    if values is None or rows.num_rows == 0:
        return 0
    keys = " AND ".join(f"r.{quoted(key)} = v.{quoted(key)}" for key in view.view.entities)
    ttl = view.view.ttl_hours
    young = f" AND {EVENT}_of_value >= r.{EVENT} - to_seconds({ttl * 3600})" if ttl else ""
    con = connect()
    try:
        con.register("rows_", rows)
        con.register("values_", values)
        usable = f"SELECT *, {EVENT} AS {EVENT}_of_value, greatest({EVENT}, {KNOWN}) AS usable FROM values_"
        joined = f"FROM rows_ r ASOF JOIN ({usable}) v ON {keys} AND r.{EVENT} >= v.usable WHERE true{young}"
        [(count,)] = con.execute(f"SELECT count(*) {joined}").fetchall()
    finally:
        con.close()
    return int(count)


def _beyond_float32(table: pa.Table, columns: list[str]) -> dict[str, int]:
    if not columns or table.num_rows == 0:
        return {}
    con = connect()
    try:
        con.register("values_", table)
        counts = ", ".join(
            f"count(*) FILTER (abs({quoted(name)}) > {_LARGEST_FLOAT32} AND NOT isnan({quoted(name)}))"
            for name in columns
        )
        found = con.execute(f"SELECT {counts} FROM values_").fetchall()[0]
    finally:
        con.close()
    return {name: count for name, count in zip(columns, found, strict=True) if count}


def _told(view: FeatureView, error: Exception) -> object:
    if isinstance(error, errors.MLAssetsError):
        return error
    return errors.QueryError(f"feature view '{view.name}'", f"fails: {str(error).splitlines()[0]}")


def _field(view: FeatureView, error: Exception) -> KeyPath:
    if isinstance(error, errors.LeakageError):
        return ("features",)
    return ("function",) if view.function else ("sql",) if view.sql else ()
