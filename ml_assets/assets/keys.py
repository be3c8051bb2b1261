"""Builds every asset key, job name and tag of a problem. No other file spells one out."""

import dagster as dg

from ml_assets.spec import Problem

CAUSE_TAG = "ml_assets/cause"
WINDOWS_TAG = "ml_assets/bad_windows"
CHECKS_TAG = "ml_assets/failed_checks"
PROBLEM_TAG = "ml_assets/problem"


def source(problem: Problem, name: str) -> dg.AssetKey:
    """Raw rows of a source."""
    return dg.AssetKey([problem.name, "sources", name])


def features(problem: Problem, view: str) -> dg.AssetKey:
    """Rows of a feature view."""
    return dg.AssetKey([problem.name, "features", view])


def stage(problem: Problem, name: str) -> dg.AssetKey:
    """A stage that a problem has once: rows, labels, feature_store, online_features, dataset, tuned_model,
    registered_version, predictions, quality, drift_report."""
    return dg.AssetKey([problem.name, name])


def window_job(problem: Problem) -> str:
    """The job that lands, scores and judges one window."""
    return f"{problem.name}_window"


def landing_job(problem: Problem) -> str:
    """The first half of the window job: what needs no model."""
    return f"{problem.name}_landing"


def scoring_job(problem: Problem) -> str:
    """The second half of the window job: predictions, quality, drift."""
    return f"{problem.name}_scoring"


def training_job(problem: Problem) -> str:
    """The job that trains, registers and gates one version."""
    return f"{problem.name}_training"


def feature_store_job(problem: Problem) -> str:
    """The job that applies the feature definitions."""
    return f"{problem.name}_feature_store"


def retraining_sensor(problem: Problem) -> str:
    """The sensor that retrains."""
    return f"{problem.name}_retraining"


def tracking(problem: Problem) -> str:
    """Resource key of the problem's MLflow run."""
    return f"{problem.name}_mlflow"
