"""A window's features held against the training set of the version that scored it, through Feast's own hook."""

from collections.abc import Sequence

import dagster as dg
import pandas as pd

from ml_assets.assets import partitions
from ml_assets.errors import NoReferenceError
from ml_assets.ml.markdown import data_cell, escaped, markdown_table
from ml_assets.ml.validation.expectations import RuleResult
from ml_assets.resources.feature_store import FeatureStore
from ml_assets.resources.lake import Lake
from ml_assets.spec import Problem

CHECK = "feature_reference"
_LISTED = 20


def reference_spec(problem: Problem, key: dg.AssetKey) -> list[dg.AssetCheckSpec]:
    """The check's declaration; none where there are no features in Feast."""
    text = "Features are as in the training set of the scoring version (Feast's validation reference)."
    windows = partitions.windows(problem)
    return (
        [dg.AssetCheckSpec(CHECK, asset=key, description=text, partitions_def=windows)] if problem.feature_views else []
    )


def keep_reference(
    problem: Problem, cutoff: str, joined: pd.DataFrame, lake: Lake, store: FeatureStore
) -> dict[str, str | int]:
    """Save a training set in Feast as the reference of its cutoff; returns what the asset says of it."""
    if not problem.feature_views or joined.empty:
        return {}
    from ml_assets.resources.feast_quality.references import reference_name, save_reference

    path = lake.stage(problem, "dataset", cutoff, "reference")
    rules = save_reference(store, problem, cutoff, joined, path)
    return {"feast_saved_dataset": reference_name(problem, cutoff), "feast_reference_rules": rules}


def check_reference(
    problem: Problem, cutoff: str, joined: pd.DataFrame, store: FeatureStore
) -> list[dg.AssetCheckResult]:
    """Hold joined rows against the reference of a cutoff; it warns, since a season that is new is no fault.

    Args:
        problem: The declaration.
        cutoff: Of the version that scores the rows.
        joined: Rows as `FeatureStore.training_rows` returns them.
        store: Where the reference was saved.
    """
    if not problem.feature_views:
        return []
    from ml_assets.resources.feast_quality.references import against_reference

    if joined.empty:
        return [_result(True, "Not judged: no rows.", {})]
    try:
        results = against_reference(store, problem, cutoff, joined)
    except NoReferenceError as error:
        return [_result(True, f"Not judged: {error}", {})]
    if not results:
        return [_result(True, f"Not judged: the training set of {cutoff} taught no rules.", {"rules": 0})]
    wrong = [result for result in results if result.status != "passed"]
    said = f"{len(wrong)} of {len(results)} rules learned from the training set of {cutoff} do not hold"
    metadata = {"rules": len(results), "rules_not_met": len(wrong), "reference": cutoff}
    if wrong:
        metadata["not_met"] = dg.MetadataValue.md(_table(wrong))
    return [_result(not wrong, said + (": " + ", ".join(r.rule for r in wrong[:3]) if wrong else "."), metadata)]


def _result(passed: bool, text: str, metadata: dict[str, object]) -> dg.AssetCheckResult:
    return dg.AssetCheckResult(
        check_name=CHECK,
        passed=passed,
        severity=dg.AssetCheckSeverity.WARN,
        description=text,
        metadata=metadata,  # type: ignore[arg-type]
    )


def _table(wrong: Sequence[RuleResult]) -> str:
    rows = [[data_cell(part) for part in (r.rule, r.observed)] + [escaped(r.notes)] for r in wrong[:_LISTED]]
    more = [[f"and {len(wrong) - _LISTED} more", "", ""]] if len(wrong) > _LISTED else []
    return markdown_table(("rule", "observed", "learned"), [*rows, *more])
