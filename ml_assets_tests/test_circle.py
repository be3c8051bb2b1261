"""The whole circle in one process: land, train, register, score, judge, retrain; each step on real parts."""

from collections.abc import Iterator
from typing import get_args

import dagster as dg
import pandas as pd
import pytest
from dagster import DagsterEventType, EventRecordsFilter

from ml_assets.assets import keys
from ml_assets.automation.evaluations import judged_windows
from ml_assets.ml.windows import window_of
from ml_assets.spec import CheckName
from ml_assets_tests.scenario import CUTOFF, WEEKS, Scenario, failure, small_flights

SCORED = ("2013-01-28", "2013-02-04", "2013-02-11")
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def circle(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scenario]:
    """Four weeks landed in one range run, one version trained, three more weeks scored one by one."""
    base = small_flights()
    # The real weeks are judged against limits that they are bound to break: what is tested is what follows.
    strict = base.quality.model_copy(update={"max_bias": 0.01})
    policy = base.retraining.model_copy(update={"cooldown_windows": 2, "checks": ("model_quality",)})
    problem = small_flights(quality=strict, retraining=policy)
    with dg.DagsterInstance.ephemeral() as instance:
        scenario = Scenario(problem, tmp_path_factory.mktemp("circle"), instance)
        for week in (*WEEKS, *SCORED):
            scenario.deliveries.deliver(week)
        assert scenario.run(keys.feature_store_job(problem)).success
        landing = [keys.source(problem, s.name) for s in problem.sources]
        landing += [keys.features(problem, v.name) for v in problem.feature_views]
        landing += [keys.stage(problem, name) for name in ("rows", "labels")] + [keys.online(problem)]
        assert scenario.run_range(keys.landing_job(problem), WEEKS[0], WEEKS[-1], landing).success
        assert scenario.run(keys.training_job(problem), CUTOFF).success
        for week in SCORED:
            assert scenario.run(keys.window_job(problem), week).success
        yield scenario


def _sensor(circle: Scenario) -> dg.SensorResult:
    sensor = circle.defs.resolve_sensor_def(keys.retraining_sensor(circle.problem))
    context = dg.build_sensor_context(
        instance=circle.instance, resources={"ledger": circle.ledger}, definitions=circle.defs
    )
    return sensor(context)


def test_the_first_version_is_promoted_and_named_production(circle: Scenario) -> None:
    [row] = circle.ledger.rows(circle.problem)
    assert (row.action, row.version, row.cutoff) == ("promoted", 1, CUTOFF)
    assert circle.registry.aliases(circle.problem) == {"production": 1}


def test_the_version_tells_where_it_comes_from(circle: Scenario) -> None:
    version = circle.registry.client().get_model_version(circle.problem.name, "1")
    assert {"cutoff", "data_sha256", "code_version", "model_sha256", "seed", "view.weather"} <= set(version.tags)
    assert version.tags["stage"] == "production"


def test_mlflow_holds_one_parent_with_its_trials_the_data_and_a_picture(circle: Scenario) -> None:
    client = circle.registry.client()
    experiment = client.get_experiment_by_name(circle.problem.name)
    runs = client.search_runs([experiment.experiment_id])
    [parent] = [run for run in runs if "mlflow.parentRunId" not in run.data.tags]
    children = [run for run in runs if run.data.tags.get("mlflow.parentRunId") == parent.info.run_id]
    assert len(children) == circle.problem.search.max_trials
    assert all({"rmse", "mae"} <= set(child.data.metrics) for child in children)
    assert parent.info.status == "FINISHED"
    assert parent.inputs.dataset_inputs
    assert "importance.png" in [file.path for file in client.list_artifacts(parent.info.run_id)]


def test_no_row_was_trained_on_or_scored_with_what_was_not_known(circle: Scenario) -> None:
    frames = [pd.read_parquet(circle.lake.stage(circle.problem, "dataset", CUTOFF))]
    frames += [pd.read_parquet(circle.lake.stage(circle.problem, "predictions", w)) for w in SCORED]
    for frame in frames:
        for view in circle.problem.feature_views:
            known = frame[f"{view.name}__known_at"]
            assert known.notna().any()
            assert not (known > frame["event_timestamp"]).any()
    first_prediction = window_of(circle.problem.cadence, CUTOFF).start - pd.Timedelta(hours=2)
    assert (frames[0]["label_known_at"] <= first_prediction).all()


def test_windows_are_scored_by_what_was_production_when_they_began(circle: Scenario) -> None:
    for week in SCORED:
        frame = pd.read_parquet(circle.lake.stage(circle.problem, "predictions", week))
        assert (frame["model_cutoff"] <= week).all()
        assert frame["prediction"].notna().all()


