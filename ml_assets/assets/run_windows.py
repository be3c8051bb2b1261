"""Runs a stage's body for every window of a Dagster run and reports each window by itself.

A run covers one window or, in a backfill, a range of them. Dagster 1.13 stores a check's result without its
partition whenever the run carries no `dagster/partition` tag, which would blind everyone who asks which window
failed; so there each window's evaluation is logged by its own.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import dagster as dg
from dagster import AssetCheckEvaluation

from ml_assets.ml.windows import Window, window_of
from ml_assets.spec import FeatureSet

PARTITION_TAG = "dagster/partition"


@dataclass(frozen=True)
class Outcome:
    """What a body has to say of one window."""

    metadata: Mapping[str, Any]
    checks: Sequence[dg.AssetCheckResult] = field(default_factory=tuple)


def run_windows(
    context: dg.AssetExecutionContext, features: FeatureSet, key: dg.AssetKey, body: Callable[[Window], Outcome]
) -> dg.MaterializeResult:
    """Call `body` for each window of the run, in order, and report metadata and checks per window."""
    partitions = list(context.partition_keys)
    outcomes: dict[str, Outcome] = {}
    for partition in partitions:
        context.log.info(f"{key.to_user_string()} {partition} ({len(outcomes) + 1} of {len(partitions)})")
        outcomes[partition] = body(window_of(features.cadence, partition))
    if PARTITION_TAG in context.run.tags:
        only = outcomes[partitions[0]]
        return dg.MaterializeResult(asset_key=key, metadata=dict(only.metadata), check_results=list(only.checks))
    for partition, outcome in outcomes.items():
        context.add_asset_metadata(dict(outcome.metadata), asset_key=key, partition_key=partition)
        for result in outcome.checks:
            context.log_event(_evaluation(key, partition, result))
    return dg.MaterializeResult(asset_key=key, check_results=_summary(outcomes))


def _evaluation(key: dg.AssetKey, partition: str, result: dg.AssetCheckResult) -> AssetCheckEvaluation:
    return AssetCheckEvaluation(
        asset_key=key,
        check_name=str(result.check_name),
        passed=result.passed,
        metadata=result.metadata,
        severity=result.severity,
        description=result.description,
        partition=partition,
    )


def _summary(outcomes: Mapping[str, Outcome]) -> list[dg.AssetCheckResult]:
    """One result per check over the whole range, which Dagster demands besides."""
    names = list(dict.fromkeys(str(r.check_name) for outcome in outcomes.values() for r in outcome.checks))
    summary = []
    for name in names:
        results = {p: r for p, o in outcomes.items() for r in o.checks if r.check_name == name}
        failed = {p: r for p, r in results.items() if not r.passed}
        errors = [r for r in failed.values() if r.severity == dg.AssetCheckSeverity.ERROR]
        text = f"{len(failed)} of {len(results)} windows failed" + (f": {', '.join(failed)}" if failed else "")
        severity = dg.AssetCheckSeverity.ERROR if errors or not failed else dg.AssetCheckSeverity.WARN
        summary.append(dg.AssetCheckResult(check_name=name, passed=not failed, severity=severity, description=text))
    return summary
