"""Relations between the parts of a declaration: what fits is taken, what does not is refused by name."""

from typing import Any

import pytest
from pydantic import ValidationError

from ml_assets.spec import FeatureSet, Problem, ProblemDeclaration, Search

SHORT: dict[str, Any] = {
    "name": "bikes",
    "cadence": {"kind": "monthly", "start": "2011-01-01"},
    "sources": [
        {"name": "rides", "columns": {"id": "int64", "at": "timestamp", "temp": "float64"}, "event_time": "at"}
    ],
    "feature_views": [{"name": "air", "entities": ["id"], "features": {"temp": "float"}}],
    "rows": {"key": ["id"]},
    "label": {"name": "rides_count"},
}


def _declared(**changes: Any) -> Problem:
    return ProblemDeclaration.model_validate({**SHORT, **changes}).problem()


def test_a_short_declaration_says_enough() -> None:
    problem = _declared()
    assert (problem.rows.sources, problem.label.sources, problem.view("air").sources) == (("rides",),) * 3
    assert problem.features == {"temp": "float"}
    assert problem.feature_group == "bikes"


@pytest.mark.parametrize(
    ("task", "metric", "expected"),
    [
        pytest.param("regression", None, ("rmse", "rmse", "rmse"), id="regression"),
        pytest.param("regression", "mae", ("mae", "mae", "mae"), id="regression by mae"),
        pytest.param("binary", None, ("logloss", "logloss", "logloss"), id="binary"),
        pytest.param("multiclass", "accuracy", ("accuracy", "accuracy", "accuracy"), id="multiclass by accuracy"),
    ],
)
def test_one_metric_serves_search_gate_and_quality(task: str, metric: str | None, expected: tuple[str, ...]) -> None:
    problem = _declared(task=task, metric=metric)
    assert (problem.search.loss, problem.promotion.metric, problem.quality.metric) == expected


def test_a_part_may_go_by_a_metric_of_its_own() -> None:
    problem = _declared(task="binary", metric="auc", search={"loss": "logloss"}, quality={"max_ratio": 1.5})
    assert (problem.search.loss, problem.promotion.metric, problem.quality.metric) == ("logloss", "auc", "auc")
    written = _declared(task="binary", metric="auc", search=Search(loss="logloss", max_trials=3))
    assert (written.search.loss, written.search.max_trials) == ("logloss", 3)


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        pytest.param(
            {"task": "regression", "metric": "auc"}, "`promotion.metric` auc does not fit task regression", id="metric"
        ),
        pytest.param({"task": "binary", "search": {"loss": "brier"}}, "`search.loss` brier does not fit", id="loss"),
        pytest.param({"label": {"name": "y", "positive": "yes"}}, "`label.positive` is for binary", id="positive"),
        pytest.param({"label": {"name": "temp"}}, "the label 'temp' is a feature, too", id="label as feature"),
        pytest.param({"rows": {"key": ["id"], "features": {"temp": "float"}}}, "in both rows and air", id="twice"),
        pytest.param({"feature_views": []}, "there is no feature", id="no feature"),
        pytest.param({"drift": {"ignore": ["wind"]}}, "drift.ignore names .'wind'.", id="ignore"),
        pytest.param({"cadence": None}, "cadence missing", id="no cadence"),
        pytest.param({"use_views": ["air"]}, "needs `features_from`", id="use_views alone"),
        pytest.param({"features_from": "shop"}, "come from 'shop'", id="own and shared"),
        pytest.param(
            {"rows": {"key": ["id"], "sql": "SELECT 1", "function": "f.py:f"}},
            "both `sql` and `function`",
            id="two ways",
        ),
        pytest.param(
            {"sources": [{**SHORT["sources"][0], "event_time": None}]}, "has no `event_time`", id="as it is, no time"
        ),
        pytest.param(
            {"sources": [{**SHORT["sources"][0], "event_time": "att"}]}, "names att, which `columns`", id="unknown time"
        ),
        pytest.param({"sources": SHORT["sources"] * 2}, "'rides' is declared twice", id="twins"),
        pytest.param(
            {"validation": [{"kind": "between", "column": "temp"}]}, "give `low`, `high` or both", id="between nothing"
        ),
        pytest.param(
            {"validation": [{"kind": "row_count", "low": 5, "high": 2}]}, "low 5 is above high 2", id="no range"
        ),
        pytest.param(
            {"search": {"space": {"eta": {"kind": "choice", "values": [1, 2], "probabilities": [1, 1]}}}},
            "are not one per value, adding up to 1",
            id="probabilities",
        ),
    ],
)
def test_what_does_not_fit_is_refused(changes: dict[str, Any], says: str) -> None:
    with pytest.raises(ValidationError, match=says):
        _declared(**changes)


SHARED = FeatureSet.model_validate({k: SHORT[k] for k in ("cadence", "sources", "feature_views")} | {"name": "city"})
ON_SHARED = {"name": "demand", "features_from": "city", "rows": {"key": ["id"]}, "label": {"name": "rides_count"}}


def test_a_problem_on_shared_views_takes_their_windows_and_sources() -> None:
    # Where there is one source, rows and label read it, also when it is declared elsewhere.
    problem = ProblemDeclaration.model_validate(ON_SHARED).problem(SHARED)
    assert (problem.feature_group, problem.cadence, problem.sources) == ("city", SHARED.cadence, SHARED.sources)
    assert problem.rows.sources == ("rides",)


def test_views_that_are_not_shared_cannot_be_used() -> None:
    declaration = ProblemDeclaration.model_validate({**ON_SHARED, "use_views": ["water"]})
    with pytest.raises(ValueError, match=r"names .'water'., which 'city' lacks; it has .'air'."):
        declaration.problem(SHARED)
