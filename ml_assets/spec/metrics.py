"""Tasks, the metrics that fit each, and which way is better. What they compute is in `ml/quality/metrics.py`."""

from typing import Literal

Task = Literal["regression", "binary", "multiclass"]
MetricName = Literal["rmse", "mae", "auc", "average_precision", "logloss", "brier", "accuracy", "f1_macro"]

METRICS: dict[Task, tuple[MetricName, ...]] = {
    "regression": ("rmse", "mae"),
    "binary": ("logloss", "auc", "average_precision", "brier", "accuracy"),
    "multiclass": ("logloss", "accuracy", "f1_macro", "auc"),
}
"""The metrics of each task; the first is the default."""

SEARCH_LOSSES: dict[Task, tuple[MetricName, ...]] = {
    "regression": ("rmse", "mae"),
    "binary": ("logloss", "auc", "average_precision", "accuracy"),
    "multiclass": ("logloss", "accuracy", "auc"),
}
"""Those that XGBoost computes after each round, so that a search can stop early by them."""

GREATER_IS_BETTER: frozenset[MetricName] = frozenset({"auc", "average_precision", "accuracy", "f1_macro"})
"""Scores between 0 and 1; as an error they count as 1 - score."""
