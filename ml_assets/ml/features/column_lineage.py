"""Which columns the columns of declared tables come from: landed sources, feature views, rows, labels.

Here belongs what a declaration says of origins. How one SELECT is read is the business of `sql_lineage.py`, how
Dagster shows it of `assets/lineage.py`.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

from ml_assets.ml.features.output_types import computed_types, landed_types
from ml_assets.ml.features.sql_lineage import Origin, UnreadableSqlError, sql_lineage
from ml_assets.spec import Computation, FeatureSet, FeatureView, Label, Problem, Source, Spec

EVENT, KNOWN = "event_timestamp", "known_at"
DELIVERED = "delivered"
"""What was delivered, as landing SQL calls it."""


@dataclass(frozen=True)
class Lineage:
    """Where the columns of a table come from.

    Attributes:
        columns: Column -> its origin, in (source, column).
        note: Why origins are an upper bound, in one line; "" where they were read from SQL or taken one to one.
    """

    columns: Mapping[str, Origin]
    note: str = ""


def source_lineage(features: FeatureSet, source: Source) -> Lineage:
    """Origins of a landed source's columns, in columns of the delivery (`delivered`) and of other landed sources."""
    return _cached(features, source, lambda: _landed(features, source))


def view_lineage(features: FeatureSet, view: FeatureView) -> Lineage:
    """Origins of a view's columns, in columns of the landed sources."""
    names = (*view.entities, EVENT, KNOWN, *view.features)
    return _cached(features, view, lambda: _computed(features, view, f"feature view '{view.name}'", names))


def rows_lineage(problem: Problem) -> Lineage:
    """Origins of the columns of the rows to score, in columns of the landed sources."""
    joined = (key for view in problem.feature_views for key in view.entities)
    names = tuple(dict.fromkeys((*problem.rows.key, *joined, EVENT, *problem.rows.features)))
    return _cached(problem, problem.rows, lambda: _computed(problem, problem.rows, "rows", names))


def label_lineage(problem: Problem) -> Lineage:
    """Origins of the row key, the label and its knowledge time, in columns of the landed sources."""
    names = (*problem.rows.key, problem.label.name, KNOWN)
    return _cached(problem, problem.label, lambda: _computed(problem, problem.label, "label", names))


def _landed(features: FeatureSet, source: Source) -> Lineage:
    one_to_one = {column: _one(DELIVERED, column) for column in source.columns}
    if source.sql is None:
        return Lineage(one_to_one)
    others = [other for other in features.sources if other.name != source.name]
    tables = {other.name: tuple(other.columns) for other in others} | {DELIVERED: tuple(source.columns)}
    return _read(f"the landing SQL of '{source.name}'", source.sql, tables, tuple(landed_types(features, source)))


def _computed(features: FeatureSet, part: Computation, what: str, names: Sequence[str]) -> Lineage:
    if part.sql is None and part.function is None:
        return Lineage(_as_it_is(features.source(part.sources[0]), part, names))
    tables = {name: _columns(features, features.source(name)) for name in part.sources}
    if part.function is not None:
        note = f"What the function {part.function} reads cannot be seen: all columns of its sources are named."
        return Lineage(_all_columns(tables, names), note)
    return _read(f"the SQL of {what}", part.sql or "", tables, tuple(computed_types(features, part)) or names)


def _read(what: str, sql: str, tables: Mapping[str, Sequence[str]], columns: Sequence[str]) -> Lineage:
    """The origins that sqlglot finds, where it finds the very columns that DuckDB returns."""
    try:
        found = sql_lineage(sql, tables)
        if [name.lower() for name in columns] != list(found):
            raise UnreadableSqlError(f"returns {', '.join(columns)}, but was read as returning {', '.join(found)}")
        return Lineage({name: found[name.lower()] for name in columns})
    except UnreadableSqlError as error:
        reason = " ".join(f"{what} {error}".split())
        return Lineage(_all_columns(tables, columns), f"{reason[0].upper()}{reason[1:]}: all columns are named.")


def _as_it_is(source: Source, part: Computation, names: Sequence[str]) -> dict[str, Origin]:
    """One to one, as `compute.py` selects where a declaration has neither SQL nor a function."""
    time = source.event_time or ""
    known = source.row_known_at or time
    chosen: set[str] = set()
    if isinstance(part, Label):
        known = source.known_at.get(part.name) or time
        chosen = {time, part.name, known}
    elif not isinstance(part, FeatureView):
        chosen = {time}
    renamed = {EVENT: time, KNOWN: known}
    origins = {name: _one(source.name, renamed.get(name, name)) for name in names}
    rows = frozenset((source.name, column) for column in chosen)
    return {name: Origin(origin.values, rows - origin.values) for name, origin in origins.items()}


def _columns(features: FeatureSet, source: Source) -> tuple[str, ...]:
    """Columns of a source as it has landed."""
    return tuple(landed_types(features, source)) or tuple(source.columns)


def _all_columns(tables: Mapping[str, Sequence[str]], names: Sequence[str]) -> dict[str, Origin]:
    every = Origin(frozenset((table, column) for table, columns in tables.items() for column in columns))
    return dict.fromkeys(names, every)


def _one(table: str, column: str) -> Origin:
    return Origin(frozenset({(table, column)}))


@dataclass(frozen=True)
class _Asked:
    """A question, equal to another one by the text of what was declared: specs hold dicts and have no hash."""

    declared: str
    answer: Callable[[], Lineage] = field(compare=False)


def _cached(features: FeatureSet, part: Spec, answer: Callable[[], Lineage]) -> Lineage:
    texts = [source.model_dump_json() for source in features.sources]
    return _answer(_Asked("\n".join([type(part).__name__, part.model_dump_json(), *texts]), answer))


@lru_cache(maxsize=512)
def _answer(asked: _Asked) -> Lineage:
    return asked.answer()
