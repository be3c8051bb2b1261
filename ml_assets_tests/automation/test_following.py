"""Which windows a landing makes possible to judge, where labels come late."""

from datetime import date

import pytest

from ml_assets.automation.following import labelled_with
from ml_assets.ml.windows import window_of
from ml_assets.spec import Cadence, Problem


def _problem(late_days: int) -> Problem:
    return Problem.model_validate(
        {
            "name": "churn",
            "cadence": Cadence(kind="monthly", start=date(2010, 1, 1), timezone="Europe/London"),
            "sources": [
                {"name": "lines", "columns": {"at": "timestamp", "x": "float64", "y": "float64"}, "event_time": "at"}
            ],
            "rows": {"key": ["at"], "features": {"x": "float"}},
            "label": {"name": "y", "lookahead_days": late_days},
        }
    )


@pytest.mark.parametrize(
    ("late_days", "landed", "labelled"),
    [
        pytest.param(90, "2011-05-01", ["2011-01-01", "2011-02-01"], id="1 February and 1 March, each 90 days later"),
        pytest.param(90, "2011-04-01", ["2010-12-01"], id="1 January and 90 days are 1 April"),
        pytest.param(1, "2011-05-01", ["2011-04-01"], id="a day"),
        pytest.param(59, "2011-02-01", ["2010-12-01"], id="exactly at the end of February"),
        pytest.param(59, "2011-03-01", [], id="summer time takes the hour that January needed"),
        pytest.param(90, "2010-01-01", [], id="before any is known"),
    ],
)
def test_a_landing_makes_those_labels_known_that_were_not_before(
    late_days: int, landed: str, labelled: list[str]
) -> None:
    problem = _problem(late_days)
    assert [w.key for w in labelled_with(problem, window_of(problem.cadence, landed))] == labelled


@pytest.mark.parametrize("late_days", [1, 31, 45, 90, 400])
def test_over_the_years_every_window_is_judged_exactly_once(late_days: int) -> None:
    problem = _problem(late_days)
    first = window_of(problem.cadence, "2010-01-01")
    judged = [w.key for n in range(60) for w in labelled_with(problem, first.shift(n))]
    assert judged == [first.shift(n).key for n in range(len(judged))]
    assert len(judged) >= 45
