"""What is particular to scikit-learn's histogram gradient boosting: its private sides, its categories, its parameters."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.ensemble import HistGradientBoostingRegressor

from ml_assets.errors import TooManyCategoriesError
from ml_assets.ml.search.checks import problems_of_search
from ml_assets.ml.training.fitting import prepare, train_trial
from ml_assets.ml.training.watch import Watch
from ml_assets.spec import Search, Task
from ml_assets_tests.ml.estimators.kinds import TRAIN, VALIDATION, found, spec
from ml_assets_tests.ml.small_search import FEATURES

KIND = "hist_gradient_boosting"


def test_it_asks_after_every_round_and_trains_no_round_more(tmp_path: Path) -> None:
    given = spec(KIND, early_stopping_rounds=None, max_rounds=7)
    watch = Watch(given)
    _, fitted = train_trial(prepare(TRAIN, VALIDATION, FEATURES, "y", given, "regression"), given, {}, 0, watch)
    assert len(watch.least) == len(fitted._predictors) == fitted.n_iter_ == 7


def test_what_is_asked_is_the_loss_of_the_validation_rows_after_that_round(tmp_path: Path) -> None:
    given = spec(KIND, early_stopping_rounds=None, max_rounds=5)
    data = prepare(TRAIN, VALIDATION, FEATURES, "y", given, "regression")
    watch = Watch(given)
    train_trial(data, given, {}, 0, watch)
    for rounds in (1, 3, 5):
        trial, _ = train_trial(data, given.model_copy(update={"max_rounds": rounds}), {}, 0)
        assert watch.least[rounds - 1] == pytest.approx(trial.metrics["rmse"], rel=1e-12)


def test_it_is_scikit_learns_own_estimator_with_the_same_parameters(tmp_path: Path) -> None:
    model = found(KIND, tmp_path, trials=1, early_stopping_rounds=None).model
    params = dict(model.params)
    theirs = HistGradientBoostingRegressor(
        **params, max_iter=30, early_stopping=False, categorical_features=[list(FEATURES).index("kind")]
    )
    theirs.fit(model.encoder.transform(TRAIN), TRAIN["y"])
    assert type(model.fitted) is HistGradientBoostingRegressor
    np.testing.assert_array_equal(theirs.predict(model.encoder.transform(VALIDATION)), model.predict(VALIDATION))


def test_its_importance_is_the_gain_of_the_features_that_matter(tmp_path: Path) -> None:
    shares = found(KIND, tmp_path, trials=1).model.importance()
    assert list(shares)[:2] == ["x", "kind"]
    assert shares["noise"] < 0.05
    assert sum(shares.values()) == pytest.approx(1)


def test_more_categories_than_bins_are_refused_by_name(tmp_path: Path) -> None:
    train = TRAIN.assign(kind=[f"k{place % 300}" for place in range(len(TRAIN))])
    with pytest.raises(TooManyCategoriesError, match=r"'kind' has 300 .*255"):
        found(KIND, tmp_path, train=train)


def test_a_category_that_training_never_saw_counts_as_missing(tmp_path: Path) -> None:
    model = found(KIND, tmp_path, trials=1).model
    new, missing = (VALIDATION.assign(kind=value) for value in ("never seen", None))
    np.testing.assert_array_equal(model.predict(new), model.predict(missing))


@pytest.mark.parametrize("task", ["regression", "binary", "multiclass"])
def test_its_default_search_passes_the_check(task: Task) -> None:
    search = Search(estimator=KIND, loss="rmse" if task == "regression" else "logloss")
    assert set(search.space) >= {"max_leaf_nodes", "learning_rate"}
    assert problems_of_search(search, task, FEATURES) == []


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        pytest.param(
            {"space": {"eta": {"kind": "uniform", "low": 0.1, "high": 0.2}}},
            "`search.space.eta`: HistGradientBoosting does not know it",
            id="of-xgboost",
        ),
        pytest.param({"fixed": {"l2_regularisation": 1}}, "did you mean `l2_regularization`?", id="misspelled"),
        pytest.param(
            {"space": {"max_depth": {"kind": "uniform", "low": 2, "high": 7}}},
            "takes whole numbers, uniform draws 3.85; use kind integer",
            id="not-whole",
        ),
        pytest.param(
            {"fixed": {"max_bins": 300}}, "`search.fixed.max_bins`: HistGradientBoosting refuses 300", id="far"
        ),
        pytest.param({"fixed": {"loss": "log_loss"}}, "'log_loss' does not fit task regression; use one of", id="loss"),
        pytest.param({"fixed": {"max_iter": 3}}, "sets it itself, from `search.max_rounds`", id="rounds"),
        pytest.param({"fixed": {"random_state": 3}}, "sets it itself, from `search.seed`", id="seed"),
    ],
)
def test_a_wrong_parameter_is_named_before_any_trial(changes: dict[str, Any], said: str) -> None:
    [problem] = problems_of_search(spec(KIND, **{"space": {}, **changes}), "regression", FEATURES)
    assert said in problem


def test_a_loss_that_refuses_these_labels_fails_its_trial_and_the_search_goes_on(tmp_path: Path) -> None:
    space = {"loss": {"kind": "choice", "values": ["squared_error", "poisson"]}}
    result = found(KIND, tmp_path, trials=6, space=space)
    by_loss = {trial.params["loss"]: trial for trial in result.trials}
    assert by_loss["squared_error"].status == "ok"
    assert by_loss["poisson"].status == "failed"
    assert "poisson" in by_loss["poisson"].message.lower() or "positive" in by_loss["poisson"].message


def test_several_threads_give_the_same_bytes_every_time(tmp_path: Path) -> None:
    many = pd.concat([TRAIN] * 4, ignore_index=True)
    one, two = (found(KIND, tmp_path, log=name, trials=1, train=many, threads=2) for name in ("one", "two"))
    assert one.model.to_files() == two.model.to_files()
