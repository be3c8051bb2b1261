"""How what a validation found becomes a check result: one line, and tables in Markdown with the data escaped."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import dagster as dg
import pyarrow as pa

from ml_assets.ml.markdown import data_cell, markdown_table
from ml_assets.ml.validation.quarantine import REASON
from ml_assets.ml.validation.rule_results import RuleResult
from ml_assets.resources.data_docs import ValidationReport

CHECK = "great_expectations"
"""Name of the check on every asset that has rules."""

_SHOWN_ROWS, _SHOWN_RULES = 5, 6


def check_result(
    report: ValidationReport, page: dg.MetadataValue, rows: pa.Table, path: Path | None
) -> dg.AssetCheckResult:
    """What was found, for the check's page in the UI.

    A failed warning, and rows that were set aside, show as a warning; neither stops what comes after.

    Args:
        report: What the rules found.
        page: Address of its Data Docs page.
        rows: The rows in quarantine.
        path: Their file, if there are any.
    """
    not_met = [result for result in report.results if result.status != "passed"]
    aside = [result for result in report.results if result.set_aside]
    warned = report.passed and bool(not_met or aside)
    metadata: dict[str, Any] = {
        "data_docs": page,
        "rules": len(report.results),
        "rules_not_met": len(not_met),
        "results": dg.MetadataValue.md(_results_table(report.results)),
        "rows_quarantined": rows.num_rows,
        "rows_set_aside": report.examined.set_aside,
    }
    if path is not None:
        metadata["quarantine"] = dg.MetadataValue.path(path)
        metadata["quarantine_preview"] = dg.MetadataValue.md(_preview(rows))
    return dg.AssetCheckResult(
        check_name=CHECK,
        passed=not not_met,
        severity=dg.AssetCheckSeverity.WARN if warned else dg.AssetCheckSeverity.ERROR,
        description=_text([*map(_finding, not_met), *map(_setting_aside, aside)], path)
        or f"All {len(report.results)} rules hold.",
        metadata=metadata,
    )


def _finding(result: RuleResult) -> str:
    return f"{result.rule}: {result.status}" + ("" if result.severity == "critical" else f" ({result.severity})")


def _setting_aside(result: RuleResult) -> str:
    return f"{result.rule}: {result.set_aside} row{'s' * (result.set_aside > 1)} set aside"


def _text(findings: Sequence[str], path: Path | None) -> str:
    more = len(findings) - _SHOWN_RULES
    shown = "; ".join(findings[:_SHOWN_RULES]) + (f"; and {more} more" if more > 0 else "")
    return f"{shown}; rows in {path}" if path else shown


def _results_table(results: Sequence[RuleResult]) -> str:
    head = ("rule", "severity", "status", "set aside", "observed")
    return _markdown(head, ((r.rule, r.severity, r.status, r.set_aside or None, r.observed) for r in results))


def _preview(rows: pa.Table) -> str:
    """The first rows, with the reason in front."""
    shown = rows.slice(0, _SHOWN_ROWS)
    names = [REASON, *(name for name in shown.column_names if name != REASON)]
    return _markdown(names, zip(*(shown[name].to_pylist() for name in names), strict=True))


def _markdown(head: Sequence[str], rows: Iterable[tuple[Any, ...]]) -> str:
    return markdown_table(head, ([data_cell(part) for part in row] for row in rows))
