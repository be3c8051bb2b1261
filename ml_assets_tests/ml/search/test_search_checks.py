"""A search that cannot run is refused before any trial, with all its mistakes and what to do about each."""

import re
from typing import Any

import pytest
from pydantic import TypeAdapter

from ml_assets.ml.search.checks import problems_of_search
from ml_assets.spec import Distribution, FeatureType, Search, Task, Uniform

TASKS: tuple[Task, ...] = ("regression", "binary", "multiclass")
LOSSES = {"regression": "rmse", "binary": "logloss", "multiclass": "logloss"}


def declared(task: Task, space: dict[str, Any] | None = None, **fixed: Any) -> Search:
    adapter: TypeAdapter[Distribution] = TypeAdapter(Distribution)
    nodes = {name: adapter.validate_python(each) for name, each in (space or {}).items()}
    return Search(space=nodes, fixed=fixed, loss=LOSSES[task])  # type: ignore[arg-type]


@pytest.mark.parametrize("task", TASKS)
def test_the_default_search_runs_for_every_task(task: Task) -> None:
    assert problems_of_search(Search(loss=LOSSES[task]), task) == []  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "space",
    [
        pytest.param({"max_depth": {"kind": "uniform", "low": 3, "high": 7, "step": 1}}, id="whole-steps"),
        pytest.param({"eta": {"kind": "lognormal", "median": 0.1, "log_std": 0.5}}, id="lognormal"),
        pytest.param({"gamma": {"kind": "normal", "mean": 5, "std": 1}}, id="normal"),
        pytest.param({"grow_policy": {"kind": "choice", "values": ["depthwise", "lossguide"]}}, id="choice"),
        pytest.param({"max_depth": {"kind": "choice", "values": [3, 5]}}, id="whole-choices"),
    ],
)
@pytest.mark.parametrize("task", TASKS)
def test_what_xgboost_takes_passes(task: Task, space: dict[str, Any]) -> None:
    assert problems_of_search(declared(task, space, tree_method="hist", max_bin=64), task) == []


@pytest.mark.parametrize(
    ("space", "said"),
    [
        pytest.param(
            {"max_depth": {"kind": "uniform", "low": 3, "high": 7}},
            "`search.space.max_depth`: XGBoost takes whole numbers, uniform draws 4.48; use kind integer",
            id="wrong-kind",
        ),
        pytest.param(
            {"max_depth": {"kind": "choice", "values": [3, 4.5]}},
            "`search.space.max_depth`: XGBoost refuses 4.5",
            id="half",
        ),
        pytest.param(
            {"max_dept": {"kind": "integer", "low": 3, "high": 7}},
            "`search.space.max_dept`: XGBoost does not know it.*did you mean `max_depth`?",
            id="misspelled",
        ),
        pytest.param(
            {"subsample": {"kind": "uniform", "low": 0.5, "high": 1.5}},
            r"`search.space.subsample`: XGBoost refuses 1.5 \(value 1.5 .* exceed bound \[0,1\]\)",
            id="beyond",
        ),
        pytest.param(
            {"eta": {"kind": "normal", "mean": 0.1, "std": 0.2}}, "eta`: XGBoost refuses -0.3", id="negative-tail"
        ),
        pytest.param(
            {"grow_policy": {"kind": "choice", "values": ["depthwise", "deep"]}},
            "`search.space.grow_policy`: XGBoost refuses deep .*lossguide",
            id="unknown-choice",
        ),
        pytest.param(
            {"eta": {"kind": "uniform", "low": 0.11, "high": 0.19, "step": 0.1}},
            "`search.space.eta`: no multiple of step 0.1 lies between 0.11 and 0.19; take a smaller `step`",
            id="no-step",
        ),
        pytest.param(
            {"max_bin": {"kind": "integer", "low": 32, "high": 64}}, "max_bin`.* put it under `search.fixed`", id="bins"
        ),
    ],
)
def test_a_space_that_xgboost_cannot_take_says_which_parameter_and_what_to_do(space: dict[str, Any], said: str) -> None:
    [problem] = problems_of_search(declared("binary", space), "binary")
    assert re.search(said, problem), problem


@pytest.mark.parametrize(
    ("task", "fixed", "said"),
    [
        ("regression", {"objective": "binary:logistic"}, "does not fit task regression; leave it out, or use reg:..."),
        ("binary", {"objective": "reg:squarederror"}, "does not fit task binary; leave it out, or use binary:logistic"),
        (
            "multiclass",
            {"objective": "multi:softmax"},
            "does not fit task multiclass; leave it out, or use multi:softp",
        ),
        (
            "regression",
            {"objective": "reg:wish"},
            "`search.fixed.objective`: XGBoost refuses 'reg:wish' .Unknown objective function",
        ),
        (
            "regression",
            {"objective": "reg:quantileerror", "quantile_alpha": "[0.1,0.9]"},
            "predicts 2 values for a row",
        ),
        ("binary", {"max_delta_step": "far"}, "`search.fixed.max_delta_step`: XGBoost refuses 'far'"),
        ("binary", {"max_bin": 64.5}, "`search.fixed.max_bin`: .*expect int"),
        ("binary", {"tree_method": "exact"}, "`search.fixed.tree_method`: .*Only `hist`"),
        ("binary", {"rate_drop": 0.1}, "`search.fixed.rate_drop`: XGBoost does not know it, or not with this"),
        ("multiclass", {"num_class": 3}, "`search.fixed.num_class`: the search sets it itself"),
        ("regression", {"nthread": 3}, "from `search.threads`; leave it out"),
    ],
)
def test_a_fixed_parameter_that_cannot_be_is_named(task: Task, fixed: dict[str, Any], said: str) -> None:
    [problem] = problems_of_search(declared(task, **fixed), task)
    assert re.search(said, problem), problem


@pytest.mark.parametrize(
    "fixed",
    [
        {"objective": "reg:quantileerror", "quantile_alpha": 0.3},
        {"objective": "count:poisson"},
        {"objective": "reg:gamma"},
        {"booster": "dart", "rate_drop": 0.1},
    ],
    ids=lambda fixed: str(fixed.get("objective", "dart")),
)
def test_parameters_that_only_work_together_pass_together(fixed: dict[str, Any]) -> None:
    assert problems_of_search(declared("regression", **fixed), "regression") == []


def test_all_mistakes_are_told_at_once() -> None:
    space = {
        "max_depth": {"kind": "uniform", "low": 3, "high": 7},
        "subsample": {"kind": "uniform", "low": 2, "high": 3},
    }
    problems = problems_of_search(declared("binary", space, gamma=-1), "binary")
    assert [problem.split("`")[1] for problem in problems] == [
        "search.fixed.gamma",
        "search.space.max_depth",
        "search.space.subsample",
    ]


def test_parameters_that_name_or_count_features_are_asked_with_the_features() -> None:
    features: dict[str, FeatureType] = {"age": "int", "city": "string"}
    search = declared("regression", monotone_constraints="(1,0)")
    assert problems_of_search(search, "regression", features) == []
    [problem] = problems_of_search(search, "regression", {"age": "int"})
    assert "monotone" in problem


def test_with_bins_of_its_own_a_search_is_blamed_only_for_what_is_wrong() -> None:
    names = ("max_depth", "eta", "colsample_bytre")
    space = {name: Uniform(kind="uniform", low=0.5, high=0.9) for name in names}
    said = problems_of_search(Search(space=space, fixed={"max_bin": 64}), "regression")
    assert ["max_depth" in said[0], "colsample_bytree" in said[1], len(said)] == [True, True, 2]
