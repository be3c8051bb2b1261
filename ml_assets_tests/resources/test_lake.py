"""The lake: what a computation may read around its window."""

from datetime import date
from pathlib import Path

import pytest

from ml_assets.errors import NeverKnownError, NotLandedError
from ml_assets.ml.windows import window_of
from ml_assets.resources.lake import Lake
from ml_assets.spec import Cadence, Problem


def _problem(end: date | None) -> Problem:
    source = {"name": "lines", "columns": {"at": "timestamp", "x": "float64", "y": "float64"}, "event_time": "at"}
    return Problem.model_validate(
        {
            "name": "churn",
            "cadence": Cadence(kind="monthly", start=date(2011, 1, 1), end=end),
            "sources": [source],
            "rows": {"key": ["at"], "features": {"x": "float"}},
            "label": {"name": "y", "lookahead_days": 90},
        }
    )


@pytest.mark.parametrize("window", ["2011-10-01", "2011-12-01"])
def test_labels_that_come_after_the_last_delivery_are_not_made_up_from_what_there_is(
    tmp_path: Path, window: str
) -> None:
    problem, lake = _problem(date(2012, 1, 1)), Lake(root=str(tmp_path), landing=str(tmp_path))
    with pytest.raises(NeverKnownError, match="known 90 days after its end, but the cadence ends on 2012-01-01"):
        lake.tables(problem, problem.label, window_of(problem.cadence, window), lookahead_days=90)


@pytest.mark.parametrize("end", [date(2012, 1, 1), None])
def test_windows_of_the_look_ahead_must_have_landed(tmp_path: Path, end: date | None) -> None:
    problem, lake = _problem(end), Lake(root=str(tmp_path), landing=str(tmp_path))
    with pytest.raises(NotLandedError, match="not materialised for 2011-06-01, 2011-07-01, 2011-08-01, 2011-09-01"):
        lake.tables(problem, problem.label, window_of(problem.cadence, "2011-06-01"), lookahead_days=90)
