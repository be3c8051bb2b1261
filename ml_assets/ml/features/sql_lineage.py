"""Which columns of its tables each column of one SELECT comes from, read from the SQL with sqlglot.

Here belongs the reading of one SELECT; which SELECTs a declaration has is the business of `column_lineage.py`. The
answer may name a column too many (a filter that happens to leave nothing out), but none too few; a SELECT for which
that cannot be promised is refused.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sqlglot import exp
    from sqlglot.optimizer.scope import Scope

SourceColumn = tuple[str, str]
"""(table, column)"""


@dataclass(frozen=True)
class Origin:
    """Where a column comes from; direct and indirect lineage, as OpenLineage has it.

    Attributes:
        values: Columns that the value is computed from; empty for a constant, a count or a moment of the window.
        rows: Other columns, which choose the rows that the value is computed from: filters, joins, groups, orders.
    """

    values: frozenset[SourceColumn] = frozenset()
    rows: frozenset[SourceColumn] = frozenset()

    @property
    def all(self) -> frozenset[SourceColumn]:
        """All columns on which the value depends."""
        return self.values | self.rows

    def __or__(self, other: "Origin") -> "Origin":
        return Origin(self.values | other.values, self.rows | other.rows)


class UnreadableSqlError(ValueError):
    """The origins of a SELECT cannot be promised; the message says why. It never leaves `ml`."""


def sql_lineage(sql: str, tables: Mapping[str, Sequence[str]]) -> dict[str, Origin]:
    """Where the columns of a SELECT in DuckDB's dialect come from.

    Args:
        sql: The SELECT.
        tables: Table -> its columns.

    Returns:
        Column -> its origin, in the order of the SELECT. Names are as DuckDB compares them: in lower case, save
        those of the origins, which are as in `tables`.

    Raises:
        UnreadableSqlError: It does not parse, reads another table, or holds what is not understood here.
    """
    from sqlglot import exp, parse
    from sqlglot.errors import SqlglotError
    from sqlglot.optimizer.qualify import qualify
    from sqlglot.optimizer.scope import build_scope

    try:
        statements = parse(sql, dialect="duckdb")
        if len(statements) != 1:
            raise UnreadableSqlError("holds more than one statement")
        if not isinstance(statements[0], exp.Query):
            raise UnreadableSqlError("is no SELECT")
        schema: dict[str, object] = {table: dict.fromkeys(columns, "VARCHAR") for table, columns in tables.items()}
        qualified = qualify(statements[0], schema=schema, dialect="duckdb", validate_qualify_columns=False)
        scope = build_scope(qualified)
        if scope is None:
            raise UnreadableSqlError("is no SELECT")
        return dict(_Reader(tables).relation(scope).outermost())
    except SqlglotError as error:
        raise UnreadableSqlError(f"is not understood: {str(error).splitlines()[0]}") from error
    except (AttributeError, IndexError, KeyError, RecursionError, TypeError) as error:
        # What sqlglot raises on SQL that it takes for something else; lineage is no reason for an asset to fail.
        raise UnreadableSqlError(f"is not understood ({type(error).__name__})") from error


@dataclass(frozen=True)
class _Relation:
    """The rows of a SELECT, a table, or what stands for one.

    Attributes:
        columns: Column (lower case) -> origin of its value.
        rows: What chooses the rows.
        doubles: What decides only how often an equal row is there, or in which order: a later aggregate would see it,
            a reader of the rows does not.
        any_column: Origin of a column that is not named; None where there is none.
    """

    columns: Mapping[str, Origin]
    rows: frozenset[SourceColumn] = frozenset()
    doubles: frozenset[SourceColumn] = frozenset()
    any_column: Origin | None = None

    def origin(self, column: str) -> Origin:
        found = self.columns.get(column.lower(), self.any_column)
        if found is None:
            raise UnreadableSqlError(f"names a column '{column}' that no table has")
        return found

    def outermost(self) -> Iterator[tuple[str, Origin]]:
        for name, origin in self.columns.items():
            yield name, Origin(origin.values, (origin.rows | self.rows) - origin.values)

    @property
    def everything(self) -> frozenset[SourceColumn]:
        return frozenset().union(self.rows, self.doubles, *(origin.all for origin in self.columns.values()))


@dataclass
class _Reader:
    """Goes through the scopes of one SELECT; each is read once."""

    tables: Mapping[str, Sequence[str]]
    _read: dict[int, _Relation] = field(default_factory=dict)
    _reading: set[int] = field(default_factory=set)
    _optional: dict[tuple[int, str], frozenset[SourceColumn]] = field(default_factory=dict)
    """(scope, table at the right of a LEFT JOIN) -> what decides whether, and which, of its rows is there."""

    def relation(self, scope: "Scope") -> _Relation:
        from sqlglot import exp

        if id(scope) in self._reading:
            raise UnreadableSqlError("is recursive")
        if id(scope) not in self._read:
            self._reading.add(id(scope))
            read = self._union if isinstance(scope.expression, exp.SetOperation) else self._select
            self._read[id(scope)] = read(scope)
            self._reading.discard(id(scope))
        return self._read[id(scope)]

    def _union(self, scope: "Scope") -> _Relation:
        """UNION, EXCEPT and INTERSECT: by position, or by name where it says so."""
        from sqlglot import exp

        left, right = (self.relation(branch) for branch in scope.set_operation_scopes)
        operation = scope.expression
        if operation.args.get("by_name"):
            names = dict.fromkeys([*left.columns, *right.columns])
            columns = {n: left.columns.get(n, Origin()) | right.columns.get(n, Origin()) for n in names}
        else:
            pairs = zip(left.columns.items(), right.columns.values(), strict=True)
            columns = {name: mine | theirs for (name, mine), theirs in pairs}
        rows, both = left.rows | right.rows, left.everything | right.everything
        compared = not isinstance(operation, exp.Union) or operation.args.get("limit")
        doubles = both if operation.args.get("distinct") else left.doubles | right.doubles
        return _Relation(columns, rows | both if compared else rows, doubles)

    def _select(self, scope: "Scope") -> _Relation:
        from sqlglot import exp

        select = scope.expression
        if not isinstance(select, exp.Select):
            return self._function(scope)
        for kind in (exp.Pivot, exp.Columns):
            if select.find(kind):
                raise UnreadableSqlError(f"holds {kind.__name__.upper()}")
        optional = self._left_joins(scope)
        columns: dict[str, Origin] = {}
        for each in select.selects:
            if each.is_star or not each.alias_or_name:
                raise UnreadableSqlError(f"holds '{each.sql('duckdb')}', whose columns are not known")
            columns[each.alias_or_name.lower()] = self._of(each, scope)
        chosen = [self._of(part, scope) for part in _choosing(select)]
        rows = frozenset().union(*(origin.all for origin in chosen))
        sources = [self._source(scope, name) for name in scope.selected_sources if name not in optional]
        rows = rows.union(*(source.rows for source in sources))
        doubles = frozenset().union(*optional.values(), *(source.doubles for source in sources))
        if _counts(select):
            rows, doubles = rows | doubles, frozenset()
        if (order := select.args.get("order")) is not None:
            doubles |= self._of(order, scope).all  # an aggregate such as `list` sees the order of its rows
        distinct = select.args.get("distinct")
        if distinct is not None and distinct.args.get("on") is None:
            doubles = doubles.union(*(origin.all for origin in columns.values()))
        return _Relation(columns, rows, doubles)

    def _left_joins(self, scope: "Scope") -> dict[str, frozenset[SourceColumn]]:
        """Tables at the right of LEFT JOINs: the other columns do not change by them, save for how often they come."""
        found: dict[str, frozenset[SourceColumn]] = {}
        for join in scope.expression.args.get("joins") or ():
            name = join.alias_or_name
            if join.side == "LEFT" and name in scope.selected_sources:
                source = self._source(scope, name)
                conditions = frozenset().union(*(self._of(part, scope).all for part in _conditions(join)))
                found[name] = conditions | source.rows | source.doubles
                self._optional[id(scope), name] = found[name]
        return found

    def _function(self, scope: "Scope") -> _Relation:
        """UNNEST, VALUES and the like: all that they are given is in all that they return."""
        from sqlglot import exp

        if not isinstance(scope.expression, exp.Unnest | exp.Values | exp.Lateral | exp.Table | exp.Tuple):
            raise UnreadableSqlError(f"holds {type(scope.expression).__name__.upper()}")
        given = self._of(scope.expression, scope)
        return _Relation({}, frozenset(), given.all, any_column=Origin(given.all))

    def _source(self, scope: "Scope", name: str) -> _Relation:
        """A table or subquery of the FROM clause, by the name that it has there."""
        from sqlglot import exp
        from sqlglot.optimizer.scope import Scope

        found = scope.sources.get(name)
        if isinstance(found, Scope):
            return self.relation(found)
        if not isinstance(found, exp.Table) or not isinstance(found.this, exp.Identifier):
            raise UnreadableSqlError(f"reads '{name}', which is no declared source")
        for table, columns in self.tables.items():
            if table.lower() == found.name.lower() and not found.db:
                return _Relation({c.lower(): Origin(frozenset({(table, c)})) for c in columns})
        raise UnreadableSqlError(f"reads '{found.name}', which is no declared source")

    def _of(self, node: "exp.Expr", scope: "Scope") -> Origin:
        """Origin of an expression, with all that is in it."""
        from sqlglot import exp

        if isinstance(node, exp.Column):
            return self._column(node, scope)
        if isinstance(node, exp.Query) and node is not scope.expression:
            return self._subquery(node, scope)
        parts: list[Any] = [(child, _chooses(node, child)) for child in node.iter_expressions()]
        if isinstance(node, exp.Window) and (named := _named_window(node, scope)) is not None:
            parts.append((named, True))
        origin = Origin()
        for child, chooses in parts:
            found = self._of(child, scope)
            origin |= Origin(rows=found.all) if chooses else found
        return origin

    def _column(self, column: "exp.Column", scope: "Scope") -> Origin:
        at: Scope | None = scope
        while at is not None:  # a correlated subquery names columns of the query around it
            if column.table in at.sources:
                found = self._source(at, column.table).origin(column.name)
                return found | Origin(rows=self._optional.get((id(at), column.table), frozenset()))
            at = at.parent
        raise UnreadableSqlError(f"names '{column.sql('duckdb')}', which is a column of no source")

    def _subquery(self, query: "exp.Query", scope: "Scope") -> Origin:
        for inner in scope.subquery_scopes:
            if inner.expression is query.unnest():
                found = self.relation(inner)
                values = frozenset().union(*(origin.values for origin in found.columns.values()))
                return Origin(values, found.everything)
        raise UnreadableSqlError(f"holds a subquery that is not understood: {query.sql('duckdb')[:60]}")


def _choosing(select: "exp.Select") -> Iterator["exp.Expr"]:
    """The clauses of a SELECT that choose rows."""
    from sqlglot import exp

    for clause in ("where", "group", "having", "qualify"):
        if (found := select.args.get(clause)) is not None:
            yield found
    if (group := select.args.get("group")) is not None and group.args.get("all"):
        named = (column for each in select.selects for column in each.find_all(exp.Column))
        yield from (column for column in named if column.find_ancestor(exp.AggFunc) is None)
    for join in select.args.get("joins") or ():
        if join.side != "LEFT":
            yield from _conditions(join)
    distinct = select.args.get("distinct")
    first = distinct.args.get("on") if distinct is not None else None
    if first is not None:
        yield first
    limited = select.args.get("limit") is not None or select.args.get("offset") is not None
    if (first is not None or limited) and (order := select.args.get("order")) is not None:
        yield order
    if limited or select.args.get("sample") is not None:
        yield from select.selects  # which rows come first, where they are alike by the order, depends on all


def _conditions(join: "exp.Join") -> Iterator["exp.Expr"]:
    yield from (join.args[part] for part in ("on", "match_condition") if join.args.get(part) is not None)


def _counts(select: "exp.Select") -> bool:
    """Whether a SELECT sees how often an equal row is there."""
    from sqlglot import exp

    if select.args.get("group") is not None or select.find(exp.AggFunc, exp.Window, exp.Limit) is not None:
        return True
    # A function that sqlglot does not know may be an aggregate, but not beside a column that is in none.
    unknown = select.find(exp.Anonymous) is not None
    named = (column for each in select.selects for column in each.find_all(exp.Column))
    return unknown and all(column.find_ancestor(exp.Anonymous) is not None for column in named)


def _chooses(node: "exp.Expr", child: "exp.Expr") -> bool:
    """Whether a part of an expression only chooses the rows that the rest is computed from."""
    from sqlglot import exp

    return isinstance(node, exp.Window | exp.Filter | exp.Order | exp.ArgMax | exp.ArgMin) and child is not node.this


def _named_window(node: "exp.Window", scope: "Scope") -> "exp.Expr | None":
    """The declaration of a window that is used by its name."""
    if node.args.get("partition_by") or node.args.get("order") or not node.alias:
        return None
    declared: Iterable[Any] = scope.expression.args.get("windows") or ()
    for window in declared:
        if window.name.lower() == node.alias.lower():
            return window
    raise UnreadableSqlError(f"names a window '{node.alias}' that it does not declare")
