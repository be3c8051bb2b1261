"""Binary and multiclass problems from their rows to the checks, on real data; windows without rows or labels."""

from collections.abc import Iterator, Mapping
from pathlib import Path

import dagster as dg
import numpy as np
import pandas as pd
import pytest

from ml_assets.assets import keys
from ml_assets.assets.watch_files import baseline_path, read_baseline
from ml_assets.ml.quality.metrics import evaluate
from ml_assets.ml.quality.scores import label_of, read_scores
from ml_assets.ml.windows import window_of
from ml_assets.spec import METRICS, Problem
from ml_assets_tests.ml.real import real
from ml_assets_tests.scenario import Scenario, failure

pytestmark = pytest.mark.slow
DAYS = tuple(f"2024-01-{day:02d}" for day in range(1, 11))
CUTOFF, SCORED, UNLABELLED, EMPTY, ODD = DAYS[6], DAYS[6], DAYS[7], DAYS[8], DAYS[9]
DATA = {"tumours": "breast_cancer", "digits": "digits"}


def declared(name: str) -> Problem:
    """A problem whose rows bring their features along."""
    data = real(DATA[name])
    columns = {**dict.fromkeys(data.features, "float64"), "place": "string", "id": "int64", "at": "timestamp"}
    label_type = "string" if data.task == "multiclass" else "float64"
    return Problem.model_validate(
        {
            "name": name,
            "task": data.task,
            "metric": "auc" if name == "tumours" else None,
            "cadence": {"kind": "daily", "start": "2024-01-01"},
            "sources": [{"name": "measured", "columns": {**columns, "y": label_type}, "event_time": "at"}],
            "rows": {"key": ["id"], "features": {**data.features, "place": "string"}},
            "label": {"name": "y"},
            "search": {"max_trials": 2, "max_rounds": 15, "threads": 1},
            "promotion": {"min_gain": 0.01},
            "quality": {"min_rows": 20, "max_ratio": 3},
            "drift": {"min_rows": 20, "ignore": ["place"]},
        }
    )


def write_history(scenario: Scenario) -> None:
    """Rows and labels of all days in the lake, as landing leaves them: one without labels yet, one without rows."""
    problem, data = scenario.problem, real(DATA[scenario.problem.name])
    whole = pd.concat([data.train, data.validation, data.test], ignore_index=True)
    whole = whole.assign(id=range(len(whole)), place=np.where(np.arange(len(whole)) % 2, "here", "there"))
    for number, part in enumerate(np.array_split(np.arange(len(whole)), 8)):
        day, rows = DAYS[number], whole.iloc[part].reset_index(drop=True)
        start = pd.Timestamp(window_of(problem.cadence, day).start)
        at = (start + pd.to_timedelta(np.arange(len(rows)), unit="s")).as_unit("us")
        if day in (SCORED, UNLABELLED):
            rows["place"] = ["elsewhere", *rows["place"][1:]]
        lake = scenario.lake
        lake.write(lake.stage(problem, "rows", day), rows.drop(columns="y").assign(event_timestamp=at))
        if day != UNLABELLED:
            lake.write(lake.stage(problem, "labels", day), rows[["id", "y"]].assign(known_at=at))
        lake.write(lake.stage(problem, "rows", EMPTY), rows.drop(columns="y").assign(event_timestamp=at).iloc[:0])
        lake.write(lake.stage(problem, "labels", EMPTY), rows[["id", "y"]].assign(known_at=at).iloc[:0])


def judge(scenario: Scenario, day: str, *stages: str) -> dg.ExecuteInProcessResult:
    selection = [keys.stage(scenario.problem, stage) for stage in stages]
    return scenario.run(keys.scoring_job(scenario.problem), day, asset_selection=selection)


def metadata(result: dg.ExecuteInProcessResult, scenario: Scenario, stage: str) -> Mapping[str, object]:
    [event] = result.asset_materializations_for_node(f"{scenario.problem.name}__{stage}")
    return {name: value.value for name, value in event.metadata.items()}


def checks(result: dg.ExecuteInProcessResult) -> dict[str, tuple[bool, str | None]]:
    return {each.check_name: (each.passed, each.description) for each in result.get_asset_check_evaluations()}


@pytest.fixture(scope="module", params=list(DATA))
def trained(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scenario]:
    """One version, trained on the first six days."""
    with dg.DagsterInstance.ephemeral() as instance:
        scenario = Scenario(declared(request.param), tmp_path_factory.mktemp(request.param), instance)
        write_history(scenario)
        result = scenario.run(keys.training_job(scenario.problem), CUTOFF)
        assert result.success, failure(result)
        yield scenario


@pytest.fixture(scope="module")
def scored(trained: Scenario) -> dg.ExecuteInProcessResult:
    result = judge(trained, SCORED, "predictions", "quality", "drift_report")
    assert result.success, failure(result)
    return result


