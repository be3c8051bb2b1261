"""One declaration becomes one lineage graph: assets, checks, jobs, sensor, schedule. Nothing else knows them all."""

from typing import TYPE_CHECKING

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

if TYPE_CHECKING:
    from dagster._core.definitions.unresolved_asset_job_definition import UnresolvedAssetJobDefinition as AssetJob

LANDING = (build_sources, build_features, build_rows, build_labels, build_online_features)
SCORING = (build_predictions, build_quality, build_drift_report)
TRAINING = (build_dataset, build_tuned_model, build_registered_version)


def build_problem_defs(problem: Problem) -> dg.Definitions:
    """All definitions of a problem, from its declaration alone."""
    windows, cutoffs = partitions.windows(problem), partitions.cutoffs(problem)
    store = [build_feature_store(problem)]
    landing = [build(problem) for build in LANDING]
    scoring = [build(problem) for build in SCORING]
    training = [build(problem) for build in TRAINING]

    def job(
        name: str, assets: list[dg.AssetsDefinition], grid: dg.PartitionsDefinition | None, text: str
    ) -> "AssetJob":
        selection = dg.AssetSelection.assets(*assets)
        tags = {keys.PROBLEM_TAG: problem.name}
        return dg.define_asset_job(name, selection, partitions_def=grid, description=text, tags=tags)

    window_job = job(keys.window_job(problem), landing + scoring, windows, "Lands, scores and judges one window.")
    training_job = job(keys.training_job(problem), training, cutoffs, "Trains, registers and gates one version.")
    return dg.Definitions(
        assets=[*landing, *store, *scoring, *training],
        jobs=[
            window_job,
            training_job,
            job(keys.landing_job(problem), landing, windows, "Lands one window: sources, features, rows, labels."),
            job(keys.scoring_job(problem), scoring, windows, "Scores and judges one window."),
            job(keys.feature_store_job(problem), store, None, "Applies the feature definitions to Feast."),
        ],
        sensors=[build_retraining_sensor(problem, training_job)],
        schedules=[build_window_schedule(problem, window_job)],
        resources={keys.tracking(problem): mlflow_run(problem.name)},
    )
