"""Stage 6c: Evidently's report of a window against the champion's held-out rows, and the three drift checks."""

from pathlib import Path

import dagster as dg

from ml_assets.assets import keys, partitions
from ml_assets.assets.predictions import CUTOFF, VERSION
from ml_assets.assets.quality import with_labels
from ml_assets.assets.registered_version import reference_path
from ml_assets.assets.run_windows import Outcome, run_windows
from ml_assets.ml import figures
from ml_assets.ml.drift import DriftResult, drift_report
from ml_assets.ml.window_checks import DRIFT_CHECKS, CheckVerdict, drift_verdicts, without_verdict
from ml_assets.ml.windows import Window
from ml_assets.resources.lake import Lake
from ml_assets.resources.reports import Reports
from ml_assets.spec import Problem


def build_drift_report(problem: Problem) -> dg.AssetsDefinition:
    """Evidently's HTML and JSON, and the checks `data_drift`, `prediction_drift`, `target_drift`."""
    key = keys.stage(problem, "drift_report")
    windows = partitions.windows(problem)
    about = {
        "data_drift": "Share of drifted features within the limit.",
        "prediction_drift": "Predictions are distributed like the champion's on its held-out rows.",
        "target_drift": "Labels are distributed like those of the champion's held-out rows.",
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
    verdicts = drift_verdicts(result, problem.drift, labels=labels)
    return Outcome(metadata, [_result(verdict, link) for verdict in verdicts])


def _nothing(html: Path, json: Path) -> Outcome:
    """A window without rows has no report, nor the one of its former rows."""
    for file in (html, json):
        file.unlink(missing_ok=True)
    verdicts = [without_verdict(name, "the window has no rows") for name in DRIFT_CHECKS]
    return Outcome({"dagster/row_count": 0}, [_result(verdict) for verdict in verdicts])


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


def _result(verdict: CheckVerdict, link: dg.UrlMetadataValue | None = None) -> dg.AssetCheckResult:
    return dg.AssetCheckResult(
        check_name=verdict.check,
        passed=verdict.passed,
        severity=dg.AssetCheckSeverity.WARN,  # drift is judged by the retraining policy, it stops nothing
        description=verdict.text,
        metadata={**verdict.numbers, **({"report": link} if link else {})},
    )
