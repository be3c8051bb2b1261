"""All verdicts on one window together, of all rows and of each declared segment: what assets and a replay ask for.

Each check is judged in `window_checks.py`; here rows become summaries, and segments share the false alarms.
"""

import json
from collections.abc import Mapping, Sequence

import pandas as pd

from ml_assets.errors import SummaryFormatError
from ml_assets.ml.monitoring.baseline import Baseline
from ml_assets.ml.monitoring.columns import compared_types
from ml_assets.ml.monitoring.held_out import HeldOut, Judgeable, Standing, held_out_of
from ml_assets.ml.monitoring.preflight import summarise_frame
from ml_assets.ml.monitoring.report import Judged, judge
from ml_assets.ml.monitoring.summaries import TableSummary, merge
from ml_assets.ml.monitoring.window_checks import (
    CheckVerdict,
    data_quality_verdict,
    drift_verdicts,
    expected_quality_verdict,
    quality_verdict,
    with_segments,
    without_verdict,
)
from ml_assets.ml.promotion.segments import segment_rows
from ml_assets.ml.quality.metrics import Metrics, evaluate
from ml_assets.ml.quality.scores import label_of, read_scores
from ml_assets.ml.windows import Window
from ml_assets.spec import Problem

ALL = ""
"""Name of all rows among the segments, which cannot have it."""
WindowSummary = Mapping[str, TableSummary]
"""Name of a segment, or `ALL` -> summary of its scored rows."""


def summarise_window(problem: Problem, frame: pd.DataFrame) -> WindowSummary:
    """Summaries of scored rows with their labels.

    Args:
        problem: Names columns and segments.
        frame: (n, ...) rows with features, scores and the label, missing where it is not known.
    """
    types = compared_types(problem.features, problem.label.name, problem.task)
    segments = segment_rows(problem.drift.segments, frame, least=problem.drift.min_rows)
    return {ALL: summarise_frame(frame, types)} | {
        name: summarise_frame(frame.loc[rows], types) for name, rows in segments.items()
    }


def merge_windows(parts: Sequence[WindowSummary]) -> WindowSummary:
    """Of several windows, without their rows; segments are those of the last.

    Raises:
        SummariesDifferError: They have different columns.
    """
    return {name: merge([part[name] for part in parts if name in part]) for name in parts[-1]}


def summary_to_json(summary: WindowSummary) -> bytes:
    """As JSON: same rows, same bytes."""
    plain = {name: each.as_plain() for name, each in summary.items()}
    return json.dumps(plain, sort_keys=True, allow_nan=False, separators=(",", ":")).encode()


def summary_from_json(text: bytes) -> WindowSummary:
    """What `summary_to_json` wrote.

    Raises:
        SummaryFormatError: It is none.
    """
    try:
        return {name: TableSummary.from_plain(plain) for name, plain in json.loads(text).items()}
    except (ValueError, KeyError, AttributeError) as error:
        raise SummaryFormatError(None, 1) from error


def judge_drift(
    problem: Problem, baseline: Baseline, current: WindowSummary, window: Window | None = None
) -> tuple[Judged, list[CheckVerdict]]:
    """Drift of features, predictions and labels, quality of the data, and the error to expect.

    Args:
        problem: The declaration.
        baseline: Of the version that scored the window.
        current: The window, or several merged.
        window: When the rows are from, for seasonal features.

    Returns:
        The verdicts on all rows with what a report is drawn from, and the checks in the order of their names' list.
    """
    judged, verdicts = _drift_of(problem, baseline, current[ALL], window)
    segments: dict[str, list[CheckVerdict]] = {}
    share = problem.drift.false_alarm_rate / max(len(baseline.segments), 1)
    careful = problem.model_copy(update={"drift": problem.drift.model_copy(update={"false_alarm_rate": share})})
    for name, known in baseline.segments.items():
        if name in current:
            segments[name] = _drift_of(careful, known, current[name], None)[1]
    verdicts = [
        with_segments(verdict, {name: each[place] for name, each in segments.items()})
        for place, verdict in enumerate(verdicts)
    ]
    verdicts.append(expected_quality_verdict(baseline, current[ALL], problem.drift, problem.quality))
    return judged, verdicts


def judge_quality(
    problem: Problem, held_out: Mapping[str, HeldOut], frame: pd.DataFrame
) -> tuple[Metrics, CheckVerdict]:
    """Metrics of a window's labelled rows, and the check `model_quality`.

    Args:
        problem: The declaration.
        held_out: From `held_out_sides`.
        frame: (n, ...) scored rows with the label, missing where it is not known, and `event_timestamp`.
    """
    metrics, verdict = _quality_of(problem, held_out[ALL], frame)
    names = [name for name in held_out if name != ALL]
    share = problem.quality.false_alarm_rate / max(len(names), 1)
    careful = problem.model_copy(update={"quality": problem.quality.model_copy(update={"false_alarm_rate": share})})
    rows = segment_rows(problem.quality.segments, frame, least=1) if names else {}
    found = {name: _quality_of(careful, held_out[name], frame.loc[rows[name]])[1] for name in names if name in rows}
    return metrics, with_segments(verdict, found)


def held_out_sides(
    problem: Problem, error: float | None, rows: pd.DataFrame, standings: Sequence[Standing] = ()
) -> dict[str, HeldOut]:
    """What is known of a version's held-out rows, all and by segment.

    Args:
        problem: The declaration.
        error: The version's own error on its test rows; None where it is undefined.
        rows: (n, ...) its held-out rows with scores, label and `event_timestamp`.
        standings: Of its time blocks; see `Baseline`.
    """
    sides = {ALL: held_out_of(problem, error, rows, standings)}
    for name, inside in segment_rows(problem.quality.segments, rows, least=problem.quality.min_rows).items():
        part = rows.loc[inside]
        metrics = evaluate(label_of(problem.task, part[problem.label.name]), read_scores(problem.task, part))
        own = None if metrics.undefined(problem.quality.metric) else metrics.error(problem.quality.metric)
        sides[name] = held_out_of(problem, own, part, standings)
    return sides


def _drift_of(
    problem: Problem, baseline: Baseline, current: TableSummary, window: Window | None
) -> tuple[Judged, list[CheckVerdict]]:
    policy, label = problem.drift, problem.label.name
    judged = judge(baseline, current, features=problem.features, target=label, policy=policy, window=window)
    verdicts = drift_verdicts(judged.result, policy, labels=current.columns[label].values)
    return judged, [*verdicts, data_quality_verdict(baseline, current, list(problem.features), policy)]


def _quality_of(problem: Problem, held_out: HeldOut, frame: pd.DataFrame) -> tuple[Metrics, CheckVerdict]:
    metrics = evaluate(label_of(problem.task, frame[problem.label.name]), read_scores(problem.task, frame))
    if frame.empty:
        return metrics, without_verdict("model_quality", "the window has no rows", metrics.as_dict())
    verdict = quality_verdict(
        metrics,
        held_out,
        problem.quality,
        scored=len(frame),
        task=problem.task,
        unit=problem.label.unit,
        rows=Judgeable.of(problem, frame),
    )
    return metrics, verdict
