"""How good predictions are: the metrics of each task, and when one is undefined.

Metrics only. Who compares them with what is elsewhere, and so is what needs an order of rows (`ranking.py`).
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ml_assets.errors import UndefinedMetricError
from ml_assets.ml.quality.ranking import Floats, Ranking
from ml_assets.ml.quality.scores import Labels, Scores, class_codes, every_class, known
from ml_assets.spec import GREATER_IS_BETTER, MetricName, Task

ADDITIVE: frozenset[MetricName] = frozenset({"rmse", "mae", "logloss", "brier", "accuracy"})
"""Metrics whose error is a mean over rows (of rmse its square)."""

_TINY = 1e-15
"""Least probability that a log loss counts with (a convention): what was held impossible costs 34.5, not infinity."""


@dataclass(frozen=True)
class Metrics:
    """Metrics over n labelled rows.

    Attributes:
        task: Kind of label.
        rows: Rows with a label.
        values: Metric -> value; what is undefined on these rows is absent. Regression: rmse, mae, bias (mean
            prediction - mean label), in the label's unit, and r2. Binary: logloss (nats), auc,
            average_precision, brier, accuracy, bias (mean probability - share of 1). Multiclass: logloss,
            accuracy, f1_macro, auc (one class against the rest, each class the same weight).
        unknown_class_rows: Multiclass: rows of a class that the model does not know. It gave them probability 0,
            and that is how they count.
    """

    task: Task
    rows: int
    values: Mapping[str, float]
    unknown_class_rows: int = 0

    def value(self, metric: str) -> float:
        """The metric of that name.

        Raises:
            UndefinedMetricError: These rows do not have it.
        """
        if reason := self.undefined(metric):
            raise UndefinedMetricError(metric, reason)
        return self.values[metric]

    def error(self, metric: str) -> float:
        """The metric as something to be small: itself, or 1 - score.

        Raises:
            UndefinedMetricError: These rows do not have it.
        """
        return error_of(metric, self.value(metric))

    def undefined(self, metric: str) -> str:
        """Why these rows do not have a metric; "" where they have it."""
        if metric in self.values:
            return ""
        if not self.rows:
            return "no row has a label"
        return f"all {self.rows:,} labelled rows have the same label"

    def as_dict(self, prefix: str = "") -> dict[str, float]:
        """Plain numbers for metadata and for MLflow."""
        values = {**self.values, "rows": float(self.rows)}
        if self.unknown_class_rows:
            values["unknown_class_rows"] = float(self.unknown_class_rows)
        return {f"{prefix}{name}": value for name, value in values.items()}


def error_of(metric: str, value: float) -> float:
    """A metric's value as something to be small."""
    return 1.0 - value if metric in GREATER_IS_BETTER else value


def shown(value: float) -> str:
    """A metric for people: two decimals, or four below one."""
    return f"{value:.2f}" if abs(value) >= 1 else f"{value:.4f}"


def evaluate(label: Labels, scores: Scores) -> Metrics:
    """All metrics of the scores' task.

    Args:
        label: (n,) float64, of binary labels 0 or 1; of classes their names. Rows without one are left out.
        scores: Of the same n rows.

    Raises:
        ValueError: The shapes differ.
    """
    if len(label) != len(scores):
        raise ValueError(f"{len(label)} labels, {len(scores)} scores")
    there = known(scores.task, label)
    label, scores = label[there], scores.take(there)
    if not len(label):
        return Metrics(scores.task, 0, {})
    values, unknown = _VALUES[scores.task](label, scores)
    return Metrics(scores.task, len(label), {k: float(v) for k, v in values.items() if not np.isnan(v)}, unknown)


def row_losses(metric: MetricName, label: Labels, scores: Scores) -> Floats:
    """(n,) what each row adds to an additive metric; of rmse the squared error, of accuracy 1 where it is wrong.

    Args:
        metric: One of `ADDITIVE`.
        label: (n,) known labels.
        scores: Of the same rows.
    """
    if metric == "logloss":
        return -np.log(np.clip(_probability_of_truth(label, scores), _TINY, 1.0))
    if metric == "accuracy":
        return (predicted_codes(scores) != true_codes(label, scores)).astype(np.float64)
    error = scores.values - label
    return np.abs(error) if metric == "mae" else error**2


