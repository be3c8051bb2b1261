"""Runs a stage's body for every window of a Dagster run and reports each window by itself.

A run covers one window or, in a backfill, a range of them. Dagster 1.13 stores a check's result without its
partition whenever the run carries no `dagster/partition` tag, which would blind everyone who asks which window
failed; so there each window's evaluation is logged by its own. Likewise it gives all windows of a range one data
version, so there each window that was written is reported once more, with its own.
"""

from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import dagster as dg
from dagster import AssetCheckEvaluation

from ml_assets.ml.windows import Window, window_of
from ml_assets.spec import FeatureSet

PARTITION_TAG = "dagster/partition"


@dataclass(frozen=True)
class Outcome:
    """What a body has to say of one window.

    Attributes:
        metadata: Of the materialisation.
        checks: Results of the asset's checks.
        content: Hash of what was written: where it is another one than before, Dagster marks as stale what was made
            of the former. Left out, Dagster derives a version from those of the inputs.
    """

    metadata: Mapping[str, Any]
    checks: Sequence[dg.AssetCheckResult] = field(default_factory=tuple)
    content: str | None = None


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
        version = dg.DataVersion(only.content) if only.content else None
        return dg.MaterializeResult(
            asset_key=key, metadata=dict(only.metadata), check_results=list(only.checks), data_version=version
        )
    for partition, outcome in outcomes.items():
        context.add_asset_metadata(dict(outcome.metadata), asset_key=key, partition_key=partition)
        for result in outcome.checks:
            context.log_event(_evaluation(key, partition, result))
    return dg.MaterializeResult(asset_key=key, check_results=_summary(outcomes))


def write_windows(
    context: dg.AssetExecutionContext, features: FeatureSet, key: dg.AssetKey, body: Callable[[Window], Outcome]
) -> Generator[dg.MaterializeResult | dg.AssetCheckResult, None, dict[str, str]]:
    """Like `run_windows`, of windows that are written, unless their blocking checks refuse them.

    Dagster counts an asset as materialised although its blocking check failed, which would let other runs go on from
    a window that was not written. So a refused window is not reported as materialised; the others of a range are.

    Yields:
        What the step has to yield.

    Returns:
        The windows that were refused, each with what was found; with any, the step must fail after that.
    """
    outcomes: dict[str, Outcome] = {}
    ranged = PARTITION_TAG not in context.run.tags

    def remembered(window: Window) -> Outcome:
        outcome = outcomes[window.key] = body(window)
        return replace(outcome, metadata={}) if ranged else outcome  # of a range, the events below have it

    inputs = _inputs(context, key)
    result = run_windows(context, features, key, remembered)
    refused = {
        window: str(check.description) for window, each in outcomes.items() for check in each.checks if stops(check)
    }
    selected = key in context.selected_asset_keys
    if selected and not refused:
        yield result
    else:
        yield from (check._replace(asset_key=key) for check in result.check_results or ())
    if selected and ranged:  # after the result, whose versions are those of the range
        for window, outcome in outcomes.items():
            if window not in refused:
                context.log_event(_materialization(key, window, outcome, inputs))
    return refused


def stops(check: dg.AssetCheckResult) -> bool:
    """Whether what depends on the asset must not run."""
    return not check.passed and check.severity == dg.AssetCheckSeverity.ERROR


def _inputs(context: dg.AssetExecutionContext, key: dg.AssetKey) -> dict[str, str]:
    """Tags that say what is about to be computed, and from what, as Dagster writes them itself."""
    spec = context.assets_def.specs_by_key[key]
    tags = {"dagster/code_version": spec.code_version or context.run.run_id}
    for dep in spec.deps:
        name = dep.asset_key.to_user_string()
        found = context.instance.fetch_materializations(dep.asset_key, limit=1).records
        event = found[0].asset_materialization if found else None
        version = (event.tags or {}).get(_DATA_VERSION) if event else None
        tags[f"dagster/input_data_version/{name}"] = version or "INITIAL"
        tags[f"dagster/input_event_pointer/{name}"] = str(found[0].storage_id) if found else "NULL"
    return tags


_DATA_VERSION = "dagster/data_version"


def _materialization(
    key: dg.AssetKey, partition: str, outcome: Outcome, inputs: Mapping[str, str]
) -> dg.AssetMaterialization:
    own = {_DATA_VERSION: outcome.content, "dagster/data_version_is_user_provided": "true"} if outcome.content else {}
    return dg.AssetMaterialization(key, partition=partition, metadata=dict(outcome.metadata), tags={**inputs, **own})


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
