"""One declaration becomes one lineage graph: assets, checks, jobs, sensor, schedule. Nothing else knows them all."""

import dagster as dg

from ml_assets.assets import keys, partitions
from ml_assets.assets.dataset import build_dataset
from ml_assets.assets.drift_report import build_drift_report
from ml_assets.assets.feature_store import build_feature_store, build_online_features
from ml_assets.assets.features import build_features, build_labels, build_rows
from ml_assets.assets.predictions import build_predictions
from ml_assets.assets.quality import build_quality
from ml_assets.assets.registered_version import build_registered_version
from ml_assets.assets.sources import build_sources
from ml_assets.assets.tuned_model import build_tuned_model
from ml_assets.automation.retraining import build_retraining_sensor
from ml_assets.automation.schedule import build_window_schedule
from ml_assets.resources.tracking import mlflow_run
from ml_assets.spec import Problem

BY_WINDOW = (
    build_sources,
    build_features,
    build_rows,
    build_labels,
    build_online_features,
    build_predictions,
    build_quality,
    build_drift_report,
)
BY_CUTOFF = (build_dataset, build_tuned_model, build_registered_version)


def build_problem_defs(problem: Problem) -> dg.Definitions:
    """All definitions of a problem, from its declaration alone."""
    tags = {keys.PROBLEM_TAG: problem.name}
    by_window = [build(problem) for build in BY_WINDOW]
    by_cutoff = [build(problem) for build in BY_CUTOFF]
    store = build_feature_store(problem)
    window_job = dg.define_asset_job(
        keys.window_job(problem),
        selection=dg.AssetSelection.assets(*by_window),
        partitions_def=partitions.windows(problem),
        description="Lands, scores and judges one window.",
        tags=tags,
    )
    training_job = dg.define_asset_job(
        keys.training_job(problem),
        selection=dg.AssetSelection.assets(*by_cutoff),
        partitions_def=partitions.cutoffs(problem),
        description="Trains, registers and gates the version of one cutoff.",
        tags=tags,
    )
    store_job = dg.define_asset_job(
        keys.feature_store_job(problem),
        selection=dg.AssetSelection.assets(store),
        description="Applies the feature definitions to the Feast registry.",
        tags=tags,
    )
    return dg.Definitions(
        assets=[*by_window, store, *by_cutoff],
        jobs=[window_job, training_job, store_job],
        sensors=[build_retraining_sensor(problem, training_job)],
        schedules=[build_window_schedule(problem, window_job)],
        resources={keys.tracking(problem): mlflow_run(problem.name)},
    )
