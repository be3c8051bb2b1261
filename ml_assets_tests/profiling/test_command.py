"""`ml-assets profile` on landed windows and a training set of real flights."""

import re
import shutil
from pathlib import Path

import click
import pandas as pd
import pytest
from click.testing import CliRunner, Result

from ml_assets.components.declaration import read_problem
from ml_assets.errors import MLAssetsError, NothingToProfileError, RulesFileExistsError, UnknownViewError
from ml_assets.profiling import command
from ml_assets_tests.flights import DEFS_YAML, Deliveries

WEEKS = ("2013-01-21", "2013-01-28", "2013-02-04")


@pytest.fixture
def defs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the declaration, and a home of its own."""
    folder = tmp_path / "defs" / "flights"
    shutil.copytree(DEFS_YAML.parent, folder, ignore=shutil.ignore_patterns("data"))
    monkeypatch.setattr(command, "DEFS", folder.parent)
    monkeypatch.setenv("ML_ASSETS_HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    return folder


@pytest.fixture
def views(landed: Deliveries, tmp_path: Path) -> Path:
    """Two feature views over three weeks, in the home."""
    lake = landed.lake.model_copy(update={"root": str(tmp_path / "home" / "lake")})
    for key in WEEKS:
        for view in ("weather", "origin_departures"):
            lake.write(lake.view(landed.problem, view, key), landed.view(view, key).table)
    return Path(lake.root)


@pytest.fixture
def training_set(landed: Deliveries, tmp_path: Path) -> Path:
    """A training set of two weeks of request features."""
    lake = landed.lake.model_copy(update={"root": str(tmp_path / "home" / "lake")})
    parts = []
    for key in WEEKS[:2]:
        rows, labels = landed.rows(key).table.to_pandas(), landed.labels(key).table.to_pandas()
        parts.append(
            rows.merge(labels.rename(columns={"known_at": "label_known_at"}), on=list(landed.problem.rows.key))
        )
    return lake.write(lake.stage(landed.problem, "dataset", "2013-02-04"), pd.concat(parts).assign(split="train"))


def _run(*arguments: str) -> Result:
    return CliRunner().invoke(command.profile, list(arguments), catch_exceptions=False, standalone_mode=False)


def test_a_view_is_shown_written_and_then_declared(defs: Path, views: Path, tmp_path: Path) -> None:
    said = _run("flights", "--view", "weather", "--write").output
    assert re.search(
        r"Feature view weather of flights: 1,\d+ rows, 12 columns; 3 weeks, 2013-01-21 to 2013-02-04", said
    )
    assert "Add to defs/flights/defs.yaml, under feature view weather: validation_file: validation/weather.yaml" in said
    page = (tmp_path / "home" / "reports" / "profiles" / "flights" / "weather.html").read_text()
    assert "temp_f" in page
    file = defs / "validation" / "weather.yaml"
    assert "# temp_f" in file.read_text()
    text = (defs / "defs.yaml").read_text()
    (defs / "defs.yaml").write_text(text.replace("    - name: weather\n      description: The weather", "    - name: weather\n      validation_file: validation/weather.yaml\n      description: The weather"))  # fmt: skip
    rules = read_problem(defs / "defs.yaml").view("weather").validation
    assert {"row_count", "between", "of_type"} <= {rule.kind for rule in rules}
    assert "Add to" not in _run("flights", "--view", "weather").output


def test_a_file_that_is_there_is_not_overwritten(defs: Path, views: Path) -> None:
    file = defs / "validation" / "weather.yaml"
    file.parent.mkdir()
    file.write_text("# mine\n")
    with pytest.raises(RulesFileExistsError):
        _run("flights", "--view", "weather", "--write")
    assert file.read_text() == "# mine\n"
    _run("flights", "--view", "weather", "--write", "--force")
    assert "# temp_f" in file.read_text()


def test_windows_can_be_chosen(defs: Path, views: Path) -> None:
    said = _run("flights", "--view", "weather", "--since", "2013-01-28", "--until", "2013-01-28").output
    assert "1 weeks, 2013-01-28 to 2013-01-28" in said


def test_hours_are_read_where_people_live(defs: Path, views: Path) -> None:
    _run("flights", "--view", "origin_departures", "--timezone", "America/New_York", "--write")
    text = (defs / "validation" / "origin_departures.yaml").read_text()
    assert "timezone: America/New_York" in text
    assert "--timezone America/New_York --write" in text


def test_a_training_set_is_profiled_by_its_weeks(defs: Path, training_set: Path) -> None:
    said = _run("flights", "--write").output
    assert "Training set of flights for 2013-02-04" in said
    assert "2 weeks, 2013-01-21 to 2013-01-28" in said
    assert "under attributes: validation_file: validation/dataset.yaml" in said
    text = (defs / "validation" / "dataset.yaml").read_text()
    assert "columns: [carrier, flight, origin, dest, sched_dep_at]" in text
    assert "column: split" not in text


@pytest.mark.parametrize(
    ("arguments", "error", "says"),
    [
        pytest.param(["flights"], NothingToProfileError, "no training set of 'flights'. Run `ml-assets run flights`", id="no training set"),
        pytest.param(["flights", "--cutoff", "2013-09-09"], NothingToProfileError, "for 2013-09-09. Run `ml-assets run flights --cutoff 2013-09-09`", id="no such cutoff"),
        pytest.param(["flights", "--cutoff", "2013-09-10"], MLAssetsError, "2013-09-10", id="no window"),
        pytest.param(["flights", "--view", "wether"], UnknownViewError, "has no feature view 'wether'; there is", id="no view"),
        pytest.param(["flights", "--view", "aircraft"], NothingToProfileError, "No window of feature view 'aircraft' has landed. Materialise flights/features/aircraft", id="nothing landed"),
        pytest.param(["nonsense"], MLAssetsError, "No problem 'nonsense' is declared; there are", id="no problem"),
        pytest.param(["flights", "--timezone", "Mars/Olympus"], click.BadParameter, "'Mars/Olympus' is no time zone", id="zone"),
        pytest.param(["flights", "--since", "2013-01-28"], click.UsageError, "--since and --until are of feature views", id="since without view"),
        pytest.param(["flights", "--view", "weather", "--cutoff", "2013-01-28"], click.UsageError, "--cutoff is of training sets", id="cutoff of a view"),
    ],
)  # fmt: skip
def test_what_cannot_be_profiled_is_told_in_a_line(
    defs: Path, arguments: list[str], error: type[Exception], says: str
) -> None:
    with pytest.raises(error) as caught:
        _run(*arguments)
    text = caught.value.message if isinstance(caught.value, click.ClickException) else str(caught.value)
    assert says in text
    assert "\n" not in text
