"""Drift of one scored window against the reference rows of the version that scored it.

Here the parts are put together and written down. What has to be put right before is `preflight.py`'s, the distances
are Evidently's, of summaries of all rows (`distances.py`), the verdicts `verdicts.py`'s; `page.py` shows
them. What follows from a verdict is the business of `automation`.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from json import dumps
from pathlib import Path

import numpy as np
import pandas as pd

from ml_assets.files import write_text
from ml_assets.ml.monitoring.baseline import Baseline
from ml_assets.ml.monitoring.columns import compared_types
from ml_assets.ml.monitoring.distances import Measured, evidently_version, measure, measure_distances
from ml_assets.ml.monitoring.page import page
from ml_assets.ml.monitoring.preflight import Sides, prepare, require, summarise_frame
from ml_assets.ml.monitoring.summaries import Bounded, TableSummary
from ml_assets.ml.monitoring.verdicts import ColumnDrift, DriftResult, Judging, judged_on, together
from ml_assets.ml.quality.metrics import Metrics, evaluate
from ml_assets.ml.quality.scores import PREDICTION, PROBABILITY, label_of, read_scores
from ml_assets.ml.training.encoding import numbers
from ml_assets.ml.windows import Window
from ml_assets.spec import DriftPolicy, FeatureType, Task

__all__ = ["ColumnDrift", "DriftResult", "Judged", "compared_types", "drift_report", "judge", "qualities", "report_on"]


def drift_report(
    reference: pd.DataFrame,
    current: pd.DataFrame,
    *,
    features: Mapping[str, FeatureType],
    target: str | None,
    policy: DriftPolicy,
    html: Path,
    json: Path,
    title: str,
    task: Task = "regression",
) -> DriftResult:
    """Judge one window by its rows, and write Evidently's page and the record of the verdicts.

    Args:
        reference: (n, >= k) rows that the version in production was judged on: features, labels, and predictions
            in the columns of `scores.score_columns`.
        current: (m, >= k) rows of the window; m may be 0.
        features: Feature -> declared type. Text is compared as categories, everything else as numbers.
        target: Column of the labels, missing where still unknown; None: there are none.
        policy: Thresholds.
        html: Page to write, whole or not at all; it opens offline.
        json: Record to write, whole or not at all: the same input gives the same bytes.
        title: Heading of the page.
        task: Kind of label.

    Raises:
        DriftColumnsError: A side lacks a feature, the prediction or the target.
        FeatureTypeError: A numeric column holds text or times.
    """
    types = compared_types(features, target, task)
    shares = [column for column in reference.columns if column.startswith(PROBABILITY)]
    require(reference, current, [*types, *shares])
    return report_on(
        *(summarise_frame(side, types) for side in (reference, current)),
        features=features,
        target=target,
        policy=policy,
        html=html,
        json=json,
        title=title,
        quality=qualities(reference, current, target, task),
    )


def report_on(
    reference: TableSummary | Baseline,
    current: TableSummary,
    *,
    features: Mapping[str, FeatureType],
    target: str | None,
    policy: DriftPolicy,
    html: Path,
    json: Path,
    title: str,
    quality: tuple[Metrics, Metrics] | None = None,
    window: Window | None = None,
) -> DriftResult:
    """Judge one window by summaries, without its rows, and write page and record; see `drift_report`.

    Args:
        reference: What is kept of the version in production; a summary alone has no noise, and thresholds decide.
        current: Summary of the window, or of several that were merged.
        quality: Metrics on all labelled rows, (reference, window): see `qualities`.
        window: When the rows are from, for seasonal features.

    Raises:
        DriftColumnsError: A side lacks a feature, the prediction or the target.
    """
    judged = judge(reference, current, features=features, target=target, policy=policy, window=window)
    write_report(judged, policy, html=html, json=json, title=title, quality=quality)
    return judged.result


def write_report(
    judged: "Judged",
    policy: DriftPolicy,
    *,
    html: Path,
    json: Path,
    title: str,
    quality: tuple[Metrics, Metrics] | None = None,
) -> None:
    """Write page and record of a judged window; see `report_on`."""
    measured = measure(judged.sides, judged.distances, {c.column: c.threshold for c in judged.result.columns})
    write_text(html, page(title, judged.result, policy, measured, quality))
    write_text(json, _record(title, judged.result, policy, measured, quality))


@dataclass(frozen=True)
class Judged:
    """The verdicts on one window, and what its report is drawn from."""

    result: DriftResult
    sides: Sides
    distances: Mapping[str, Bounded]


def judge(
    reference: TableSummary | Baseline,
    current: TableSummary,
    *,
    features: Mapping[str, FeatureType],
    target: str | None,
    policy: DriftPolicy,
    window: Window | None = None,
) -> Judged:
    """Judge one window by summaries, and write nothing; see `report_on`."""
    baseline = reference if isinstance(reference, Baseline) else Baseline(reference)
    before, off_season = _of_season(baseline, policy, window)
    columns = [*features, PREDICTION, *([target] if target else [])]
    if target is not None:
        before, current = _known(before, target), _known(current, target)
    sides = prepare(before, current, columns)
    enough = min(before.rows, current.rows) >= policy.min_rows
    judging = Judging(sides, measure_distances(sides, columns), baseline.noise, policy, enough)
    weighed = tuple(replace(judging.column(name), weight=baseline.importance.get(name, 0.0)) for name in features)
    seasoned = tuple(_not_judged(f) if f.column in off_season else f for f in weighed)
    result = DriftResult(
        rows=current.rows,
        reference_rows=before.rows,
        judged=enough,
        note=judged_on(before.rows, current.rows, policy, enough),
        features=together(seasoned, policy.ignore, policy.false_alarm_rate),
        prediction=judging.column(PREDICTION),
        target=judging.column(target) if target is not None else None,
        ignored=policy.ignore,
    )
    return Judged(result, sides, judging.distances)


def _of_season(baseline: Baseline, policy: DriftPolicy, window: Window | None) -> tuple[TableSummary, frozenset[str]]:
    """The reference with seasonal features as they were in the same season, and those of which that is not known."""
    seasonal = baseline.of_season(window) if window and policy.seasonal else None
    if seasonal is None:
        return baseline.summary, frozenset(policy.seasonal)
    return replace(baseline.summary, columns={**baseline.summary.columns, **seasonal.columns}), frozenset()


def _not_judged(feature: ColumnDrift) -> ColumnDrift:
    note = "not judged: seasonal, and the reference has no rows of this season in a former year"
    return replace(feature, drifted=None, p_value=None, note="; ".join(filter(None, [feature.note, note])))


def qualities(
    reference: pd.DataFrame, current: pd.DataFrame, target: str | None, task: Task
) -> tuple[Metrics, Metrics] | None:
    """Metrics on all labelled rows, (reference, window); None where a side has none.

    Args:
        reference: (n, >= 2) rows with the label and the columns of `scores.score_columns`; no others are read.
        current: (m, >= 2) rows of the window.
        target: Column of the labels; None: there are none.
        task: Kind of label.
    """
    if target is None:
        return None
    sides = [_labelled(side, target, task) for side in (reference, current)]
    if not min(map(len, sides)):
        return None
    # Not by Evidently: its metric fails where the labels' reciprocals add up to nothing (all labels zero).
    before, now = (evaluate(label_of(task, side[target]), read_scores(task, side)) for side in sides)
    return before, now


def _known(table: TableSummary, target: str) -> TableSummary:
    """The same without the rows whose label is not known: they are late, not missing."""
    if target not in table.columns:
        return table  # `prepare` refuses it
    labels = table.columns[target]
    return replace(table, columns={**table.columns, target: replace(labels, rows=labels.values, missing=0)})


def _labelled(frame: pd.DataFrame, target: str, task: Task) -> pd.DataFrame:
    """(<= n, ...) rows whose label is known; where they are numbers, both it and the prediction are finite."""
    if task == "multiclass":
        return frame.loc[frame[target].notna()]
    plain = {name: numbers(frame, name) for name in (PREDICTION, target)}
    usable = np.isfinite(np.stack(list(plain.values()))).all(axis=0)
    return pd.DataFrame(plain).loc[pd.Series(usable)]


def _record(
    title: str,
    result: DriftResult,
    policy: DriftPolicy,
    measured: Mapping[str, Measured],
    quality: tuple[Metrics, Metrics] | None,
) -> str:
    plain = {
        "title": title,
        **asdict(result),
        "drifted_share": result.drifted_share,
        "policy": policy.model_dump(),
        "quality": quality and {"reference": quality[0].as_dict(), "window": quality[1].as_dict()},
        "evidently": {"version": evidently_version(), "metrics": [m.record for m in measured.values()]},
    }
    return dumps(plain, sort_keys=True, indent=1, allow_nan=False) + "\n"
