"""Computes one window of a feature view, of the rows to score, or of their labels, and checks what comes back.

The three are the same kind of thing: SQL over the sources whose rows say when they were known.
"""

from dataclasses import dataclass

import pyarrow as pa

from ml_assets.errors import QueryError
from ml_assets.ml.knowledge import Claim, check_knowledge
from ml_assets.ml.query import Tables, connect, quoted, run_query
from ml_assets.ml.windows import Window
from ml_assets.spec import FeatureType, FeatureView, Label, Rows

EVENT, KNOWN = "event_timestamp", "known_at"
_TYPES: dict[FeatureType, str] = {"float": "DOUBLE", "int": "BIGINT", "string": "VARCHAR"}


@dataclass(frozen=True)
class Computed:
    """A table and what was noticed while it was made.

    Attributes:
        table: The rows that belong to the window.
        null_keys: Rows left out because a join key was null.
        compared: Rows that the knowledge-time rule computed a second time.
    """

    table: pa.Table
    null_keys: int
    compared: int


def compute_view(view: FeatureView, tables: Tables, window: Window, *, cut: float) -> Computed:
    """Feature rows of `view` whose `event_timestamp` lies in `window`.

    Args:
        view: The declaration.
        tables: Its sources, from `lookback_days` before the window to the window's end.
        window: The window.
        cut: Where the knowledge-time rule looks, see `check_knowledge`.

    Returns:
        Join keys, event_timestamp, known_at (UTC, microseconds) and the features in the declared types.

    Raises:
        QueryError: The SQL fails, lacks a column, or gives two rows with the same key and times.
        LeakageError: A row is not computable from what was known at its `known_at`.
    """
    what = f"feature view '{view.name}'"
    raw = run_query(view.sql, tables, window, what=what, within=EVENT)
    _require(raw, [*view.entities, EVENT, KNOWN, *view.features], what)
    compared = check_knowledge(
        Claim(what, view.sql, (*view.entities, EVENT), KNOWN, within=EVENT), raw, tables, window, cut=cut
    )
    typed = ", ".join(f"{quoted(name)}::{_TYPES[kind]} AS {quoted(name)}" for name, kind in view.features.items())
    keyed = " AND ".join(f"{quoted(key)} IS NOT NULL" for key in view.entities)
    table = _select(raw, f"SELECT {_columns(view.entities)}, {EVENT}, {KNOWN}, {typed} FROM raw WHERE {keyed}")
    _require_unique(table, [*view.entities, EVENT, KNOWN], what)
    return Computed(table, raw.num_rows - table.num_rows, compared)


def compute_rows(rows: Rows, tables: Tables, window: Window, *, cut: float) -> Computed:
    """The rows to score in `window`: key, join keys, `event_timestamp`, request features.

    Raises:
        QueryError: The SQL fails, lacks a column, or gives a key twice.
        LeakageError: A request feature was not known at the row's prediction time.
    """
    raw = run_query(rows.sql, tables, window, what="rows")
    _require(raw, [*rows.key, EVENT, *rows.features], "rows")
    _require_unique(raw, list(rows.key), "rows")
    compared = check_knowledge(Claim("rows", rows.sql, rows.key, EVENT), raw, tables, window, cut=cut)
    return Computed(raw, 0, compared)


def compute_labels(label: Label, rows: Rows, tables: Tables, window: Window, *, cut: float) -> Computed:
    """The labels of `window`'s rows: key, label, `known_at`.

    Raises:
        QueryError: The SQL fails, lacks a column, or gives a key twice.
        LeakageError: A label was not known at its `known_at`.
    """
    raw = run_query(label.sql, tables, window, what="label")
    _require(raw, [*rows.key, label.name, KNOWN], "label")
    _require_unique(raw, list(rows.key), "label")
    compared = check_knowledge(Claim("label", label.sql, rows.key, KNOWN), raw, tables, window, cut=cut)
    named = f"{quoted(label.name)}::DOUBLE AS {quoted(label.name)}"
    return Computed(_select(raw, f"SELECT {_columns(rows.key)}, {named}, {KNOWN} FROM raw"), 0, compared)


def _columns(names: tuple[str, ...]) -> str:
    return ", ".join(quoted(name) for name in names)


def _require(table: pa.Table, columns: list[str], what: str) -> None:
    if missing := [column for column in columns if column not in table.column_names]:
        raise QueryError(what, f"lacks the column(s) {', '.join(missing)}; it returns {', '.join(table.column_names)}.")


def _require_unique(table: pa.Table, key: list[str], what: str) -> None:
    repeated = table.num_rows - table.group_by(key).aggregate([]).num_rows
    if repeated:
        raise QueryError(what, f"repeats ({', '.join(key)}) in {repeated} rows; make it return each once.")


def _select(raw: pa.Table, sql: str) -> pa.Table:
    con = connect()
    try:
        con.register("raw", raw)
        return con.sql(f"{sql} ORDER BY ALL").to_arrow_table()
    finally:
        con.close()
