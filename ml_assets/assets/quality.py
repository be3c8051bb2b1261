"""Stage 6b: the error of a window, once its labels are known, against the champion's own held-out error."""

import dagster as dg
import pandas as pd

from ml_assets.assets import keys, partitions
from ml_assets.assets.predictions import VERSION, read_predictions
from ml_assets.assets.registered_version import PREDICTION
from ml_assets.assets.run_windows import Outcome, run_windows
from ml_assets.ml import figures
from ml_assets.ml.metrics import Metrics, regression_metrics
from ml_assets.ml.windows import Window
from ml_assets.resources.lake import Lake
from ml_assets.resources.ledger import Ledger
from ml_assets.spec import Problem

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


def with_labels(problem: Problem, window: Window, lake: Lake) -> pd.DataFrame:
    """Scored rows of a window with their label, NaN where it is not known."""
    scored = read_predictions(problem, window, lake)
    path = lake.path(problem, "labels", "labels", window.key)
    labels = lake.read(f"Asset '{problem.name}/labels'", [path]).to_pandas()
    return scored.merge(labels.drop(columns="known_at"), on=list(problem.rows.key), how="left", validate="1:1")


def _judge(problem: Problem, window: Window, lake: Lake, ledger: Ledger) -> Outcome:
    frame = with_labels(problem, window, lake)
    label, prediction = frame[problem.label.name].to_numpy(float), frame[PREDICTION].to_numpy(float)
    metrics = regression_metrics(label, prediction)
    version = int(frame[VERSION].iloc[0])
    expected = ledger.version(problem, version).numbers[f"test_{problem.quality.metric}"]
    known = frame[problem.label.name].notna().to_numpy()
    table = pd.DataFrame([{"window": window.key, VERSION: version, **metrics.as_dict()}])
    path = lake.write(lake.path(problem, "quality", "quality", window.key), table)
    return Outcome(
        {
            **metrics.as_dict(),
            "error_ratio": metrics.error(problem.quality.metric) / expected,
            "model_version": version,
            "calibration": dg.MetadataValue.md(
                figures.inline(figures.error_figure(label[known], prediction[known], problem.label.unit))
            ),
            "path": dg.MetadataValue.path(path),
        },
        [_check(problem, metrics, expected)],
    )


def _check(problem: Problem, metrics: Metrics, expected: float) -> dg.AssetCheckResult:
    policy, unit = problem.quality, problem.label.unit
    error = metrics.error(policy.metric)
    numbers = {policy.metric: error, "held_out": expected, "ratio": error / expected, "bias": metrics.bias}
    if metrics.rows < policy.min_rows:
        return dg.AssetCheckResult(
            check_name=CHECK,
            passed=True,
            severity=dg.AssetCheckSeverity.WARN,
            description=f"Not judged: {metrics.rows} labels < {policy.min_rows}.",
            metadata=numbers,
        )
    wrong = []
    if error > policy.max_ratio * expected:
        wrong.append(f"{policy.metric} {error:.2f} > {policy.max_ratio} x {expected:.2f}")
    if abs(metrics.bias) > policy.max_bias:
        wrong.append(f"bias {metrics.bias:+.2f} {unit} beyond {policy.max_bias}")
    good = f"{policy.metric} {error:.2f} {unit} against {expected:.2f} held out, bias {metrics.bias:+.2f}."
    return dg.AssetCheckResult(
        check_name=CHECK,
        passed=not wrong,
        severity=dg.AssetCheckSeverity.WARN,
        description="; ".join(wrong) or good,
        metadata=numbers,
    )
