"""The summary of a table: one per column, merged and kept as JSON.

Reading rows is `reading.py`'s.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ml_assets.errors import SummariesDifferError
from ml_assets.ml.monitoring import stored
from ml_assets.ml.monitoring.summaries.categories import CategorySummary, merge_categories
from ml_assets.ml.monitoring.summaries.distances import ColumnSummary
from ml_assets.ml.monitoring.summaries.numbers import NumberSummary, merge_numbers

FORMAT = 1
_KINDS: Mapping[str, Callable[[dict[str, Any]], ColumnSummary]] = {
    "numbers": NumberSummary.from_plain,
    "categories": CategorySummary.from_plain,
}


@dataclass(frozen=True, eq=False)
class TableSummary:
    """What is known of a table, without its rows.

    Attributes:
        rows: Rows.
        columns: Column -> its summary.
    """

    rows: int
    columns: Mapping[str, ColumnSummary]

    def to_json(self) -> bytes:
        """The same summary as JSON: same rows in the same order, same bytes."""
        return stored.to_bytes(self.as_plain(), FORMAT)

    def as_plain(self) -> dict[str, Any]:
        """What JSON can hold."""
        return {"rows": self.rows, "columns": {name: summary.as_plain() for name, summary in self.columns.items()}}

    @classmethod
    def from_json(cls, text: bytes) -> "TableSummary":
        """The summary that `to_json` wrote.

        Raises:
            SummaryFormatError: It is none, or of another format.
        """
        return cls.from_plain(stored.from_bytes(text, FORMAT))

    @classmethod
    def from_plain(cls, plain: Mapping[str, Any]) -> "TableSummary":
        """The summary that `as_plain` gave."""
        columns = {name: _KINDS[column["kind"]](column) for name, column in plain["columns"].items()}
        return cls(plain["rows"], columns)


def merge(parts: Sequence[TableSummary]) -> TableSummary:
    """Summary of all rows of the parts (days to a month), without their rows.

    Exact parts of few distinct values stay exact. Else give all parts at once: see `merge_numbers`.

    Args:
        parts: At least one; all of the same columns.

    Raises:
        SummariesDifferError: They have different columns, or a column is a number here and a category there.
    """
    first = parts[0]
    kinds = [{name: type(column) for name, column in part.columns.items()} for part in parts]
    if others := {name for kind in kinds for name, _ in kind.items() ^ kinds[0].items()}:
        raise SummariesDifferError(sorted(others))
    return TableSummary(
        sum(part.rows for part in parts),
        {name: _merged([part.columns[name] for part in parts]) for name in first.columns},
    )


def _merged(columns: Sequence[ColumnSummary]) -> ColumnSummary:
    if isinstance(columns[0], NumberSummary):
        return merge_numbers([column for column in columns if isinstance(column, NumberSummary)])
    return merge_categories([column for column in columns if isinstance(column, CategorySummary)])
