"""Drift of one scored window against the reference rows of the version that scored it.

Here belong the verdicts: which column drifted, and what could not be judged. What has to be put right before
is `preflight.py`'s, the distances are Evidently's (`distances.py`), `drift_page.py` shows both. What follows
from a verdict is the business of `automation`.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from json import dumps
from math import sqrt
from pathlib import Path

import numpy as np
import pandas as pd

from ml_assets.files import write_text
from ml_assets.ml.distances import METHODS, Measured, evidently_version, measure
from ml_assets.ml.drift_page import page
from ml_assets.ml.encoding import numbers
from ml_assets.ml.metrics import Metrics, evaluate
from ml_assets.ml.preflight import Sides, prepare, require
from ml_assets.ml.scores import PREDICTION, PROBABILITY, label_of, read_scores
from ml_assets.spec import DriftPolicy, FeatureType, Task

_PREDICTIONS: Mapping[Task, FeatureType] = {"regression": "float", "binary": "float", "multiclass": "string"}
_TARGETS: Mapping[Task, FeatureType] = {"regression": "float", "binary": "string", "multiclass": "string"}
"""How predictions and labels are compared. A label of 0 and 1 is a category with two values (Evidently, too, takes
numbers of few values for categories): the normed Wasserstein distance would divide a rare class by its tiny spread,
and pure sampling would make it drift, where the noise of Jensen-Shannon does not depend on the base rate."""


@dataclass(frozen=True)
class ColumnDrift:
    """One column of the window against the same column of the reference.

    Attributes:
        column: Its name.
        method: Evidently's name of the distance: `wasserstein` (normed by the reference's standard deviation)
            for numbers, `jensenshannon` (natural logarithm, 0..0.83) for text, classes and labels of 0 and 1.
        distance: The distance, >= 0; None where a side has no values.
        threshold: Distance from which the column has drifted.
        drifted: The verdict; None: not judged, and `note` says why.
        note: What a reader has to know beside the distance.
        missing_reference: Share of missing values in the reference, 0..1.
        missing_current: Share of missing values in the window, 0..1.
    """

    column: str
    method: str
    distance: float | None
    threshold: float
    drifted: bool | None
    note: str = ""
    missing_reference: float = 0.0
    missing_current: float = 0.0


@dataclass(frozen=True)
class DriftResult:
    """The verdicts on one window.

    Attributes:
        rows: Rows of the window, before sampling.
        reference_rows: Rows of the reference, before sampling.
        judged: Whether both sides have enough rows; if not, no column has a verdict.
        note: Why it was not judged, or which sample the verdicts come from.
        features: One entry per feature, in the declared order.
        prediction: The predictions.
        target: The labels that are known by now; None where no target was named.
        ignored: Features that the policy leaves out of the share.
    """

    rows: int
    reference_rows: int
    judged: bool
    note: str
    features: tuple[ColumnDrift, ...]
    prediction: ColumnDrift
    target: ColumnDrift | None
    ignored: tuple[str, ...] = ()

    @property
    def watched(self) -> tuple[ColumnDrift, ...]:
        """Features with a verdict that the policy does not ignore."""
        return tuple(f for f in self.features if f.drifted is not None and f.column not in self.ignored)

    @property
    def drifted_share(self) -> float:
        """Drifted features / watched features, 0..1; 0 where none is watched."""
        watched = self.watched
        return sum(bool(f.drifted) for f in watched) / len(watched) if watched else 0.0


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
    """Judge one window, and write Evidently's page and the record of the verdicts.

    Args:
        reference: (n, >= k) rows that the version in production was judged on: features, labels, and predictions
            in the columns of `scores.score_columns`.
        current: (m, >= k) rows of the window; m may be 0.
        features: Feature -> declared type. Text is compared as categories, everything else as numbers.
        target: Column of the labels, missing where still unknown; None: there are none.
        policy: Thresholds, sample and seed.
        html: Page to write, whole or not at all; it opens offline.
        json: Record to write, whole or not at all: the same input gives the same bytes.
        title: Heading of the page.
        task: Kind of label.

    Raises:
        DriftColumnsError: A side lacks a feature, the prediction or the target.
        FeatureTypeError: A numeric column holds text or times.
    """
    types: dict[str, FeatureType] = {**features, PREDICTION: _PREDICTIONS[task]}
    thresholds = dict.fromkeys(features, policy.column_threshold) | {PREDICTION: policy.prediction_threshold}
    shares = [column for column in reference.columns if column.startswith(PROBABILITY)]
    require(reference, current, [*types, *shares, *([target] if target else [])])
    scored = prepare(reference, current, types, sample_rows=policy.sample_rows, seed=policy.seed)
    measured = measure(scored, thresholds)
    judged = min(len(reference), len(current)) >= policy.min_rows
    verdicts = {name: _judge(scored, name, measured, thresholds[name], policy, judged) for name in types}
    label, quality = None, None
    if target is not None:
        known = _labelled(reference, target, task), _labelled(current, target, task)
        labels = prepare(*known, {target: _TARGETS[task]}, sample_rows=policy.sample_rows, seed=policy.seed)
        measured |= measure(labels, {target: policy.target_threshold})
        label = _judge(labels, target, measured, policy.target_threshold, policy, judged)
        quality = _quality(*known, target, task)
    result = DriftResult(
        rows=len(current),
        reference_rows=len(reference),
        judged=judged,
        note=_note(len(reference), len(current), policy, judged),
        features=tuple(verdicts[name] for name in features),
        prediction=verdicts[PREDICTION],
        target=label,
        ignored=policy.ignore,
    )
    write_text(html, page(title, result, policy, measured, quality))
    write_text(json, _record(title, result, policy, measured, quality))
    return result


def _judge(
    sides: Sides,
    column: str,
    measured: Mapping[str, Measured],
    threshold: float,
    policy: DriftPolicy,
    judged: bool,
) -> ColumnDrift:
    method = METHODS[sides.types[column]]
    distance = measured[column].distance if column in measured else None
    missing = sides.missing(column)
    values = min(sides.values(column))
    far = distance is not None and distance >= threshold  # Evidently's own rule
    notes = [sides.notes[column]] if column in sides.notes else []
    drifted: bool | None = None
    if not judged:
        notes.append("not judged: too few rows")
    elif abs(missing[1] - missing[0]) > policy.null_share_threshold:
        drifted = True
        notes.append(f"missing values: {missing[0]:.0%} before, {missing[1]:.0%} now")
    elif not values:
        notes.append("not judged: no values")
    elif values < (needed := min(policy.min_rows, policy.sample_rows)):
        notes.append(f"not judged: values in {values} rows, {needed} needed")
    elif far and (noise := _lost_in_noise(sides, column, distance or 0.0, threshold)):
        notes.append(noise)
    else:
        drifted = far
    # Sums over categories follow the hash seed in their last digits: nine decimals are always the same.
    shown = None if distance is None else round(distance, 9)
    return ColumnDrift(column, method, shown, threshold, drifted, "; ".join(notes), *missing)


def _lost_in_noise(sides: Sides, column: str, distance: float, threshold: float) -> str:
    """Why a distance above the threshold says nothing, or "": so many categories that sampling gives it.

    Two samples of one distribution over K categories are sqrt((K - 1) / 8 * (1/n + 1/m)) apart, from the
    chi-squared limit of the Jensen-Shannon divergence in nats. Twice that is drift all the same (convention).
    """
    if sides.types[column] != "string":
        return ""
    (n, m), categories = sides.values(column), sides.categories(column)
    floor = sqrt((categories - 1) / 8 * (1 / n + 1 / m))
    if floor < threshold or distance >= 2 * floor:
        return ""
    return f"not judged: {categories:,} categories, sampling alone gives about {floor:.2f}"


def _note(reference_rows: int, rows: int, policy: DriftPolicy, judged: bool) -> str:
    if not judged:
        return (
            f"Not judged: {rows:,} rows in the window and {reference_rows:,} in the reference, "
            f"{policy.min_rows:,} needed on each side."
        )
    sample = [f"{min(n, policy.sample_rows):,} of {n:,}" for n in (rows, reference_rows)]
    return f"Judged on {sample[0]} rows of the window and {sample[1]} of the reference (seed {policy.seed})."


def _labelled(frame: pd.DataFrame, target: str, task: Task) -> pd.DataFrame:
    """(<= n, ...) rows whose label is known; where they are numbers, both it and the prediction are finite."""
    if task == "multiclass":
        return frame.loc[frame[target].notna()]
    plain = {name: numbers(frame, name) for name in (PREDICTION, target)}
    usable = np.isfinite(np.stack(list(plain.values()))).all(axis=0)
    return pd.DataFrame(plain).loc[pd.Series(usable)]


def _quality(reference: pd.DataFrame, current: pd.DataFrame, target: str, task: Task) -> tuple[Metrics, Metrics] | None:
    """Metrics on all labelled rows of both sides; None where a side has none."""
    if not min(len(reference), len(current)):
        return None
    # Not by Evidently: its metric fails where the labels' reciprocals add up to nothing (all labels zero).
    before, now = (evaluate(label_of(task, side[target]), read_scores(task, side)) for side in (reference, current))
    return before, now


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
