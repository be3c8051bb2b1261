"""Stage 6c: Evidently's report of a window against the champion's own rows, and the checks on it."""

from collections.abc import Mapping
from pathlib import Path

import dagster as dg

from ml_assets.assets import keys, partitions
from ml_assets.assets.check_results import check_result
from ml_assets.assets.predictions import CUTOFF, VERSION
from ml_assets.assets.quality import with_labels
from ml_assets.assets.run_windows import Outcome, run_windows
from ml_assets.assets.watch_files import former_summaries, keep_summary, read_baseline, reference_path
from ml_assets.ml import figures
from ml_assets.ml.monitoring.report import DriftResult, qualities, write_report
from ml_assets.ml.monitoring.watching import judge_drift, merge_windows, summarise_window
from ml_assets.ml.monitoring.window_checks import without_verdict
from ml_assets.ml.windows import Window
from ml_assets.resources.lake import Lake
from ml_assets.resources.reports import Reports
from ml_assets.spec import CheckName, Problem

_ABOUT: Mapping[CheckName, str] = {
    "data_drift": "Share of drifted features within the limit, by their importance in the model.",
    "prediction_drift": "Predictions are distributed like the champion's on the rows that it was made of.",
    "target_drift": "Labels are distributed like those of the rows that the champion was made of.",
    "data_quality": "Missing, new and out-of-range values are no more than in the champion's rows.",
    "expected_quality": "Early warning, before labels: the error to expect of such predictions.",
}


def build_drift_report(problem: Problem) -> dg.AssetsDefinition:
    """Evidently's HTML and JSON, and the checks of `_ABOUT`."""
    key = keys.stage(problem, "drift_report")
    windows = partitions.windows(problem)

    @dg.asset(
        key=key,
        deps=[keys.stage(problem, "predictions"), keys.stage(problem, "labels")],
        partitions_def=windows,
        backfill_policy=dg.BackfillPolicy.single_run(),
        check_specs=[
            dg.AssetCheckSpec(name, asset=key, partitions_def=windows, description=text)
            for name, text in _ABOUT.items()
        ],
        description="The window against the rows that the champion was made of: features, predictions, labels.",
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
    own = summarise_window(problem, frame)
    keep_summary(problem, window, version, own, lake)
    together = [*former_summaries(problem, window, version, lake), own]
    judged, verdicts = judge_drift(problem, read_baseline(problem, cutoff, lake), merge_windows(together), window)
    held_out = lake.read(f"Reference of version {version}", [reference_path(problem, cutoff, lake)]).to_pandas()
    title = f"{problem.name}: window {window.key} against version {version} (cutoff {cutoff})"
    quality = qualities(held_out, frame, problem.label.name, problem.task)
    write_report(judged, problem.drift, html=html, json=json, title=title, quality=quality)
    link, labels = reports.link(html), int(frame[problem.label.name].notna().sum())
    metadata = {"report": link, **_metadata(problem, judged.result, version), "labels_known": labels}
    if len(together) > 1:
        metadata["windows_together"] = len(together)
    return Outcome(metadata, [check_result(verdict, link) for verdict in verdicts])


def _nothing(html: Path, json: Path) -> Outcome:
    """A window without rows has no report, nor the one of its former rows."""
    for file in (html, json):
        file.unlink(missing_ok=True)
    verdicts = [without_verdict(name, "the window has no rows") for name in _ABOUT]
    return Outcome({"dagster/row_count": 0}, [check_result(verdict) for verdict in verdicts])


def _metadata(problem: Problem, result: DriftResult, version: int) -> dict:
    distances = {c.column: c.distance for c in result.features if c.distance is not None}
    drifted = [c.column for c in result.features if c.drifted]
    numbers = {"drifted_share": result.drifted_share, "prediction_distance": result.prediction.distance}
    numbers["target_distance"] = result.target.distance if result.target else None
    picture = figures.drift_figure(distances, {c.column: c.threshold for c in result.features})
    return {
        **{name: float(value) for name, value in numbers.items() if value is not None},
        "drifted_features": len(drifted),
        "drifted": ", ".join(drifted) or "none",
        "model_version": version,
        "dagster/row_count": result.rows,
        "distances": dg.MetadataValue.md(figures.inline(picture)),
    }