def test_the_version_is_promoted_over_the_frequencies_by_the_metric_of_the_problem(trained: Scenario) -> None:
    [row] = trained.ledger.rows(trained.problem)
    assert row.action == "promoted"
    assert row.reason.startswith(f"better: {trained.problem.promotion.metric} ")
    assert "of the validation rows" in row.reason
    assert {f"test_{metric}" for metric in METRICS[trained.problem.task]} <= set(row.numbers)
    assert row.numbers["gain"] == pytest.approx(1 - row.numbers["challenger_error"] / row.numbers["champion_error"])


def test_mlflow_has_the_metrics_of_the_task_on_the_run_its_trials_and_the_version(trained: Scenario) -> None:
    client, metrics = trained.registry.client(), set(METRICS[trained.problem.task])
    runs = client.search_runs([client.get_experiment_by_name(trained.problem.name).experiment_id])
    [parent] = [run for run in runs if "mlflow.parentRunId" not in run.data.tags]
    assert {f"test_{metric}" for metric in metrics} <= set(parent.data.metrics)
    for child in runs:
        if child is not parent:
            assert metrics | {"loss"} <= set(child.data.metrics)
    version = client.get_model_version(trained.problem.name, "1")
    assert {f"test_{metric}" for metric in metrics} <= set(version.tags)


def test_mlflow_serves_what_the_platform_predicts(trained: Scenario, scored: dg.ExecuteInProcessResult) -> None:
    import mlflow

    frame = pd.read_parquet(trained.lake.stage(trained.problem, "predictions", SCORED))
    location = trained.ledger.version(trained.problem, 1).model_location
    served = mlflow.pyfunc.load_model(location).predict(frame[list(trained.problem.features)])
    columns = served if isinstance(served, pd.DataFrame) else served.to_frame()
    pd.testing.assert_frame_equal(columns, frame[list(columns.columns)], check_names=False)


def test_predictions_tell_what_was_predicted_and_which_categories_were_new(
    trained: Scenario, scored: dg.ExecuteInProcessResult
) -> None:
    frame = pd.read_parquet(trained.lake.stage(trained.problem, "predictions", SCORED))
    about = metadata(scored, trained, "predictions")
    assert about["dagster/row_count"] == len(frame) > 0
    assert about["unseen_categories"] == 1
    assert about["unseen_categories_by_feature"] == {"place": 1}
    if trained.problem.task == "binary":
        assert about["mean_prediction"] == pytest.approx(frame["prediction"].mean())
    else:
        assert about["predicted_share_class 3"] == pytest.approx((frame["prediction"] == "class 3").mean())


def test_quality_is_the_metrics_of_the_labelled_rows(trained: Scenario, scored: dg.ExecuteInProcessResult) -> None:
    problem = trained.problem
    frame = pd.read_parquet(trained.lake.stage(problem, "predictions", SCORED))
    labels = pd.read_parquet(trained.lake.stage(problem, "labels", SCORED))
    joined = frame.merge(labels.drop(columns="known_at"), on="id")
    expected = evaluate(label_of(problem.task, joined["y"]), read_scores(problem.task, joined))
    about = metadata(scored, trained, "quality")
    assert {name: about[name] for name in expected.as_dict()} == pytest.approx(expected.as_dict())
    held_out = trained.ledger.version(problem, 1).numbers[f"test_{problem.quality.metric}"]
    error = 1 - held_out if problem.quality.metric == "auc" else held_out
    assert about["error_ratio"] == pytest.approx(expected.error(problem.quality.metric) / error)
    assert ("confusion" in about) == (problem.task == "multiclass")
    assert ("calibration" in about) == (problem.task == "binary")
    passed, text = checks(scored)["model_quality"]
    assert passed == (about["error_ratio"] <= 3)  # type: ignore[operator]
    assert text
    assert problem.quality.metric in text


def test_drift_of_predictions_and_labels_is_judged_as_the_task_needs(
    trained: Scenario, scored: dg.ExecuteInProcessResult
) -> None:
    text = {name: str(description) for name, (_, description) in checks(scored).items()}
    assert "features drifted" in text["data_drift"]
    assert text["target_drift"].startswith("jensenshannon")
    assert text["prediction_drift"].startswith("jensenshannon" if trained.problem.task == "multiclass" else "wass")


