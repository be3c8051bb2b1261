"""How a table is validated on its way into the lake.

Shared by the feature views and the dataset. What a rule finds, and which rows are set aside, is decided in `ml`; the
pages are the Data Docs'.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import dagster as dg
import pandas as pd
import pyarrow as pa

from ml_assets.assets.validation_check import CHECK, check_result
from ml_assets.ml.validation.quarantine import REASON, Examined
from ml_assets.resources.data_docs import DataDocs
from ml_assets.resources.lake import Lake
from ml_assets.resources.reports import Reports
from ml_assets.spec import FeatureSet, FeatureView, Problem, ValidationRule


@dataclass(frozen=True)
class Validated:
    """A table after its validation.

    Attributes:
        table: What may go on: all rows but those that were set aside.
        checks: The check's result; none where there are no rules.
        refused: Whether it breaks a critical rule: then nothing goes on.
    """

    table: Any
    checks: tuple[dg.AssetCheckResult, ...] = ()
    refused: bool = False

    @property
    def text(self) -> str:
        """What was found, in one line."""
        return "; ".join(str(check.description) for check in self.checks)

    @property
    def metadata(self) -> dict[str, Any]:
        """What the asset says of its validation."""
        names = ("data_docs", "rows_set_aside")
        return {name: check.metadata[name] for check in self.checks for name in names}


@dataclass(frozen=True)
class Validation:
    """The rules of a table, and where what comes of them is kept.

    Attributes:
        rules: What must hold.
        site: Whose Data Docs and quarantine: a problem or a feature set.
        name: Folder of its quarantine: a view's name, or "dataset".
        suite: Name of the rules in the Data Docs.
    """

    rules: Sequence[ValidationRule]
    site: str
    name: str
    suite: str
    lake: Lake
    data_docs: DataDocs
    reports: Reports

    @classmethod
    def of_view(
        cls, features: FeatureSet, view: FeatureView, lake: Lake, data_docs: DataDocs, reports: Reports
    ) -> "Validation":
        """The rules of a feature view."""
        group = features.feature_group
        return cls(view.validation, group, view.name, f"features.{view.name}", lake, data_docs, reports)

    @classmethod
    def of_dataset(cls, problem: Problem, lake: Lake, data_docs: DataDocs, reports: Reports) -> "Validation":
        """The rules of a problem's training set."""
        return cls(problem.validation, problem.name, "dataset", problem.name, lake, data_docs, reports)

    def __call__(self, table: pa.Table | pd.DataFrame, window: str, run_name: str = "") -> Validated:
        """Judge the table of a window (or cutoff), keep the rows that broke rules, publish the page.

        Without rules nothing is done.
        """
        if not self.rules:
            return Validated(table)
        frame = table.to_pandas() if isinstance(table, pa.Table) else table
        report = self.data_docs.validate(
            problem=self.site, run_name=run_name or window, frame=frame, rules=self.rules, suite=self.suite
        )
        rows = _quarantined(table, report.examined)
        path = self.lake.write_rows(self.lake.quarantine(self.site, self.name, window), rows)
        check = check_result(report, self.reports.link(f"data_docs/{report.page}"), rows, path)
        return Validated(_kept(table, report.examined), (check,), refused=not report.passed)


def check_spec(key: dg.AssetKey, windows: dg.PartitionsDefinition) -> dg.AssetCheckSpec:
    """The check of an asset that has rules, window by window (or cutoff by cutoff)."""
    text = "The declared rules hold."
    return dg.AssetCheckSpec(CHECK, asset=key, partitions_def=windows, blocking=True, description=text)


def _quarantined(table: pa.Table | pd.DataFrame, examined: Examined) -> pa.Table:
    at = examined.quarantined
    rows = table.take(at) if isinstance(table, pa.Table) else pa.Table.from_pandas(table.iloc[at], preserve_index=False)
    return rows.append_column(REASON, pa.array(examined.reasons[at], pa.string()))


def _kept(table: pa.Table | pd.DataFrame, examined: Examined) -> pa.Table | pd.DataFrame:
    if examined.kept.all():
        return table
    return table.filter(pa.array(examined.kept)) if isinstance(table, pa.Table) else table[examined.kept]
