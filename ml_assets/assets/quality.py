"""Stage 6b: the error of a window, once its labels are known, against the champion's own held-out error."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import dagster as dg
import numpy as np
import pandas as pd

from ml_assets.assets import keys, partitions
from ml_assets.assets.predictions import VERSION, read_predictions
from ml_assets.assets.run_windows import Outcome, run_windows
from ml_assets.ml import figures
from ml_assets.ml.metrics import Metrics, error_of, evaluate, shown
from ml_assets.ml.scores import Labels, Scores, known, label_of, read_scores
from ml_assets.ml.windows import Window
from ml_assets.resources.lake import Lake
from ml_assets.resources.ledger import Ledger
from ml_assets.spec import GREATER_IS_BETTER, Problem

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
    label, scores = label_of(problem.task, frame[problem.label.name]), read_scores(problem.task, frame)
    metrics = evaluate(label, scores)
    version = None if frame.empty else int(frame[VERSION].iloc[0])
    expected = _held_out_error(problem, version, ledger)
    table = pd.DataFrame([{"window": window.key, VERSION: version, **metrics.as_dict()}])
    path = lake.write(lake.stage(problem, "quality", window.key), table)
    metadata: dict[str, Any] = {**metrics.as_dict(), "path": dg.MetadataValue.path(path)}
    if version is not None:
        metadata["model_version"] = version
    if metrics.rows:
        name = "confusion" if problem.task == "multiclass" else "calibration"
        metadata[name] = dg.MetadataValue.md(figures.inline(_picture(problem, label, scores)))
    if expected and not metrics.undefined(problem.quality.metric):
        metadata["error_ratio"] = metrics.error(problem.quality.metric) / expected
    return Outcome(metadata, [_check(problem, metrics, expected, scored=len(frame))])


def _held_out_error(problem: Problem, version: int | None, ledger: Ledger) -> float | None:
    """The version's own error on its test rows; None where it is undefined there."""
    numbers = {} if version is None else ledger.version(problem, version).numbers
    value = numbers.get(f"test_{problem.quality.metric}")
    return None if value is None else error_of(problem.quality.metric, value)


def _picture(problem: Problem, label: Labels, scores: Scores) -> "Figure":
    """How far predictions can be believed: a calibration curve, or the confusions of classes."""
    there = known(problem.task, label)
    if problem.task == "multiclass":
        return figures.confusion_figure(label[there], scores.predictions()[there])
    return figures.error_figure(label[there], scores.values[there], problem.label.unit)


def _check(problem: Problem, metrics: Metrics, expected: float | None, *, scored: int) -> dg.AssetCheckResult:
    policy = problem.quality
    if reason := _unjudged(problem, metrics, expected, scored):
        return _result(True, f"Not judged: {reason}.", metrics.as_dict())
    assert expected is not None  # or there was a reason
    error, bias = metrics.error(policy.metric), metrics.values.get("bias")
    wrong = []
    if error > policy.max_ratio * expected:
        wrong.append(f"{_name(policy.metric)} {shown(error)} > {policy.max_ratio} x {shown(expected)}")
    if policy.max_bias is not None and bias is not None and abs(bias) > policy.max_bias:
        wrong.append(f"bias {_signed(problem, bias)} beyond {policy.max_bias:g}")
    # A score's error is 1 - score, and the other way round.
    value, held_out = (shown(error_of(policy.metric, each)) for each in (error, expected))
    good = f"{policy.metric} {value} against {held_out} held out"
    good += f", bias {_signed(problem, bias)}" if bias is not None else ""
    text = "; ".join(wrong) or good
    if metrics.unknown_class_rows:
        text += f"; {metrics.unknown_class_rows:,} rows of classes that the model does not know"
    numbers = {**metrics.as_dict(), "error": error, "held_out": expected}
    return _result(not wrong, f"{text}.", numbers | ({"ratio": error / expected} if expected else {}))


def _unjudged(problem: Problem, metrics: Metrics, expected: float | None, scored: int) -> str:
    """Why there is no verdict, or ""."""
    policy = problem.quality
    if not scored:
        return "the window has no rows"
    if metrics.rows < policy.min_rows:
        return f"{metrics.rows:,} labels < {policy.min_rows:,}"
    if reason := metrics.undefined(policy.metric):
        return f"{policy.metric} is undefined, since {reason}"
    return "" if expected is not None else f"{policy.metric} was undefined on the version's held-out rows"


def _signed(problem: Problem, bias: float) -> str:
    """A bias with its unit; that of a probability needs more digits and has none."""
    return f"{bias:+.4f}" if problem.task == "binary" else f"{bias:+.2f} {problem.label.unit}".rstrip()


def _name(metric: str) -> str:
    return f"1 - {metric}" if metric in GREATER_IS_BETTER else metric


def _result(passed: bool, text: str, numbers: Mapping[str, float]) -> dg.AssetCheckResult:
    return dg.AssetCheckResult(
        check_name=CHECK,
        passed=passed,
        severity=dg.AssetCheckSeverity.WARN,  # quality is judged by the retraining policy, it stops nothing
        description=text,
        metadata=dict(numbers),
    )
