"""Computes one window of a feature view, of the rows to score, or of their labels, and checks what comes back.

The three are the same kind of thing: a computation over the sources whose rows say when they were known.
"""

from dataclasses import dataclass
from functools import partial

import duckdb
import pyarrow as pa
import pyarrow.compute as pc

from ml_assets.errors import LabelValuesError, QueryError
from ml_assets.ml.features.knowledge import Claim, check_knowledge
from ml_assets.ml.features.query import Tables, compute, connect, quoted
from ml_assets.ml.windows import Window
from ml_assets.spec import FeatureType, FeatureView, Problem

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
        FunctionError: As `query.compute`.
        LeakageError: A row is not computable from what was known at its `known_at`.
    """
    what = f"feature view '{view.name}'"
    run = partial(compute, view, _plain_view(view, tables), tables, window, what=what, within=EVENT)
    raw = run()
    _require(raw, [*view.entities, EVENT, KNOWN, *view.features], what)
    # A later correction of a value is a row of its own, told apart by when it became known.
    key = (*view.entities, EVENT, KNOWN)
    _require_unique(raw, list(key), what)
    compared = check_knowledge(Claim(what, key, KNOWN, lambda moment: run(known_by=moment)), raw, cut=cut)
    typed = ", ".join(f"{quoted(name)}::{_TYPES[kind]} AS {quoted(name)}" for name, kind in view.features.items())
    keyed = " AND ".join(f"{quoted(key)} IS NOT NULL" for key in view.entities)
    columns = f"{_columns(view.entities)}, {_moment(EVENT)}, {_moment(KNOWN)}, {typed}"
    table = _select(raw, f"SELECT {columns} FROM raw WHERE {keyed}", what)
    return Computed(table, raw.num_rows - table.num_rows, compared)


def compute_rows(problem: Problem, tables: Tables, window: Window, *, cut: float) -> Computed:
    """The rows to score in `window`: key, join keys, `event_timestamp`, request features.

    Raises:
        QueryError: The SQL fails, lacks a column, or gives a key twice.
        FunctionError: As `query.compute`.
        LeakageError: A request feature was not known at the row's prediction time.
    """
    rows, what = problem.rows, f"rows of '{problem.name}'"
    run = partial(compute, rows, _plain_rows(problem, tables), tables, window, what=what)
    raw = run()
    _require(raw, [*rows.key, EVENT, *rows.features], what)
    _require_unique(raw, list(rows.key), what)
    compared = check_knowledge(Claim(what, rows.key, EVENT, lambda moment: run(known_by=moment)), raw, cut=cut)
    others = [name for name in raw.column_names if name not in (EVENT, *rows.features)]
    typed = [f"{quoted(name)}::{_TYPES[kind]} AS {quoted(name)}" for name, kind in rows.features.items()]
    return Computed(
        _select(raw, f"SELECT {', '.join([*map(quoted, others), _moment(EVENT), *typed])} FROM raw", what), 0, compared
    )


def compute_labels(problem: Problem, tables: Tables, window: Window, *, cut: float) -> Computed:
    """The labels of `window`'s rows: key, label, `known_at`.

    Returns:
        The label is float64 for regression and binary (0 or 1), text for multiclass.

    Raises:
        QueryError: The SQL fails, lacks a column, or gives a key twice.
        FunctionError: As `query.compute`.
        LabelValuesError: A binary label has other values than two.
        LeakageError: A label was not known at its `known_at`.
    """
    label, key, what = problem.label, problem.rows.key, f"label of '{problem.name}'"
    run = partial(compute, label, _plain_label(problem, tables), tables, window, what=what)
    raw = run()
    _require(raw, [*key, label.name, KNOWN], what)
    _require_unique(raw, list(key), what)
    compared = check_knowledge(Claim(what, key, KNOWN, lambda moment: run(known_by=moment)), raw, cut=cut)
    value = f"{label_sql(problem)} AS {quoted(label.name)}"
    known = _select(raw, f"SELECT {_columns(key)}, {value}, {_moment(KNOWN)} FROM raw", what)
    if problem.task == "binary":
        _require_binary(problem, known)
    return Computed(known, 0, compared)


def label_sql(problem: Problem) -> str:
    """The label as the platform has it: a number, 0 or 1, or the name of a class."""
    column = quoted(problem.label.name)
    if problem.task == "multiclass":
        return f"{column}::VARCHAR"
    if problem.label.positive is None:
        return f"{column}::DOUBLE"
    positive = str(problem.label.positive).replace("'", "''")
    return f"CASE WHEN {column} IS NOT NULL THEN ({column}::VARCHAR = '{positive}')::INT::DOUBLE END"


def _require_binary(problem: Problem, labels: pa.Table) -> None:
    found = pc.unique(labels[problem.label.name].drop_null()).to_pylist()
    if others := sorted(set(found) - {0.0, 1.0}):
        raise LabelValuesError(problem.label.name, others)


def _plain_view(view: FeatureView, tables: Tables) -> str:
    """The source as it is: each row's values hold, and are known, from the row's own time on."""
    source = tables.sources[0]
    if source.event_time is None:
        return ""
    known = quoted(source.row_known_at or source.event_time)
    columns = [*map(quoted, [*view.entities, *view.features])]
    times = [f"{quoted(source.event_time)} AS {EVENT}", f"{known} AS {KNOWN}"]
    return f"SELECT {', '.join([*columns, *times])} FROM {source.name}"


def _plain_rows(problem: Problem, tables: Tables) -> str:
    """One row per row of the source, with all join keys, scored so long before its event."""
    source, rows = tables.sources[0], problem.rows
    if source.event_time is None:
        return ""
    joined = dict.fromkeys(key for view in problem.feature_views for key in view.entities)
    columns = map(quoted, dict.fromkeys([*rows.key, *joined, *rows.features]))
    time = quoted(source.event_time)
    before = f"{time} - INTERVAL '{round(rows.horizon_hours * 3_600_000_000)} microseconds' AS {EVENT}"
    return f"SELECT {', '.join([*columns, before])} FROM {source.name} WHERE {_inside(time)}"


def _plain_label(problem: Problem, tables: Tables) -> str:
    """The label's column of the source, known when that column is."""
    source, label = tables.sources[0], problem.label
    if source.event_time is None:
        return ""
    known = quoted(source.known_at.get(label.name) or source.event_time)
    columns = ", ".join(map(quoted, dict.fromkeys([*problem.rows.key, label.name])))
    where = f"{_inside(quoted(source.event_time))} AND {quoted(label.name)} IS NOT NULL AND {known} IS NOT NULL"
    return f"SELECT {columns}, {known} AS {KNOWN} FROM {source.name} WHERE {where}"


def _inside(time: str) -> str:
    return f"{time} >= getvariable('window_start') AND {time} < getvariable('window_end')"


def _moment(column: str) -> str:
    return f"{column}::TIMESTAMPTZ AS {column}"


def _columns(names: tuple[str, ...]) -> str:
    return ", ".join(quoted(name) for name in names)


def _require(table: pa.Table, columns: list[str], what: str) -> None:
    if missing := [column for column in columns if column not in table.column_names]:
        raise QueryError(what, f"lacks the column(s) {', '.join(missing)}; it returns {', '.join(table.column_names)}.")


def _require_unique(table: pa.Table, key: list[str], what: str) -> None:
    repeated = table.num_rows - table.group_by(key).aggregate([]).num_rows
    if repeated:
        raise QueryError(what, f"repeats ({', '.join(key)}) in {repeated} rows; make it return each once.")


def _select(raw: pa.Table, sql: str, what: str) -> pa.Table:
    con = connect()
    try:
        con.register("raw", raw)
        return con.sql(f"{sql} ORDER BY ALL").to_arrow_table()
    except duckdb.ConversionException as error:
        raise QueryError(what, f"returns what is not of its declared type: {str(error).splitlines()[0]}") from error
    finally:
        con.close()
