"""The YAML face: what is wrong with a declaration is said once each, before anything runs."""

from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import ValidationError

from ml_assets.components.declaration import read_problem
from ml_assets.errors import MissingSqlFileError
from ml_assets.spec import Problem
from ml_assets_tests.flights import DEFS_YAML, flights


def _declared() -> dict[str, Any]:
    return yaml.safe_load(DEFS_YAML.read_text())["attributes"]


def test_sql_files_are_read_from_beside_the_declaration() -> None:
    assert "FROM weather" in flights().view("weather").sql
    assert flights().source("airlines").sql is None


@pytest.mark.parametrize("name", ["features/none.sql", "../../../errors.sql", "../flights/../../cli.sql"])
def test_a_missing_sql_file_or_one_elsewhere_is_refused(tmp_path: Path, name: str) -> None:
    declared = _declared()
    declared["feature_views"][0]["sql"] = name
    path = tmp_path / "defs.yaml"
    path.write_text(yaml.safe_dump({"type": "x", "attributes": declared}))
    with pytest.raises(MissingSqlFileError):
        read_problem(path)


def test_every_mistake_is_named_once() -> None:
    declared = _declared()
    declared["search"]["space"]["eta"]["kind"] = "uniformly"
    declared["quality"]["max_ratio"] = 0.5
    declared["colour"] = "red"
    with pytest.raises(ValidationError) as caught:
        Problem.model_validate(declared)
    places = [".".join(str(part) for part in error["loc"]) for error in caught.value.errors()]
    assert sorted(places) == ["colour", "quality.max_ratio", "search.space.eta"]


@pytest.mark.parametrize(
    ("change", "says"),
    [
        pytest.param(
            lambda d: d["feature_views"][0]["sources"].append("trains"),
            "reads .'trains'., which is no source",
            id="unknown source",
        ),
        pytest.param(
            lambda d: d["feature_views"][0]["features"].update(temp_f="float"), "temp_f' is in both", id="feature twice"
        ),
        pytest.param(
            lambda d: d["cadence"].update(start="2013-01-01"), "2013-01-01 is not a Monday", id="off the grid"
        ),
        pytest.param(lambda d: d["retraining"].update(bad_windows=6), "6 of the last 5 can never be met", id="policy"),
        pytest.param(
            lambda d: d["search"]["space"]["subsample"].update(low=0.99), "high 0.95 is not above low", id="empty range"
        ),
        pytest.param(lambda d: d.update(name="Robert'); DROP"), "pattern", id="a name that is no identifier"),
    ],
)
def test_parts_that_do_not_fit_are_refused(change: Any, says: str) -> None:
    declared = _declared()
    change(declared)
    with pytest.raises(ValidationError, match=says):
        Problem.model_validate(declared)