def rankings(label: Labels, scores: Scores) -> list[Ranking]:
    """The ranking of a binary label, or one per class that is there: the class against the rest."""
    if scores.task == "binary":
        return [Ranking(label == 1, scores.values)]
    classes = every_class(label, scores)
    values, codes = scores.padded(len(classes)), class_codes(label, classes)
    return [Ranking(codes == code, values[:, code]) for code in np.unique(codes)]


def true_codes(label: Labels, scores: Scores) -> NDArray[np.int64]:
    """(n,) the label as 0 or 1, or as the position of its class in `every_class`."""
    return label.astype(np.int64) if scores.task == "binary" else class_codes(label, every_class(label, scores))


def predicted_codes(scores: Scores) -> NDArray[np.int64]:
    """(n,) the likelier value, 0 or 1, or the position of the likeliest class; 0 in a tie of 0 and 1, as in XGBoost."""
    return (scores.values > 0.5).astype(np.int64) if scores.task == "binary" else scores.values.argmax(axis=1)


def f1_macro(truth: NDArray[np.int64], predicted: NDArray[np.int64], weights: NDArray[np.int64]) -> float:
    """Mean over classes of the harmonic mean of precision and recall; classes neither there nor predicted are left out.

    Args:
        truth, predicted: (n,) codes of classes.
        weights: (n,) how often each row counts.
    """
    size = int(max(truth.max(), predicted.max())) + 1
    hit = truth == predicted
    there, said = (np.bincount(codes, weights, size) for codes in (truth, predicted))
    right = np.bincount(truth[hit], weights[hit], size)
    seen = there + said > 0
    return float((2 * right[seen] / (there + said)[seen]).mean())


def _probability_of_truth(label: Labels, scores: Scores) -> Floats:
    """(n,) probability that the model gave to what came true; 0 for a class that it does not know."""
    if scores.task == "binary":
        return np.where(label == 1, scores.values, 1.0 - scores.values)
    classes = every_class(label, scores)
    codes = class_codes(label, classes)
    return scores.padded(len(classes))[np.arange(len(codes)), codes]


def _regression(label: Labels, scores: Scores) -> tuple[dict[str, float], int]:
    error = scores.values - label
    spread = float(((label - label.mean()) ** 2).sum())
    values = {"rmse": np.sqrt((error**2).mean()), "mae": np.abs(error).mean(), "bias": error.mean()}
    return values | {"r2": 1.0 - float((error**2).sum()) / spread if spread else np.nan}, 0


def _binary(label: Labels, scores: Scores) -> tuple[dict[str, float], int]:
    [ranking], once = rankings(label, scores), np.ones((1, len(label)), dtype=np.int64)
    return {
        **_means(("logloss", "brier"), label, scores),
        "auc": ranking.auc(once)[0],
        "average_precision": ranking.average_precision(once)[0],
        "accuracy": 1.0 - row_losses("accuracy", label, scores).mean(),
        "bias": (scores.values - label).mean(),
    }, 0


def _multiclass(label: Labels, scores: Scores) -> tuple[dict[str, float], int]:
    once = np.ones((1, len(label)), dtype=np.int64)
    truth, predicted = true_codes(label, scores), predicted_codes(scores)
    return {
        **_means(("logloss",), label, scores),
        "accuracy": (truth == predicted).mean(),
        "f1_macro": f1_macro(truth, predicted, once[0]),
        "auc": np.mean([ranking.auc(once)[0] for ranking in rankings(label, scores)]),
    }, int((truth >= len(scores.classes)).sum())


def _means(metrics: tuple[MetricName, ...], label: Labels, scores: Scores) -> dict[str, float]:
    return {metric: row_losses(metric, label, scores).mean() for metric in metrics}


_VALUES = {"regression": _regression, "binary": _binary, "multiclass": _multiclass}
