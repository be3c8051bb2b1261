"""Stage 6b: the error of a window, once its labels are known, against the champion's own held-out error."""

from typing import TYPE_CHECKING, Any

import dagster as dg
import numpy as np
import pandas as pd

from ml_assets.assets import keys, partitions
from ml_assets.assets.check_results import check_result
from ml_assets.assets.predictions import CUTOFF, VERSION, read_predictions
from ml_assets.assets.run_windows import Outcome, run_windows
from ml_assets.assets.watch_files import read_held_out
from ml_assets.ml import figures
from ml_assets.ml.monitoring.held_out import HeldOut
from ml_assets.ml.monitoring.watching import ALL, judge_quality
from ml_assets.ml.quality.metrics import error_of
from ml_assets.ml.quality.scores import Labels, Scores, known, label_of, read_scores
from ml_assets.ml.windows import Window
from ml_assets.resources.lake import Lake
from ml_assets.resources.ledger import Ledger
from ml_assets.spec import Problem

if TYPE_CHECKING:
    from matplotlib.figure import Figure

CHECK = "model_quality"


def build_quality(problem: Problem) -> dg.AssetsDefinition:
    """Metrics of a window and the check `model_quality`."""
    key = keys.stage(problem, "quality")
    windows = partitions.windows(problem)

    @dg.asset(
        key=key,
        deps=[keys.stage(problem, "predictions"), keys.stage(problem, "labels")],
        partitions_def=windows,
        backfill_policy=dg.BackfillPolicy.single_run(),
        check_specs=[
            dg.AssetCheckSpec(
                CHECK, asset=key, partitions_def=windows, description="Error and bias within the champion's limits."
            )
        ],
        description="Errors of the window's predictions, once its labels are known.",
        group_name=problem.name,
        kinds={"pandas"},
    )
    def quality(context: dg.AssetExecutionContext, lake: Lake, ledger: Ledger) -> dg.MaterializeResult:
        return run_windows(context, problem, key, lambda window: _judge(problem, window, lake, ledger))

    return quality


def with_labels(problem: Problem, window: Window, lake: Lake, *, required: bool = True) -> pd.DataFrame:
    """Scored rows of a window with their label; NaN (of classes None) where it is not known.

    Raises:
        NotLandedError: The window was not scored, or its labels were not materialised and are `required`.
    """
    scored, name = read_predictions(problem, window, lake), problem.label.name
    if not required and not lake.stage(problem, "labels", window.key).exists():
        labels = pd.DataFrame()
    else:
        labels = lake.read_stage(problem, "labels", window.key)
    if scored.empty or labels.empty:  # a table without rows has no types to join by
        none = pd.Series(np.nan, index=scored.index, dtype=np.float64)
        return scored.assign(**{name: none.astype(object) if problem.task == "multiclass" else none})
    return scored.merge(labels.drop(columns="known_at"), on=list(problem.rows.key), how="left", validate="1:1")


def _judge(problem: Problem, window: Window, lake: Lake, ledger: Ledger) -> Outcome:
    frame = with_labels(problem, window, lake)
    version = None if frame.empty else int(frame[VERSION].iloc[0])
    metrics, verdict = judge_quality(problem, _held_out(problem, frame, version, lake, ledger), frame)
    table = pd.DataFrame([{"window": window.key, VERSION: version, **metrics.as_dict()}])
    path = lake.write(lake.stage(problem, "quality", window.key), table)
    metadata: dict[str, Any] = {**metrics.as_dict(), "path": dg.MetadataValue.path(path)}
    if version is not None:
        metadata["model_version"] = version
    if metrics.rows:
        name = "confusion" if problem.task == "multiclass" else "calibration"
        label, scores = label_of(problem.task, frame[problem.label.name]), read_scores(problem.task, frame)
        metadata[name] = dg.MetadataValue.md(figures.inline(_picture(problem, label, scores)))
    if "ratio" in verdict.numbers:
        metadata["error_ratio"] = verdict.numbers["ratio"]
    return Outcome(metadata, [check_result(verdict)])


def _held_out(
    problem: Problem, frame: pd.DataFrame, version: int | None, lake: Lake, ledger: Ledger
) -> dict[str, HeldOut]:
    """What is known of the version that scored the rows; nothing where there are none."""
    if version is None:
        return {ALL: HeldOut(None)}
    value = ledger.version(problem, version).numbers.get(f"test_{problem.quality.metric}")
    error = None if value is None else error_of(problem.quality.metric, value)
    return read_held_out(problem, version, str(frame[CUTOFF].iloc[0]), error, lake)


def _picture(problem: Problem, label: Labels, scores: Scores) -> "Figure":
    """How far predictions can be believed: a calibration curve, or the confusions of classes."""
    there = known(problem.task, label)
    if problem.task == "multiclass":
        return figures.confusion_figure(label[there], scores.predictions()[there])
    return figures.error_figure(label[there], scores.values[there], problem.label.unit)
