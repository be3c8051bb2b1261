"""What identifies a row, and what its features are joined by. Combinations are tried on the data."""

from collections.abc import Sequence
from dataclasses import dataclass

from ml_assets.errors import NotUniqueKeyError
from ml_assets.ml.landing.parsing import identifier
from ml_assets.onboarding.hints import entity_hint, names_single_events
from ml_assets.onboarding.profile import ColumnProfile, TableProfile
from ml_assets.onboarding.table import HASH, TYPED, FlatTable

_ONCE = "once"
_MAX_ADDED = 3
_LONGEST_KEY_TEXT = 40
"""Mean length in characters; longer texts are descriptions, not keys."""


class RowIdentity:
    """The rows of a table, exact duplicates counted once, and which columns tell them apart.

    Attributes:
        duplicates: Rows that equal another row in every column.
    """

    def __init__(self, table: FlatTable, profile: TableProfile, time: str) -> None:
        self._table, self._time = table, time
        self._distinct = {column.name: column.distinct for column in profile.columns.values()}
        self._known: dict[tuple[str, ...], bool] = {}
        distinct = int(table.one(f"SELECT count(DISTINCT {HASH}) FROM {TYPED}")[0])
        self.duplicates = table.rows - distinct
        self._relation = TYPED
        if self.duplicates:
            columns = ", ".join(map(identifier, profile.columns))
            table.all(f"CREATE TEMP TABLE {_ONCE} AS SELECT DISTINCT ON ({HASH}) {columns} FROM {TYPED}")
            self._relation = _ONCE

    def identified_by(self, columns: Sequence[str]) -> bool:
        """Whether no two rows share these columns, of the rows that have all of them and a time."""
        asked = tuple(sorted(set(columns)))
        if asked not in self._known:
            self._known[asked] = self.repeated(asked) == 0 if self._can_be_enough(asked) else False
        return self._known[asked]

    def repeated(self, columns: Sequence[str]) -> int:
        """Rows, of those that have all these columns and a time, that share them with an earlier one."""
        names = ", ".join(map(identifier, columns))
        known = " AND ".join(f"{identifier(name)} IS NOT NULL" for name in {*columns, self._time})
        rows, keys = self._table.one(
            f"SELECT coalesce(sum(n), 0), count(*) FROM "
            f"(SELECT count(*) AS n FROM {self._relation} WHERE {known} GROUP BY {names})"
        )
        return int(rows) - int(keys)

    def _can_be_enough(self, columns: Sequence[str]) -> bool:
        """Whether the columns have as many combinations as there are rows; half of them may lack a key."""
        combinations = 1.0
        for name in columns:
            combinations *= self._distinct[name] * 1.1 + 1
        return combinations >= 0.5 * (self._table.rows - self.duplicates)


@dataclass(frozen=True)
class RowKey:
    """How rows are told apart.

    Attributes:
        columns: The key.
        joins: Join keys of the feature view; empty where features come with the request instead.
        reason: Why.
        line: The column among them that the landing SQL adds where nothing delivered tells rows apart.
    """

    columns: tuple[str, ...]
    joins: tuple[str, ...]
    reason: str
    line: str | None = None

    @property
    def delivered(self) -> tuple[str, ...]:
        """The key's columns that the file has; all of them, or none where the platform numbers the lines."""
        return () if self.line else self.columns


def propose_key(profile: TableProfile, rows: RowIdentity, time: str, entity: str | None, label: str) -> RowKey:
    """The smallest key that makes sense: a row's own identifier, entity and time, some more columns, or a line number.

    Args:
        profile: The columns.
        rows: What tells rows apart.
        time: The time column.
        entity: The entity's column, if there is one.
        label: The label's column, never part of a key.
    """
    base = tuple(name for name in (entity, time) if name)
    if rows.identified_by(base):
        return RowKey(base, (entity,) if entity else (), f"no two rows share {' and '.join(base)}")
    usable = [c for c in profile.columns.values() if c.name not in (*base, label) and _may_identify(c)]
    for column in usable:
        if column.nulls == 0 and rows.identified_by((column.name,)):
            return RowKey((column.name,), (column.name,), "each row has its own")
    key = base
    # Without an entity, columns that happen to tell rows apart today need not do so tomorrow.
    for _ in range(_MAX_ADDED if entity else 0):
        left = [column for column in usable if column.name not in key and column.nulls == 0]
        if not left:
            break
        found = next((c.name for c in left if rows.identified_by((*key, c.name))), None)
        key = (*key, found or max(left, key=lambda column: column.distinct).name)
        if found:
            return RowKey(key, joins_of(key, profile, rows, time, entity), f"no two rows share all {len(key)} columns")
    taken = {name.casefold() for name in profile.columns}
    line = next(name for name in ("line", *(f"line_{n}" for n in range(2, len(taken) + 3))) if name not in taken)
    return RowKey(
        (*base, line),
        (entity, line) if entity else (),
        f"nothing delivered tells rows apart, so `{line}` numbers those of the same {' and '.join(base)}",
        line,
    )


def given_key(
    columns: Sequence[str], profile: TableProfile, rows: RowIdentity, time: str, entity: str | None
) -> RowKey:
    """The key that the user names.

    Raises:
        NotUniqueKeyError: Rows share it.
    """
    if repeated := rows.repeated(columns):
        raise NotUniqueKeyError(tuple(columns), repeated)
    return RowKey(tuple(columns), joins_of(columns, profile, rows, time, entity), "as given")


def joins_of(
    key: Sequence[str], profile: TableProfile, rows: RowIdentity, time: str, entity: str | None
) -> tuple[str, ...]:
    """Join keys of the feature view: of one key and one time there can be only one row of values.

    Feast joins on whole numbers and texts; a key of anything else has none.
    """
    if entity and rows.identified_by((entity, time)):
        return (entity,)
    joins = tuple(name for name in key if name != time)
    fit = all(profile.columns[name].type in ("int64", "string") for name in joins)
    return joins if fit else ()


def _may_identify(column: ColumnProfile) -> bool:
    """Texts, and whole numbers that sound like identifiers or count the rows."""
    if column.type == "string":
        return column.mean_length <= _LONGEST_KEY_TEXT
    if column.type != "int64":
        return False
    named = entity_hint(column.name) > 0 or names_single_events(column.name)
    return named or counts_rows(column)


def counts_rows(column: ColumnProfile) -> bool:
    """Whether a column numbers the rows: each its own whole number, with few gaps."""
    if column.type != "int64" or column.nulls or column.low is None or column.high is None:
        return False
    return column.distinct >= 0.99 * column.rows and column.high - column.low < 2 * column.rows
