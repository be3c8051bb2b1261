"""Drift of one scored window against the reference rows of the version that scored it.

Here the parts are put together and written down. What has to be put right before is `preflight.py`'s, the distances
are Evidently's, of summaries of all rows (`distances.py`), the verdicts `drift_verdicts.py`'s; `drift_page.py` shows
them. What follows from a verdict is the business of `automation`.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from json import dumps
from pathlib import Path

import numpy as np
import pandas as pd

from ml_assets.files import write_text
from ml_assets.ml.distances import Measured, evidently_version, measure, measure_distances
from ml_assets.ml.drift_page import page
from ml_assets.ml.drift_verdicts import ColumnDrift, DriftResult, judge_column, judged_on
from ml_assets.ml.encoding import numbers
from ml_assets.ml.metrics import Metrics, evaluate
from ml_assets.ml.preflight import Sides, prepare, require, summarise_frame
from ml_assets.ml.scores import PREDICTION, PROBABILITY, label_of, read_scores
from ml_assets.ml.summaries import Bounded, TableSummary
from ml_assets.spec import DriftPolicy, FeatureType, Task

_PREDICTIONS: Mapping[Task, FeatureType] = {"regression": "float", "binary": "float", "multiclass": "string"}
_TARGETS: Mapping[Task, FeatureType] = {"regression": "float", "binary": "string", "multiclass": "string"}
"""How predictions and labels are compared. A label of 0 and 1 is a category with two values (Evidently, too, takes
numbers of few values for categories): the normed Wasserstein distance would divide a rare class by its tiny spread,
and pure sampling would make it drift, where the noise of Jensen-Shannon does not depend on the base rate."""


__all__ = ["ColumnDrift", "DriftResult", "Judged", "compared_types", "drift_report", "judge", "qualities", "report_on"]


def compared_types(features: Mapping[str, FeatureType], target: str | None, task: Task) -> dict[str, FeatureType]:
    """Columns of scored rows that are compared, and as what: what a summary of such rows has to hold."""
    labels: dict[str, FeatureType] = {target: _TARGETS[task]} if target else {}
    return {**features, PREDICTION: _PREDICTIONS[task], **labels}


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
    reference: TableSummary,
    current: TableSummary,
    *,
    features: Mapping[str, FeatureType],
    target: str | None,
    policy: DriftPolicy,
    html: Path,
    json: Path,
    title: str,
    quality: tuple[Metrics, Metrics] | None = None,
) -> DriftResult:
    """Judge one window by summaries, without its rows, and write page and record; see `drift_report`.

    Args:
        reference: Summary of the `compared_types` of the rows that the version in production was judged on.
        current: Summary of the window, or of several that were merged.
        quality: Metrics on all labelled rows, (reference, window): see `qualities`.

    Raises:
        DriftColumnsError: A side lacks a feature, the prediction or the target.
    """
    judged = judge(reference, current, features=features, target=target, policy=policy)
    measured = measure(judged.sides, judged.distances, {c.column: c.threshold for c in judged.result.columns})
    write_text(html, page(title, judged.result, policy, measured, quality))
    write_text(json, _record(title, judged.result, policy, measured, quality))
    return judged.result


@dataclass(frozen=True)
class Judged:
    """The verdicts on one window, and what its report is drawn from."""

    result: DriftResult
    sides: Sides
    distances: Mapping[str, Bounded]


def judge(
    reference: TableSummary,
    current: TableSummary,
    *,
    features: Mapping[str, FeatureType],
    target: str | None,
    policy: DriftPolicy,
) -> Judged:
    """Judge one window by summaries, and write nothing; see `report_on`."""
    thresholds = dict.fromkeys(features, policy.column_threshold) | {PREDICTION: policy.prediction_threshold}
    if target is not None:
        thresholds |= {target: policy.target_threshold}
        reference, current = _known(reference, target), _known(current, target)
    sides = prepare(reference, current, thresholds)
    distances = measure_distances(sides, thresholds)
    judged = min(reference.rows, current.rows) >= policy.min_rows
    verdicts = {name: judge_column(sides, name, distances, limit, policy, judged) for name, limit in thresholds.items()}
    result = DriftResult(
        rows=current.rows,
        reference_rows=reference.rows,
        judged=judged,
        note=judged_on(reference.rows, current.rows, policy, judged),
        features=tuple(verdicts[name] for name in features),
        prediction=verdicts[PREDICTION],
        target=verdicts[target] if target is not None else None,
        ignored=policy.ignore,
    )
    return Judged(result, sides, distances)


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
