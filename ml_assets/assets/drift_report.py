"""Stage 6c: Evidently's report of a window against the champion's held-out rows, and the three drift checks."""

from collections.abc import Mapping
from pathlib import Path

import dagster as dg

from ml_assets.assets import keys, partitions
from ml_assets.assets.predictions import CUTOFF, VERSION
from ml_assets.assets.quality import with_labels
from ml_assets.assets.registered_version import reference_path
from ml_assets.assets.run_windows import Outcome, run_windows
from ml_assets.ml import figures
from ml_assets.ml.drift import ColumnDrift, DriftResult, drift_report
from ml_assets.ml.windows import Window
from ml_assets.resources.lake import Lake
from ml_assets.resources.reports import Reports
from ml_assets.spec import Problem

DATA, PREDICTIONS, TARGET = "data_drift", "prediction_drift", "target_drift"


def build_drift_report(problem: Problem) -> dg.AssetsDefinition:
    """Evidently's HTML and JSON, and the checks `data_drift`, `prediction_drift`, `target_drift`."""
    key = keys.stage(problem, "drift_report")
    windows = partitions.windows(problem)
    about = {
        DATA: "Share of drifted features within the limit.",
        PREDICTIONS: "Predictions are distributed like the champion's on its held-out rows.",
        TARGET: "Labels are distributed like those of the champion's held-out rows.",
    }

    @dg.asset(
        key=key,
        deps=[keys.stage(problem, "predictions"), keys.stage(problem, "labels")],
        partitions_def=windows,
        backfill_policy=dg.BackfillPolicy.single_run(),
        check_specs=[
            dg.AssetCheckSpec(name, asset=key, partitions_def=windows, description=text) for name, text in about.items()
        ],
        description="The window against the champion's held-out rows: features, predictions, labels.",
        group_name=problem.name,
        kinds={"evidently"},
    )
    def drift_report_asset(context: dg.AssetExecutionContext, lake: Lake, reports: Reports) -> dg.MaterializeResult:
        return run_windows(context, problem, key, lambda window: _report(problem, window, lake, reports))

    return drift_report_asset


def _report(problem: Problem, window: Window, lake: Lake, reports: Reports) -> Outcome:
    frame = with_labels(problem, window, lake, required=False)
    html = reports.path(problem.name, "drift", f"{window.key}.html")
    json = reports.path(problem.name, "drift", f"{window.key}.json")
    if frame.empty:
        return _nothing(html, json)
    version, cutoff = int(frame[VERSION].iloc[0]), str(frame[CUTOFF].iloc[0])
    reference = lake.read(f"Reference of version {version}", [reference_path(problem, cutoff, lake)]).to_pandas()
    result = drift_report(
        reference,
        frame,
        features=problem.features,
        target=problem.label.name,
        policy=problem.drift,
        html=html,
        json=json,
        title=f"{problem.name}: window {window.key} against version {version} (cutoff {cutoff})",
        task=problem.task,
    )
    link, labels = reports.link(html), int(frame[problem.label.name].notna().sum())
    metadata = {"report": link, **_metadata(problem, result, version), "labels_known": labels}
    return Outcome(metadata, _checks(problem, result, labels, link))


def _nothing(html: Path, json: Path) -> Outcome:
    """A window without rows has no report, nor the one of its former rows."""
    for file in (html, json):
        file.unlink(missing_ok=True)
    text = "Not judged: the window has no rows."
    return Outcome({"dagster/row_count": 0}, [_result(name, True, text, {}) for name in (DATA, PREDICTIONS, TARGET)])


def _metadata(problem: Problem, result: DriftResult, version: int) -> dict:
    distances = {c.column: c.distance for c in result.features if c.distance is not None}
    drifted = [c.column for c in result.features if c.drifted]
    numbers = {"drifted_share": result.drifted_share, "prediction_distance": result.prediction.distance}
    numbers["target_distance"] = result.target.distance if result.target else None
    picture = figures.drift_figure(distances, problem.drift.column_threshold)
    return {
        **{name: float(value) for name, value in numbers.items() if value is not None},
        "drifted_features": len(drifted),
        "drifted": ", ".join(drifted) or "none",
        "model_version": version,
        "dagster/row_count": result.rows,
        "distances": dg.MetadataValue.md(figures.inline(picture)),
    }


def _checks(problem: Problem, result: DriftResult, labels: int, link: dg.UrlMetadataValue) -> list[dg.AssetCheckResult]:
    share, limit = result.drifted_share, problem.drift.max_drifted_share
    drifted = [c.column for c in result.watched if c.drifted]
    text = f"Not judged: {result.note}"
    if result.judged:
        text = f"{len(drifted)} of {len(result.watched)} features drifted ({share:.0%}, limit {limit:.0%})"
        text += f": {', '.join(drifted)}." if drifted else "."
    numbers = {"drifted_share": share, "limit": limit, "drifted_features": len(drifted)}
    data = _result(DATA, share <= limit or not result.judged, text, numbers, link)
    predictions = _column(PREDICTIONS, result.prediction, result, link)
    if not labels:
        return [data, predictions, _result(TARGET, True, "Not judged: no label is known yet.", {}, link)]
    return [data, predictions, _column(TARGET, result.target, result, link)]


def _column(
    name: str, column: ColumnDrift | None, result: DriftResult, link: dg.UrlMetadataValue
) -> dg.AssetCheckResult:
    if column is None or column.drifted is None or column.distance is None:
        note = column.note if column is not None and column.note else result.note
        return _result(name, True, f"Not judged: {note}", {}, link)
    text = f"{column.method} {column.distance:.3f}, limit {column.threshold}."
    numbers = {"distance": column.distance, "limit": column.threshold}
    return _result(name, not column.drifted, text, numbers, link)


def _result(
    name: str, passed: bool, text: str, numbers: Mapping[str, float], link: dg.UrlMetadataValue | None = None
) -> dg.AssetCheckResult:
    return dg.AssetCheckResult(
        check_name=name,
        passed=passed,
        severity=dg.AssetCheckSeverity.WARN,  # drift is judged by the retraining policy, it stops nothing
        description=text,
        metadata={**{key: float(value) for key, value in numbers.items()}, **({"report": link} if link else {})},
    )
