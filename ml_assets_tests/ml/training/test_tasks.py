"""Binary and multiclass models on real data: searched, resumed, saved, loaded, served; the same bytes every time."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import sklearn.metrics as oracle

from ml_assets.errors import (
    ConstantLabelError,
    LabelValuesError,
    ModelFilesError,
    SearchParameterError,
    UnusableLabelError,
)
from ml_assets.ml.quality.metrics import error_of, evaluate
from ml_assets.ml.quality.scores import label_of, read_scores, with_scores
from ml_assets.ml.search.tuning import SearchResult, search
from ml_assets.ml.training.model import Model
from ml_assets.serving.pyfunc import PyfuncModel
from ml_assets.spec import SEARCH_LOSSES, MetricName, Search, Task
from ml_assets_tests.ml.real import RealData, real

NAMES = ("breast_cancer", "wine", "digits")
ALL_LOSSES = [
    pytest.param(name, loss, id=f"{task}-{loss}")
    for name, task in (("diabetes", "regression"), ("breast_cancer", "binary"), ("wine", "multiclass"))
    for loss in SEARCH_LOSSES[task]
]


def run(name: str, log: Path, *, trials: int = 3, loss: MetricName = "logloss", **changes: Any) -> SearchResult:
    data = real(name)
    spec = Search(loss=loss, max_rounds=20, early_stopping_rounds=5, threads=1, seed=5, startup_trials=2)
    arguments: dict[str, Any] = {
        "train": data.train,
        "validation": data.validation,
        "features": data.features,
        "label": "y",
        "spec": spec,
        "trials": trials,
        "log": log,
        "task": data.task,
    } | changes
    return search(arguments.pop("train"), arguments.pop("validation"), **arguments)


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> dict[str, SearchResult]:
    return {name: run(name, tmp_path_factory.mktemp(name) / "log") for name in NAMES}


@pytest.mark.parametrize(("name", "least"), [("breast_cancer", 0.97), ("wine", 0.97), ("digits", 0.97)])
def test_a_model_of_classes_ranks_held_out_rows(found: dict[str, SearchResult], name: str, least: float) -> None:
    data, model = real(name), found[name].model
    metrics = evaluate(label_of(data.task, data.test["y"]), model.scores(data.test))
    assert metrics.value("auc") > least
    assert metrics.rows == len(data.test)


@pytest.mark.parametrize(("name", "loss"), ALL_LOSSES)
def test_every_search_loss_chooses_the_trial_that_is_best_by_it(tmp_path: Path, name: str, loss: MetricName) -> None:
    result = run(name, tmp_path / "log", loss=loss)
    assert all(trial.status == "ok" for trial in result.trials)
    best = result.best
    assert best.loss == min(trial.loss for trial in result.trials if trial.loss is not None)
    score = evaluate(label_of(real(name).task, real(name).validation["y"]), result.model.scores(real(name).validation))
    # XGBoost's area under the precision-recall curve interpolates, and its auc of classes weights them.
    far = 0.02 if loss in ("average_precision", "auc") else 1e-5
    assert best.loss == pytest.approx(score.error(loss), abs=far)
    assert dict(best.metrics) == pytest.approx(dict(score.values), rel=1e-5)


@pytest.mark.parametrize("name", NAMES)
def test_the_same_search_gives_the_same_bytes_and_goes_on_from_its_log(
    tmp_path: Path, found: dict[str, SearchResult], name: str
) -> None:
    run(name, tmp_path / "log", trials=1)
    again = run(name, tmp_path / "log")
    assert [trial.resumed for trial in again.trials] == [True, False, False]
    assert again.trials == found[name].trials
    assert again.model.to_files() == found[name].model.to_files()


@pytest.mark.parametrize("name", NAMES)
def test_a_saved_model_of_classes_is_the_same_when_loaded(
    tmp_path: Path, found: dict[str, SearchResult], name: str
) -> None:
    data, model = real(name), found[name].model
    model.save(tmp_path)
    loaded = Model.load(tmp_path)
    assert (loaded.task, loaded.classes) == (data.task, model.classes)
    np.testing.assert_array_equal(loaded.predict(data.test), model.predict(data.test))
    np.testing.assert_array_equal(loaded.probabilities(data.test), model.probabilities(data.test))
    assert loaded.to_files() == model.to_files()


def test_a_model_of_an_older_format_is_refused_by_name(tmp_path: Path, found: dict[str, SearchResult]) -> None:
    found["wine"].model.save(tmp_path / "old")
    about = json.loads((tmp_path / "old" / "model.json").read_text())
    (tmp_path / "old" / "model.json").write_text(json.dumps(about | {"format": 1}))
    with pytest.raises(ModelFilesError, match="'old' cannot be read: its format is 1, not 3"):
        Model.load(tmp_path / "old")


def test_a_class_is_predicted_by_name_and_its_probabilities_add_up_to_one(found: dict[str, SearchResult]) -> None:
    data, model = real("wine"), found["wine"].model
    assert model.classes == ("class class_0", "class class_1", "class class_2")
    probabilities = model.probabilities(data.test)
    assert probabilities.shape == (len(data.test), 3)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, atol=1e-6)
    predicted = model.predict(data.test)
    assert predicted.tolist() == [model.classes[place] for place in probabilities.argmax(axis=1)]
    assert oracle.accuracy_score(data.test["y"], predicted) > 0.9


@pytest.mark.parametrize("name", NAMES)
def test_one_row_is_predicted_as_in_a_batch_and_no_row_gives_no_prediction(
    found: dict[str, SearchResult], name: str
) -> None:
    data, model = real(name), found[name].model
    whole = model.scores(data.test).values
    for place in range(3):
        np.testing.assert_array_equal(model.scores(data.test.iloc[[place]]).values, whole[[place]])
    assert model.scores(data.test.iloc[:0]).values.shape == (0, *whole.shape[1:])
    assert model.predict(data.test.iloc[:0]).shape == (0,)
    assert model.probabilities(data.test.iloc[:0]).shape == (0, 2 if data.task == "binary" else whole.shape[1])


def test_a_regression_has_no_probabilities(tmp_path: Path) -> None:
    model = run("diabetes", tmp_path / "log", trials=1, loss="rmse").model
    with pytest.raises(ValueError, match="'y' \\(regression\\) has no probabilities"):
        model.probabilities(real("diabetes").test)


def test_scores_survive_the_lake(tmp_path: Path, found: dict[str, SearchResult]) -> None:
    for name in NAMES:
        data, model = real(name), found[name].model
        frame = with_scores(data.test, model.scores(data.test))
        frame.to_parquet(tmp_path / name)
        again = read_scores(data.task, pd.read_parquet(tmp_path / name))
        assert again.classes == model.classes
        np.testing.assert_array_equal(again.values, model.scores(data.test).values)
        assert frame["prediction"].tolist() == model.predict(data.test).tolist()


def test_mlflow_gets_a_series_or_the_probabilities_of_all_classes(found: dict[str, SearchResult]) -> None:
    binary = PyfuncModel(found["breast_cancer"].model).predict(real("breast_cancer").test)
    assert isinstance(binary, pd.Series)
    assert binary.name == "prediction"
    assert binary.between(0, 1).all()
    many = PyfuncModel(found["wine"].model).predict(real("wine").test)
    assert list(many.columns) == ["prediction", *(f"probability:{name}" for name in found["wine"].model.classes)]
    assert many.index.equals(real("wine").test.index)


def test_the_objective_follows_from_the_task_unless_one_is_named(tmp_path: Path) -> None:
    def objective(name: str, loss: MetricName, **fixed: str) -> object:
        spec = Search(space={}, fixed=fixed, loss=loss, max_rounds=3, threads=1)
        return run(name, tmp_path / f"{name}{loss}{fixed}", spec=spec, trials=1).model.params["objective"]

    assert objective("diabetes", "rmse") == "reg:squarederror"
    assert objective("diabetes", "mae") == "reg:absoluteerror"
    assert objective("diabetes", "mae", objective="reg:squarederror") == "reg:squarederror"
    assert objective("breast_cancer", "auc") == "binary:logistic"
    assert objective("wine", "accuracy") == "multi:softprob"


def test_an_objective_of_another_task_is_refused(tmp_path: Path) -> None:
    spec = Search(space={}, fixed={"objective": "reg:squarederror"}, loss="logloss")
    with pytest.raises(SearchParameterError, match="'reg:squarederror' does not fit task binary"):
        run("breast_cancer", tmp_path / "log", spec=spec)
    assert not (tmp_path / "log").exists()


def changed(data: RealData, part: str, labels: object) -> pd.DataFrame:
    frame: pd.DataFrame = getattr(data, part)
    return frame.assign(y=labels)


@pytest.mark.parametrize(
    ("name", "part", "labels", "loss", "error"),
    [
        pytest.param("breast_cancer", "train", 1.0, "logloss", ConstantLabelError, id="one-class"),
        pytest.param("wine", "train", "class class_0", "logloss", ConstantLabelError, id="one-class-of-many"),
        pytest.param("diabetes", "train", 3.0, "rmse", ConstantLabelError, id="constant"),
        pytest.param("breast_cancer", "train", 2.0, "logloss", LabelValuesError, id="constant-and-wrong"),
        pytest.param("breast_cancer", "validation", 2.0, "logloss", LabelValuesError, id="neither-0-nor-1"),
        pytest.param("breast_cancer", "validation", 1.0, "auc", ConstantLabelError, id="nothing-to-rank"),
        pytest.param("wine", "validation", "unknown", "logloss", UnusableLabelError, id="all-unknown"),
    ],
)
def test_labels_that_cannot_be_learned_or_judged_are_named(
    tmp_path: Path, name: str, part: str, labels: object, loss: MetricName, error: type[Exception]
) -> None:
    with pytest.raises(error):
        run(name, tmp_path / "log", loss=loss, **{part: changed(real(name), part, labels)})


def test_validation_rows_of_an_unknown_class_are_left_out_and_counted(tmp_path: Path) -> None:
    data = real("wine")
    validation = data.validation.copy()
    validation.iloc[:5, validation.columns.get_loc("y")] = "class unknown"  # type: ignore[index]
    result = run("wine", tmp_path / "log", validation=validation)
    alone = run("wine", tmp_path / "alone", validation=validation.iloc[5:])
    assert (result.left_out, alone.left_out) == (5, 0)
    assert result.model.to_files() == alone.model.to_files()


def test_one_class_in_the_validation_rows_is_no_obstacle_to_a_log_loss(tmp_path: Path) -> None:
    data = real("breast_cancer")
    result = run("breast_cancer", tmp_path / "log", validation=data.validation[data.validation["y"] == 1])
    assert "auc" not in result.best.metrics
    assert result.best.metrics["logloss"] < 0.5


@pytest.mark.parametrize("kind", ["float", "string"])
def test_a_feature_without_any_value_is_no_obstacle(tmp_path: Path, kind: str) -> None:
    data, task = real("breast_cancer"), "binary"
    nothing = {part: getattr(data, part).assign(nothing=None) for part in ("train", "validation", "test")}
    features = {**data.features, "nothing": kind}
    result = run(
        "breast_cancer",
        tmp_path / "log",
        features=features,
        task=task,
        **{p: nothing[p] for p in ("train", "validation")},
    )
    scores = result.model.scores(nothing["test"])
    assert evaluate(label_of("binary", data.test["y"]), scores).value("auc") > 0.95
    assert result.model.importance()["nothing"] == 0
    if kind == "string":
        seen_now = nothing["test"].assign(nothing="new")
        assert result.model.encoder.unseen_categories(seen_now) == {"nothing": len(seen_now)}
        np.testing.assert_array_equal(result.model.scores(seen_now).values, scores.values)


def test_tasks_do_not_share_a_log(tmp_path: Path) -> None:
    data = real("breast_cancer")
    run("breast_cancer", tmp_path / "log", trials=1)
    spec = Search(loss="rmse", max_rounds=5, threads=1, startup_trials=1)
    task: Task = "regression"
    result = run("breast_cancer", tmp_path / "log", trials=1, task=task, spec=spec)
    assert not result.trials[0].resumed
    assert data.task == "binary"


@pytest.mark.parametrize("loss", ["auc", "average_precision", "accuracy", "logloss"])
def test_early_stopping_keeps_the_round_that_is_best_by_the_loss(tmp_path: Path, loss: MetricName) -> None:
    data = real("digits")
    few = data.train.iloc[::6]  # so few rows that more rounds do not always help
    spec = Search(space={}, fixed={"eta": 1.0}, loss=loss, max_rounds=12, early_stopping_rounds=12, threads=1)
    binary = {
        part: frame.assign(y=(frame["y"] == "class 8") * 1.0)
        for part, frame in (("train", few), ("validation", data.validation))
    }
    result = run("digits", tmp_path / "log", spec=spec, trials=1, task="binary", **binary)
    longer = run(
        "digits", tmp_path / "longer", spec=spec.model_copy(update={"max_rounds": 1}), trials=1, task="binary", **binary
    )
    assert result.model.best_iteration > 0
    assert result.best.loss == pytest.approx(error_of(loss, result.best.metrics[loss]), abs=0.01)
    assert result.best.metrics[loss] != longer.best.metrics[loss]
    assert (result.best.metrics[loss] > longer.best.metrics[loss]) == (loss != "logloss")
