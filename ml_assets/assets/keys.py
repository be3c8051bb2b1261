"""Builds every asset key, job name and tag of a problem. No other file spells one out."""

import dagster as dg

from ml_assets.spec import FeatureSet, Problem

CAUSE_TAG = "ml_assets/cause"
CAUSE_ID_TAG = "ml_assets/cause_id"
ATTEMPT_TAG = "ml_assets/attempt"
WINDOWS_TAG = "ml_assets/bad_windows"
CHECKS_TAG = "ml_assets/failed_checks"
PROBLEM_TAG = "ml_assets/problem"


def source(features: FeatureSet, name: str) -> dg.AssetKey:
    """Raw rows of a source."""
    return dg.AssetKey([features.feature_group, "sources", name])


def features(features: FeatureSet, view: str) -> dg.AssetKey:
    """Rows of a feature view."""
    return dg.AssetKey([features.feature_group, "features", view])


def store(features: FeatureSet) -> dg.AssetKey:
    """The Feast registry of a feature set."""
    return dg.AssetKey([features.feature_group, "feature_store"])


def online(features: FeatureSet) -> dg.AssetKey:
    """The online store of a feature set."""
    return dg.AssetKey([features.feature_group, "online_features"])


def stage(problem: Problem, name: str) -> dg.AssetKey:
    """A stage that a problem has once: rows, labels, dataset, tuned_model, registered_version, predictions,
    quality, drift_report, overview."""
    return dg.AssetKey([problem.name, name])


def stage_of_check(check: str) -> str:
    """The stage that a watched check hangs on."""
    return "quality" if check == "model_quality" else "drift_report"


def window_job(problem: Problem) -> str:
    """The job that lands, scores and judges one window."""
    return f"{problem.name}_window"


def landing_job(features: FeatureSet) -> str:
    """The job that lands one window: sources, features and, of a problem with features of its own, rows and labels."""
    return f"{features.name}_landing"


def scoring_job(problem: Problem) -> str:
    """The job that scores and judges one landed window."""
    return f"{problem.name}_scoring"


def training_job(problem: Problem) -> str:
    """The job that trains, registers and gates one version."""
    return f"{problem.name}_training"


def judging_job(problem: Problem) -> str:
    """The job that judges one scored window whose labels have come in late."""
    return f"{problem.name}_judging"


def promote_job(problem: Problem) -> str:
    """The job that promotes a version by hand."""
    return f"{problem.name}_promote"


def rollback_job(problem: Problem) -> str:
    """The job that returns to a version that was production before."""
    return f"{problem.name}_rollback"


def history_job(problem: Problem) -> str:
    """The job that shows the ledger, and mends MLflow's aliases."""
    return f"{problem.name}_history"


def feature_store_job(features: FeatureSet) -> str:
    """The job that applies the feature definitions."""
    return f"{features.name}_feature_store"


def retraining_sensor(problem: Problem) -> str:
    """The sensor that retrains."""
    return f"{problem.name}_retraining"


def following_sensor(problem: Problem) -> str:
    """The sensor that scores and judges what has landed."""
    return f"{problem.name}_following"


def alert_sensor(problem: Problem) -> str:
    """The sensor that tells people."""
    return f"{problem.name}_alerts"


def overview_sensor(problem: Problem) -> str:
    """The sensor that keeps the problem's page up to date."""
    return f"{problem.name}_overview"


def estimator_kind(problem: Problem) -> str:
    """What Dagster's graph shows of the estimator."""
    return {"xgboost": "xgboost", "hist_gradient_boosting": "scikitlearn"}.get(problem.search.estimator, "python")


def tracking(problem: Problem) -> str:
    """Resource key of the problem's MLflow run."""
    return f"{problem.name}_mlflow"