def test_a_window_before_the_first_version_is_not_scored(circle: Scenario) -> None:
    key = keys.stage(circle.problem, "predictions")
    result = circle.run(keys.window_job(circle.problem), WEEKS[0], asset_selection=[key])
    assert "Problem 'flights' had no production version for window 2012-12-31" in failure(result)


def test_online_and_offline_scores_agree(circle: Scenario) -> None:
    problem, week = circle.problem, SCORED[-1]
    now = window_of(problem.cadence, week).end
    rows = pd.read_parquet(circle.lake.stage(problem, "rows", week)).tail(200).assign(event_timestamp=now)
    online = circle.feature_store.online_rows(
        problem, rows, now=now.to_pydatetime() if hasattr(now, "to_pydatetime") else now
    )
    offline = circle.feature_store.training_rows(problem, rows)
    model = circle.registry.load(problem, circle.ledger.version(problem, 1))
    assert offline[list(problem.features)].notna().any().all()
    pd.testing.assert_series_equal(pd.Series(model.predict(online)), pd.Series(model.predict(offline)))


def test_every_judged_window_is_known_by_its_partition(circle: Scenario) -> None:
    judged = judged_windows(circle.instance, circle.problem)
    assert {window.key: failed for window, failed in judged.items()} == {w: ["model_quality"] for w in SCORED}


def test_reports_are_written_as_html_and_json(circle: Scenario) -> None:
    for week in SCORED:
        for kind in ("html", "json"):
            assert circle.reports.path(circle.problem.name, "drift", f"{week}.{kind}").stat().st_size > 1000


def test_failed_checks_lead_to_one_retraining_and_its_version_through_the_gate(circle: Scenario) -> None:
    [request] = _sensor(circle).run_requests
    assert request.partition_key == "2013-02-18"
    assert request.tags[keys.WINDOWS_TAG] == ", ".join(SCORED)
    assert request.tags[keys.CHECKS_TAG] == "model_quality"
    assert request.tags["dagster/max_retries"] == "0"  # retries are the sensor's alone
    [again] = _sensor(circle).run_requests
    assert again.run_key == request.run_key  # which Dagster answers with one run
    assert circle.run(keys.training_job(circle.problem), request.partition_key, tags=request.tags).success
    rows = circle.ledger.rows(circle.problem)
    assert [row.version for row in rows] == [1, 2]
    assert rows[1].cause == request.tags[keys.CAUSE_TAG]
    [production] = [v for stage, v in circle.registry.aliases(circle.problem).items() if stage == "production"]
    assert production == (2 if rows[1].action == "promoted" else 1)
    assert "No window is judged since" in str(_sensor(circle).skip_reason)


def test_the_cause_leads_from_the_failed_check_to_the_run_and_to_the_new_version(circle: Scenario) -> None:
    """After the retraining above."""
    [newest] = circle.instance.fetch_materializations(keys.stage(circle.problem, "registered_version"), limit=1).records
    metadata, run_id = newest.asset_materialization.metadata, newest.event_log_entry.run_id
    assert metadata["failed_checks"].value == "model_quality"
    assert metadata["attempt"].value == 1
    for week in SCORED:
        assert f"/assets/flights/quality?view=partitions&partition={week}" in metadata["bad_windows"].value
        wanted = dg.AssetRecordsFilter(asset_key=keys.stage(circle.problem, "quality"), asset_partitions=[week])
        [seen] = circle.instance.fetch_observations(wanted, limit=5).records
        assert seen.asset_observation.metadata["retraining"].value == run_id
        assert "Retrained for 2013-02-18: version 2" in str(seen.asset_observation.description)


def test_a_range_run_judges_each_window_by_itself(circle: Scenario) -> None:
    judging = [keys.stage(circle.problem, name) for name in ("quality", "drift_report")]
    result = circle.run_range(keys.scoring_job(circle.problem), SCORED[0], SCORED[1], judging)
    assert result.success
    records = circle.instance.get_event_records(EventRecordsFilter(DagsterEventType.ASSET_CHECK_EVALUATION))
    entries = [record.event_log_entry for record in records]
    events = [entry.asset_check_evaluation for entry in entries if entry.run_id == result.run_id]
    by_name = {(e.check_name, e.partition) for e in events if e.partition}
    names = get_args(CheckName)
    assert by_name == {(name, week) for name in names for week in SCORED[:2]}


def test_training_the_same_cutoff_again_gives_the_same_bytes_and_no_new_version(circle: Scenario) -> None:
    folder = circle.lake.model_folder(circle.problem, CUTOFF) / "model"
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    versions = len(circle.ledger.rows(circle.problem))
    assert circle.run(keys.training_job(circle.problem), CUTOFF).success
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before
    assert len(circle.ledger.rows(circle.problem)) == versions
