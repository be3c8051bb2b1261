"""One declaration becomes one lineage graph: assets, checks, jobs, sensors, schedule. Nothing else knows them all."""

import dagster as dg

from ml_assets.alerts.sensor import build_alert_sensor
from ml_assets.assets import keys, partitions
from ml_assets.assets.dataset import build_dataset
from ml_assets.assets.drift_report import build_drift_report
from ml_assets.assets.feature_set import landing_assets, store_assets
from ml_assets.assets.features import build_labels, build_rows
from ml_assets.assets.jobs import asset_job
from ml_assets.assets.lifecycle_jobs import build_lifecycle_jobs
from ml_assets.assets.overview import build_overview
from ml_assets.assets.predictions import build_predictions
from ml_assets.assets.quality import build_quality
from ml_assets.assets.registered_version import build_registered_version
from ml_assets.assets.tuned_model import build_tuned_model
from ml_assets.automation.following import build_following_sensor
from ml_assets.automation.refreshing import build_overview_sensor
from ml_assets.automation.retraining import build_retraining_sensor
from ml_assets.automation.schedule import build_window_schedule
from ml_assets.resources.tracking import mlflow_run
from ml_assets.spec import Problem


def build_problem_defs(problem: Problem) -> dg.Definitions:
    """All definitions of a problem, from its declaration alone.

    On shared feature views (`features_from`), sources and features are built by those, and a sensor follows their
    landing; otherwise a schedule lands them. Labels that come late are judged by a job of their own.
    """
    own, late = problem.features_from is None, problem.label.lookahead_days > 0
    windows, cutoffs = partitions.windows(problem), partitions.cutoffs(problem)
    rows, labels, quality = build_rows(problem), build_labels(problem), build_quality(problem)
    drift = build_drift_report(problem)
    landing = [*(landing_assets(problem) if own else []), rows, *([] if late else [labels])]
    scoring = [build_predictions(problem), *([] if late else [quality]), drift]
    training = [build_dataset(problem), build_tuned_model(problem), build_registered_version(problem)]
    store = store_assets(problem) if own else []

    names = "Lands, scores and judges" if own else "Scores and judges"
    window_job = asset_job(keys.window_job(problem), landing + scoring, f"{names} one window.", problem, windows)
    text = "Trains, registers and gates one version."
    training_job = asset_job(keys.training_job(problem), training, text, problem, cutoffs)
    text = "Lands one window: what needs no model."
    jobs = [window_job, training_job, asset_job(keys.landing_job(problem), landing, text, problem, windows)]
    text = "Scores and judges one landed window."
    jobs.append(asset_job(keys.scoring_job(problem), scoring, text, problem, windows))
    if late:
        text = "Judges one scored window whose labels have come in."
        jobs.append(asset_job(keys.judging_job(problem), [labels, quality, drift], text, problem, windows))
    if store:
        text = "Applies the feature definitions to Feast."
        jobs.append(asset_job(keys.feature_store_job(problem), store, text, problem))
    sensors = [build_retraining_sensor(problem, training_job), build_overview_sensor(problem)]
    if late or not own:
        sensors.append(build_following_sensor(problem, jobs))
    if problem.alerts.receivers:
        sensors.append(build_alert_sensor(problem))
    return dg.Definitions(
        assets=[*landing, *store, *scoring, *training, *([labels, quality] if late else []), build_overview(problem)],
        jobs=[*jobs, *build_lifecycle_jobs(problem)],
        sensors=sensors,
        schedules=[build_window_schedule(problem.cadence, window_job)] if own else [],
        resources={keys.tracking(problem): mlflow_run(problem.name)},
    )