def test_a_window_whose_labels_come_late_is_scored_and_reported_but_its_quality_waits(trained: Scenario) -> None:
    result = judge(trained, UNLABELLED, "predictions", "drift_report")
    assert result.success, failure(result)
    verdicts = checks(result)
    assert verdicts["target_drift"] == (True, "Not judged: no label is known yet.")
    assert "features drifted" in str(verdicts["data_drift"][1])
    assert "NotLandedError" in failure(judge(trained, UNLABELLED, "quality"))


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        (5, "Not judged: 5 labels < 20."),
        (None, "Not judged: auc is undefined, since all {n} labelled rows have the same"),
    ],
    ids=["few-labels", "one-class"],
)
def test_what_few_labels_or_one_class_cannot_tell_is_not_judged(trained: Scenario, rows: int | None, said: str) -> None:
    problem, lake = trained.problem, trained.lake
    labels = pd.read_parquet(lake.stage(problem, "labels", SCORED))
    lake.write(lake.stage(problem, "rows", ODD), pd.read_parquet(lake.stage(problem, "rows", SCORED)))
    lake.write(lake.stage(problem, "labels", ODD), labels.head(rows or len(labels)).assign(y=labels["y"].iloc[0]))
    result = judge(trained, ODD, "predictions", "quality", "drift_report")
    assert result.success, failure(result)
    passed, text = checks(result)["model_quality"]
    if rows is None and problem.quality.metric == "logloss":
        assert "Not judged" not in str(text)  # a log loss needs no second class
    else:
        assert passed
        assert str(text).startswith(said.format(n=len(labels)))


def test_a_bias_beyond_the_limit_fails_where_a_limit_is_declared(trained: Scenario) -> None:
    problem = trained.problem
    strict = problem.quality.model_copy(update={"max_bias": 1e-6})
    with dg.DagsterInstance.ephemeral() as instance:
        scenario = Scenario(problem.model_copy(update={"quality": strict}), trained.home, instance)
        result = judge(scenario, SCORED, "predictions", "quality")
        assert result.success, failure(result)
        passed, text = checks(result)["model_quality"]
    if problem.task == "binary":
        assert not passed
        assert "beyond 1e-06" in str(text)
    else:
        assert "bias" not in str(text)  # classes have none


def test_a_version_s_baseline_is_kept_with_it_and_made_again_where_it_is_lost_or_of_another_declaration(
    trained: Scenario,
) -> None:
    problem, lake = trained.problem, trained.lake
    path = baseline_path(problem, CUTOFF, lake)
    kept = path.read_bytes()
    path.unlink()
    found = read_baseline(problem, CUTOFF, lake)
    assert path.read_bytes() == kept
    assert max(found.importance.values()) > 0
    assert found.noise["place"].distances
    path.write_bytes(kept.replace(b'{"curve"', b'["curve"', 1))
    assert read_baseline(problem, CUTOFF, lake).to_json() == found.to_json()
    seasonal = problem.model_copy(update={"drift": problem.drift.model_copy(update={"seasonal": ("place",)})})
    assert read_baseline(seasonal, CUTOFF, lake).seasons
    assert path.read_bytes() != kept


def test_small_windows_are_judged_together_from_their_summaries_without_their_rows(
    trained: Scenario, scored: dg.ExecuteInProcessResult
) -> None:
    two = trained.problem.drift.model_copy(update={"over_windows": 2})
    with dg.DagsterInstance.ephemeral() as instance:
        scenario = Scenario(trained.problem.model_copy(update={"drift": two}), trained.home, instance)
        rows = scenario.lake.stage(trained.problem, "predictions", SCORED)
        away = rows.rename(rows.with_suffix(".away"))
        result = judge(scenario, UNLABELLED, "predictions", "drift_report")
        away.rename(rows)
        assert result.success, failure(result)
        about, alone = metadata(result, scenario, "drift_report"), metadata(result, scenario, "predictions")
    assert about["windows_together"] == 2
    assert (
        about["dagster/row_count"]
        == alone["dagster/row_count"] + metadata(scored, trained, "predictions")["dagster/row_count"]
    )  # type: ignore[operator]


def test_a_window_without_rows_is_scored_and_judged_as_such(trained: Scenario) -> None:
    stale = Path(trained.reports.path(trained.problem.name, "drift", f"{EMPTY}.html"))
    stale.write_text("of rows that were there before")
    result = judge(trained, EMPTY, "predictions", "quality", "drift_report")
    assert result.success, failure(result)
    names = ("data_drift", "prediction_drift", "target_drift", "data_quality", "expected_quality", "model_quality")
    assert checks(result) == dict.fromkeys(names, (True, "Not judged: the window has no rows."))
    assert metadata(result, trained, "predictions")["dagster/row_count"] == 0
    assert metadata(result, trained, "drift_report")["dagster/row_count"] == 0
    assert metadata(result, trained, "quality")["rows"] == 0
    assert not stale.exists()


def test_a_version_of_a_former_task_is_not_asked_for_another(trained: Scenario) -> None:
    former = trained.problem
    other = "multiclass" if former.task == "binary" else "binary"
    problem = Problem.model_validate(
        {
            **declared(former.name).model_dump(exclude_unset=True),
            "task": other,
            "metric": None,
            "search": {},
            "promotion": {},
            "quality": {},
        }
    )
    with dg.DagsterInstance.ephemeral() as instance:
        changed = Scenario(problem, trained.home, instance)
        assert "no longer says. Train a version" in failure(judge(changed, SCORED, "predictions"))
