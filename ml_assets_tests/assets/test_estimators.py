"""Problems that declare other estimators than XGBoost, from deliveries to predictions, through the real assets."""

from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import numpy as np
import pandas as pd
import pytest

from ml_assets.assets import keys
from ml_assets.resources.registry import _load
from ml_assets.resources.tracking import STATUS
from ml_assets.spec import Problem
from ml_assets_tests.assets.visits import CUTOFF, DAYS, declared, deliver, landed, require
from ml_assets_tests.ml.estimators.kinds import OWN, place
from ml_assets_tests.scenario import Scenario, failure

pytestmark = pytest.mark.slow
LATER = "2024-01-08"


def with_estimator(problem: Problem, name: str, **changes: object) -> Problem:
    """The problem with another search."""
    search = {"estimator": name, "max_trials": 2, "max_rounds": 40, "threads": 1, **changes}
    return Problem.model_validate({**problem.model_dump(exclude_unset=True), "search": search})


@pytest.fixture(scope="module")
def boosted(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scenario]:
    """A version of XGBoost in production, then one of scikit-learn's that meets it at the gate; a day scored by it."""
    home = tmp_path_factory.mktemp("boosted")
    problem = declared()
    with dg.DagsterInstance.ephemeral() as instance:
        first = Scenario(problem, home, instance)
        deliver(first, *DAYS, CUTOFF, LATER)
        require(first.run(keys.feature_store_job(problem)))
        require(first.run_range(keys.landing_job(problem), DAYS[0], LATER, landed(problem)))
        require(first.run(keys.training_job(problem), CUTOFF))
        scenario = Scenario(with_estimator(problem, "hist_gradient_boosting"), home, instance)
        require(scenario.run(keys.training_job(problem), LATER))
        require(scenario.run(keys.scoring_job(problem), LATER, asset_selection=[keys.stage(problem, "predictions")]))
        yield scenario


def test_a_challenger_of_another_estimator_is_compared_with_the_champion(boosted: Scenario) -> None:
    champion, challenger = boosted.ledger.rows(boosted.problem)
    assert (champion.action, challenger.action) == ("promoted", "promoted")
    assert "version 1" in challenger.reason
    assert challenger.numbers["gain"] > 0
    models = [boosted.registry.load(boosted.problem, row).estimator.reference for row in (champion, challenger)]
    assert models == ["xgboost", "hist_gradient_boosting"]


def test_its_search_begins_without_the_other_estimators_parameters(boosted: Scenario) -> None:
    event = boosted.instance.get_latest_materialization_event(keys.stage(boosted.problem, "tuned_model"))
    assert event is not None
    about = {name: value.value for name, value in event.asset_materialization.metadata.items()}  # type: ignore[union-attr]
    assert (about["trials"], about["trials_given"]) == (2, 0)
    assert set(about["best_params"]) == set(boosted.problem.search.space)  # type: ignore[arg-type]


def test_its_version_carries_a_card_with_importance_a_signature_and_a_hash(boosted: Scenario) -> None:
    import mlflow

    client = boosted.registry.client()
    version = client.get_model_version(boosted.problem.name, "2")
    card = Path(client.download_artifacts(version.run_id, "model_card/model_card.md")).read_text()
    assert "![importance](importance.png)" in card
    assert "learning_rate" in card
    row = boosted.ledger.version(boosted.problem, 2)
    assert version.tags["model_sha256"] == row.model_sha256
    assert version.tags["estimator"] == "hist_gradient_boosting"
    assert mlflow.models.Model.load(row.model_location.removeprefix("file://")).signature is not None


def test_its_predictions_are_those_that_mlflow_serves(boosted: Scenario) -> None:
    import mlflow

    frame = pd.read_parquet(boosted.lake.stage(boosted.problem, "predictions", LATER))
    assert set(frame["model_version"]) == {2}
    location = boosted.ledger.version(boosted.problem, 2).model_location
    served = mlflow.pyfunc.load_model(location).predict(frame[list(boosted.problem.features)])
    np.testing.assert_array_equal(served, frame["prediction"])


def test_an_altered_file_of_it_is_refused_when_a_window_is_scored(boosted: Scenario) -> None:
    location = Path(boosted.ledger.version(boosted.problem, 2).model_location.removeprefix("file://"))
    [file] = location.rglob("model.skops")
    whole = file.read_bytes()
    try:
        file.write_bytes(whole[:-1] + b"\x01")
        _load.cache_clear()  # as another process, which has not read it yet
        selection = [keys.stage(boosted.problem, "predictions")]
        with dg.DagsterInstance.ephemeral() as instance:
            scenario = Scenario(boosted.problem, boosted.home, instance)
            result = scenario.run(keys.scoring_job(boosted.problem), LATER, asset_selection=selection)
        [error] = [event.step_failure_data.error for event in result.all_events if event.is_step_failure]
        assert "AlteredModelError: Model 'visits_model' version 2 was altered" in error.to_string()
        assert "model.skops is not the file" in failure(result)
    finally:
        file.write_bytes(whole)


def test_if_all_trials_fail_the_asset_fails_and_says_why_and_mlflow_has_them(boosted: Scenario) -> None:
    hopeless = with_estimator(boosted.problem, "hist_gradient_boosting", seed=5, trial_timeout_s=1e-9, max_trials=3)
    with dg.DagsterInstance.ephemeral() as instance:
        scenario = Scenario(hopeless, boosted.home, instance)
        result = scenario.run(keys.training_job(hopeless), LATER, asset_selection=[keys.stage(hopeless, "tuned_model")])
    said = failure(result)
    assert "All 3 trials of the search failed; the first: it took over 1e-09 s (`search.trial_timeout_s`)" in said
    client = boosted.registry.client()
    experiment = client.get_experiment_by_name(hopeless.name)
    failed = client.search_runs([experiment.experiment_id], "attributes.status = 'FAILED'")
    statuses = [run.data.tags.get(STATUS) for run in failed]
    assert sorted(map(str, statuses)) == ["None", *["timed_out"] * 3]  # the search's own run, and its trials'
    assert len(boosted.ledger.rows(hopeless)) == 2  # production is who it was


def test_a_problem_on_an_estimator_of_its_own_is_trained_scored_and_served(tmp_path: Path) -> None:
    import mlflow

    space = {"step": {"kind": "loguniform", "low": 0.05, "high": 0.5}}
    problem = with_estimator(declared(), OWN, space=space).in_folder(place(tmp_path / "declared"))
    with dg.DagsterInstance.ephemeral() as instance:
        scenario = Scenario(problem, tmp_path, instance)
        deliver(scenario, *DAYS, CUTOFF)
        require(scenario.run(keys.feature_store_job(problem)))
        require(scenario.run_range(keys.landing_job(problem), DAYS[0], CUTOFF, landed(problem)))
        require(scenario.run(keys.training_job(problem), CUTOFF))
        require(scenario.run(keys.scoring_job(problem), CUTOFF, asset_selection=[keys.stage(problem, "predictions")]))
        [row] = scenario.ledger.rows(problem)
        assert row.action == "promoted"
        frame = pd.read_parquet(scenario.lake.stage(problem, "predictions", CUTOFF))
        served = mlflow.pyfunc.load_model(row.model_location).predict(frame[list(problem.features)])
        np.testing.assert_array_equal(served, frame["prediction"])
