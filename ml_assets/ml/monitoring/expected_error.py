"""What error to expect of a window before its labels are known, from its predictions alone. An early warning only.

On the version's held-out rows the error is known for each range of its predictions (of classes: for each predicted
class). Weighting those by how often a window has such predictions gives an estimate: an importance-weighted held-out
error, in the way of NannyML's direct loss estimation; of rankings the one that the ranges' own rates of 1 would give,
in the way of its confidence-based performance estimation. It sees that a window is harder to predict. It cannot see
that what the model has learned no longer holds: that is what labels are for.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import log, sqrt
from typing import Any

import numpy as np
import pandas as pd

from ml_assets.ml.monitoring.block_noise import FEWEST_BLOCKS
from ml_assets.ml.monitoring.summaries import ColumnSummary, NumberSummary, summarise_categories, summarise_numbers
from ml_assets.ml.quality.metrics import ADDITIVE, row_losses
from ml_assets.ml.quality.ranking import Floats
from ml_assets.ml.quality.scores import PREDICTION, known, label_of, read_scores
from ml_assets.spec import MetricName, Problem

_RANGES = 10
_FEWEST_ROWS = 200
"""Held-out rows below which ranges say nothing of their error (a convention)."""


@dataclass(frozen=True)
class ErrorCurve:
    """Error by prediction.

    Attributes:
        metric: What the error is.
        edges: Upper ends of all ranges of predictions but the last; empty for classes.
        classes: Predicted classes; empty for numbers.
        values: Of each range or class: the mean loss of a row, or of rankings the rate of 1.
        shares: Of each: its share of the held-out rows.
        ratios: Of each time block of the version's own rows: expected error / expected error of the held-out rows.
    """

    metric: MetricName
    edges: tuple[float, ...]
    classes: tuple[str, ...]
    values: tuple[float, ...]
    shares: tuple[float, ...]
    ratios: tuple[float, ...] = ()

    def ratio(self, predictions: ColumnSummary) -> float | None:
        """Expected error of a window / that of the held-out rows; None where it has no predictions or they no error.

        Args:
            predictions: Summary of the column `prediction`.
        """
        if not predictions.values:
            return None
        now, before = (self._error(np.asarray(shares)) for shares in (self._shares(predictions), self.shares))
        return now / before if before > 0 else None

    def usual(self) -> float | None:
        """By how much the blocks' ratios differ from 1, as root mean square of logarithms; None for too few blocks."""
        if len(self.ratios) < FEWEST_BLOCKS:
            return None
        squares = [log(ratio) ** 2 for ratio in self.ratios]
        return sqrt(sum(squares) / len(squares) * (1 + 1 / len(squares)))

    def as_plain(self) -> dict[str, Any]:
        """What JSON can hold."""
        fields = ("edges", "classes", "values", "shares", "ratios")
        return {"metric": self.metric, **{name: list(getattr(self, name)) for name in fields}}

    @classmethod
    def from_plain(cls, plain: Mapping[str, Any]) -> "ErrorCurve":
        """What `as_plain` gave."""
        lists = {name: tuple(value) for name, value in plain.items() if name != "metric"}
        return cls(metric=plain["metric"], **lists)

    def _shares(self, predictions: ColumnSummary) -> Floats:
        if isinstance(predictions, NumberSummary):
            place = np.searchsorted(np.array(self.edges), predictions.points.at, side="left")
            counts = np.bincount(place, predictions.points.counts, len(self.values))
        else:
            counts = np.array([predictions.counts.get(name, 0) for name in self.classes], dtype=np.float64)
        return counts / max(counts.sum(), 1.0)

    def _error(self, shares: Floats) -> float:
        values = np.array(self.values)
        if self.metric in ADDITIVE:
            mean = float(shares @ values)
            return sqrt(mean) if self.metric == "rmse" else mean
        positive, negative = shares * values, shares * (1 - values)
        if not positive.sum() or not negative.sum():
            return 0.0
        if self.metric == "auc":
            below = np.cumsum(negative) - negative / 2  # ties count half
            return 1 - float(positive @ below / (positive.sum() * negative.sum()))
        above = np.cumsum(positive[::-1]) / np.maximum(np.cumsum(shares[::-1]), np.finfo(float).tiny)
        return 1 - float(positive[::-1] @ above / positive.sum())


def error_curve(problem: Problem, held_out: pd.DataFrame, blocks: Sequence[pd.DataFrame]) -> ErrorCurve | None:
    """The curve of a version; None where labels are too few, or its metric is none of a row or a ranking.

    Args:
        problem: Its `quality.metric` is the error.
        held_out: (n, ...) rows that the version was not fitted on, with scores and labels.
        blocks: All its rows, block by block.
    """
    metric, name = problem.quality.metric, problem.label.name
    ranking = problem.task == "binary" and metric in ("auc", "average_precision")
    there = known(problem.task, label_of(problem.task, held_out[name]))
    if there.sum() < _FEWEST_ROWS or not (metric in ADDITIVE or ranking):
        return None
    rows = held_out.loc[there]
    label = label_of(problem.task, rows[name])
    losses = label.astype(np.float64) if ranking else row_losses(metric, label, read_scores(problem.task, rows))
    edges: tuple[float, ...] = ()
    classes: tuple[str, ...] = ()
    if problem.task == "multiclass":
        place, names = pd.factorize(rows[PREDICTION], sort=True)
        classes = tuple(str(each) for each in names)
    else:
        cuts = np.unique(np.quantile(rows[PREDICTION], np.arange(1, _RANGES) / _RANGES))
        place, edges = np.searchsorted(cuts, rows[PREDICTION], side="left"), tuple(cuts.tolist())
    count = len(classes) or len(edges) + 1
    sizes = np.bincount(place, minlength=count)
    mean = np.bincount(place, losses, count) / np.maximum(sizes, 1)
    mean = np.where(sizes > 0, mean, losses.mean())
    curve = ErrorCurve(metric, edges, classes, tuple(mean.tolist()), tuple((sizes / sizes.sum()).tolist()))
    return _with_ratios(curve, blocks)


def _with_ratios(curve: ErrorCurve, blocks: Sequence[pd.DataFrame]) -> ErrorCurve:
    found = [curve.ratio(_predictions(block[PREDICTION], curve)) for block in blocks if len(block)]
    ratios = tuple(float(f"{ratio:.6g}") for ratio in found if ratio)
    return ErrorCurve(curve.metric, curve.edges, curve.classes, curve.values, curve.shares, ratios)


def _predictions(column: pd.Series, curve: ErrorCurve) -> ColumnSummary:
    if not curve.classes:
        return summarise_numbers(column.to_numpy(np.float64))
    counts = column.value_counts()
    return summarise_categories(list(counts.index), counts.tolist(), 0)
