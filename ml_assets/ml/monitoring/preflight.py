"""Two sides made comparable: the same columns, of plain types, summarised over all their rows.

Evidently skips nullable and arrow columns in silence, drops missing values before it compares, ignores a lost
column and fails as a whole on an empty one. So columns are required, cast and counted here. Distances and verdicts
are the business of `distances.py` and `report.py`; rows that lie in files are summarised by `summaries`.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import pandas as pd

from ml_assets.errors import DriftColumnsError
from ml_assets.ml.monitoring.summaries import (
    CategorySummary,
    ColumnSummary,
    TableSummary,
    distinct,
    few_values,
    summarise_categories,
    summarise_numbers,
)
from ml_assets.ml.monitoring.summaries.distances import LEAST_NORM
from ml_assets.ml.training.encoding import numbers
from ml_assets.spec import FeatureType


@dataclass(frozen=True)
class Sides:
    """The same columns of the reference and of the current window.

    Attributes:
        reference: What is known of the reference's rows.
        current: What is known of the window's rows.
        notes: Column -> what a reader has to know about its values.
    """

    reference: TableSummary
    current: TableSummary
    notes: Mapping[str, str]

    def of(self, column: str) -> tuple[ColumnSummary, ColumnSummary]:
        """Both summaries of a column, (reference, current)."""
        return self.reference.columns[column], self.current.columns[column]

    def missing(self, column: str) -> tuple[float, float]:
        """Share of missing values in 0..1, (reference, current); 0 where there are no rows."""
        before, now = self.of(column)
        return _share(before.missing, before.rows), _share(now.missing, now.rows)

    def values(self, column: str) -> tuple[int, int]:
        """Number of values that are there, (reference, current)."""
        before, now = self.of(column)
        return before.values, now.values

    def categorical(self, column: str) -> bool:
        """Whether it is compared value by value: text, and numbers of few values (Evidently's rule)."""
        return isinstance(self.reference.columns[column], CategorySummary) or few_values(*self.of(column))

    def categories(self, column: str) -> int:
        """Number of distinct values on both sides together; where there are too many to count, at least so many."""
        return distinct(*self.of(column))


def require(reference: pd.DataFrame, current: pd.DataFrame, columns: Iterable[str]) -> None:
    """Refuse frames that lack columns.

    Raises:
        DriftColumnsError: A side lacks columns.
    """
    for side, frame in (("reference", reference), ("current", current)):
        if lost := [column for column in columns if column not in frame.columns]:
            raise DriftColumnsError(side, lost)


def summarise_frame(frame: pd.DataFrame, types: Mapping[str, FeatureType]) -> TableSummary:
    """Summary of the rows of a frame.

    Args:
        frame: (n, >= k) rows; numbers of any numeric, nullable, arrow or object type; n may be 0.
        types: The k columns and their declared types. Text is counted as categories, all else are numbers.

    Raises:
        FeatureTypeError: A numeric column holds text or times.
    """
    columns: dict[str, ColumnSummary] = {
        name: _counted(frame[name]) if kind == "string" else summarise_numbers(numbers(frame, name))
        for name, kind in types.items()
    }
    return TableSummary(len(frame), columns)


def prepare(reference: TableSummary, current: TableSummary, columns: Iterable[str]) -> Sides:
    """Both sides, with what a reader has to know.

    Args:
        reference: What to compare with.
        current: The window.
        columns: The columns that are compared.

    Raises:
        DriftColumnsError: A side lacks columns.
    """
    columns = list(columns)
    notes = {}
    for side, summary in (("reference", reference), ("current", current)):
        if lost := [column for column in columns if column not in summary.columns]:
            raise DriftColumnsError(side, lost)
    for column in columns:
        before = reference.columns[column]
        if distinct(before, before) == 1:
            notes[column] = "one value only in the reference"
        elif not isinstance(before, CategorySummary) and 0 < before.std < LEAST_NORM:
            notes[column] = f"its spread is {before.std:.1e}, in which the distance is measured"
    return Sides(reference, current, notes)


def _counted(column: pd.Series) -> CategorySummary:
    codes, values = pd.factorize(column)
    counts = pd.Series(codes[codes >= 0]).value_counts(sort=False)
    return summarise_categories([values[code] for code in counts.index], counts, int((codes < 0).sum()))


def _share(part: int, whole: int) -> float:
    return part / whole if whole else 0.0
