"""The command as a user meets it: flags, questions, refusals, files."""

import os
import pty
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq
import pytest
import yaml
from click.testing import CliRunner, Result

from ml_assets.errors import (
    DeclarationExistsError,
    DefsFolderMissingError,
    MLAssetsError,
    NoTimeColumnError,
    OnboardingError,
    ReservedNameError,
    UnansweredError,
    UnknownColumnError,
)
from ml_assets.onboarding.command import new
from ml_assets.spec import Problem, ProblemDeclaration
from ml_assets_tests.onboarding.tables import shops, to_csv, to_parquet, visits


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty project, in which we stand."""
    (tmp_path / "ml_assets" / "defs").mkdir(parents=True)
    (tmp_path / "pyproject.toml").touch()
    (tmp_path / "data").mkdir()
    monkeypatch.chdir(tmp_path)
    return tmp_path


def _new(*arguments: str) -> Result:
    result = CliRunner().invoke(new, list(arguments), standalone_mode=False, catch_exceptions=True)
    if isinstance(result.exception, MLAssetsError):
        raise result.exception
    assert result.exception is None, result.exception
    return result


def _written(project: Path, name: str) -> Problem:
    text = (project / "ml_assets" / "defs" / name / "defs.yaml").read_text(encoding="utf-8")
    return ProblemDeclaration.model_validate(yaml.safe_load(text)["attributes"]).problem()


def test_a_table_becomes_a_declaration_and_a_summary(project: Path) -> None:
    to_parquet(visits(), project / "data")
    result = _new("churn", "--from", "data/table.parquet")
    problem = _written(project, "churn")
    assert (problem.name, problem.task, problem.sources[0].read.path) == (
        "churn",
        "binary",
        "../../../data/table.parquet",
    )
    for said in ("customer_id", "visited_at", "churned", "ml-assets check", "ml-assets run churn", "make ui"):
        assert said in result.output
    assert len(result.output.splitlines()) < 40


def test_a_file_outside_the_project_is_named_by_its_whole_path(
    project: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = to_parquet(visits(), tmp_path_factory.mktemp("elsewhere"))
    _new("churn", "--from", str(path))
    assert _written(project, "churn").sources[0].read.path == str(path)


def test_copy_puts_the_file_beside_the_declaration(project: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    path = to_parquet(visits(), tmp_path_factory.mktemp("elsewhere"))
    _new("churn", "--from", str(path), "--copy")
    assert _written(project, "churn").sources[0].read.path == "data/table.parquet"
    assert (project / "ml_assets/defs/churn/data/table.parquet").read_bytes() == path.read_bytes()


@pytest.mark.parametrize("write", [to_parquet, to_csv], ids=["parquet", "csv"])
def test_copy_mends_names_that_cannot_be_declared(project: Path, write: Callable) -> None:
    frame = shops().rename(columns={"visitors": "visitors/day", "temperature_c": "2m temp (°C)"})
    path = write(frame, project / "data")
    _new("sales", "--from", str(path), "--copy", "--label", "sold")
    problem = _written(project, "sales")
    assert {"visitors_day", "column_2m temp _C"} <= set(problem.features)
    copy = project / "ml_assets/defs/sales" / problem.sources[0].read.path
    columns = pq.read_schema(copy).names if write is to_parquet else list(pd.read_csv(copy, nrows=0).columns)
    assert set(problem.sources[0].columns) <= set(columns)
    assert (pd.read_parquet if write is to_parquet else pd.read_csv)(copy)["visitors_day"].sum() == frame[
        "visitors/day"
    ].sum()


def test_nothing_is_overwritten_without_force(project: Path) -> None:
    path = to_parquet(visits(), project / "data")
    _new("churn", "--from", str(path))
    file = project / "ml_assets/defs/churn/defs.yaml"
    file.write_text("mine", encoding="utf-8")
    with pytest.raises(DeclarationExistsError, match="--force"):
        _new("churn", "--from", str(path))
    assert file.read_text(encoding="utf-8") == "mine"
    _new("churn", "--from", str(path), "--force")
    assert _written(project, "churn").name == "churn"


def test_a_copy_that_is_there_is_not_overwritten_either(project: Path) -> None:
    path = to_parquet(visits(), project / "data")
    copy = project / "ml_assets/defs/churn/data/table.parquet"
    copy.parent.mkdir(parents=True)
    copy.write_text("mine", encoding="utf-8")
    with pytest.raises(DeclarationExistsError):
        _new("churn", "--from", str(path), "--copy")
    assert copy.read_text(encoding="utf-8") == "mine"


def test_nothing_is_left_behind_by_a_refusal(project: Path) -> None:
    path = to_parquet(shops().drop(columns="day"), project / "data")
    with pytest.raises(NoTimeColumnError):
        _new("sales", "--from", str(path), "--copy")
    assert not (project / "ml_assets/defs/sales").exists()


@pytest.mark.parametrize("name", ["Churn", "../churn", "a b", "1churn", "", "x" * 64, "churn\n"])
def test_a_name_that_is_no_identifier_is_refused(project: Path, name: str) -> None:
    with pytest.raises(ReservedNameError, match="lower-case"):
        _new(name, "--from", "data/table.parquet")


def test_outside_a_project_the_folder_has_to_be_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    path = to_parquet(visits(), tmp_path)
    with pytest.raises(DefsFolderMissingError, match="--into"):
        _new("churn", "--from", str(path))
    (tmp_path / "mine").mkdir()
    _new("churn", "--from", str(path), "--into", "mine")
    assert (tmp_path / "mine/churn/defs.yaml").exists()


@pytest.mark.parametrize("write", [to_parquet, to_csv], ids=["parquet", "csv"])
def test_from_inside_a_project_its_folder_is_found(
    project: Path, monkeypatch: pytest.MonkeyPatch, write: Callable
) -> None:
    path = write(visits(), project / "data")
    monkeypatch.chdir(project / "ml_assets")
    _new("churn", "--from", f"../data/{path.name}")
    assert _written(project, "churn").sources[0].read.path == f"../../../data/{path.name}"


def test_an_unsure_question_without_a_terminal_names_its_flag(project: Path) -> None:
    path = to_parquet(shops(), project / "data")
    with pytest.raises(UnansweredError, match=r"Perhaps 'sold'.*--label.*--yes"):
        _new("sales", "--from", str(path))
    _new("sales", "--from", str(path), "--label", "sold")
    _new("sales_too", "--from", str(path), "--yes")
    assert _written(project, "sales_too").label.name == "sold"


@pytest.mark.parametrize(
    ("flags", "error", "message"),
    [
        (["--label", "chruned"], UnknownColumnError, "perhaps 'churned'"),
        (["--time", "visited"], UnknownColumnError, "perhaps 'visited_at'"),
        (["--time", "age"], NoTimeColumnError, "age"),
        (["--entity", "visited_at"], OnboardingError, "whole numbers or texts"),
        (["--exclude", "nobody"], UnknownColumnError, "--exclude"),
        (["--task", "regression"], OnboardingError, "not regression"),
        (["--positive", "perhaps"], UnknownColumnError, "--positive"),
        (["--timezone", "Mars/Olympus"], OnboardingError, "no time zone"),
        (["--label", "customer_id", "--entity", "customer_id"], OnboardingError, "already"),
        (["--key", "visit_id,churned", "--label", "churned"], OnboardingError, "part of --key"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_a_flag_that_does_not_fit_is_refused_with_its_remedy(
    project: Path, flags: list[str], error: type[MLAssetsError], message: str
) -> None:
    frame = visits().assign(churned=lambda f: f["churned"].map({"yes": "gone", "no": "here"}))
    path = to_parquet(frame, project / "data")
    with pytest.raises(error, match=message):
        _new("churn", "--from", str(path), "--yes", *flags)


def test_every_answer_can_be_given_by_a_flag(project: Path) -> None:
    frame = visits().assign(day=lambda f: f["visited_at"].dt.strftime("%m/%d/%Y"), other_at=lambda f: f["visited_at"])
    frame["churned"] = frame["churned"].map({"yes": "b", "no": "a"})
    path = to_csv(frame, project / "data")
    _new(
        *("churn", "--from", str(path), "--time", "day", "--time-format", "%m/%d/%Y", "--timezone", "Europe/London"),
        *("--entity", "customer_id", "--key", "visit_id", "--label", "churned", "--task", "binary", "--positive", "b"),
        *("--known-after", "30", "--cadence", "monthly", "--exclude", "plan", "--exclude", "visited_at"),
    )
    problem = _written(project, "churn")
    source = problem.sources[0]
    assert (source.event_time, source.read.timestamp_format, source.timezone) == ("day", "%m/%d/%Y", "Europe/London")
    assert (problem.rows.key, problem.cadence.kind, problem.label.lookahead_days) == (("visit_id",), "monthly", 30)
    assert (problem.label.positive, "plan" in source.columns) == ("b", False)


def test_at_a_terminal_the_user_is_asked(project: Path) -> None:
    """A real terminal: the first answer is a column that is none, the second one counts."""
    to_parquet(shops(), project / "data")
    code = "import sys; from ml_assets.onboarding.command import new; sys.argv[0] = 'new'; new()"
    user, program = pty.openpty()
    arguments = [sys.executable, "-c", code, "sales", "--from", "data/table.parquet"]
    with subprocess.Popen(arguments, stdin=program, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as process:
        os.write(user, b"nothing\nvisitors\n")
        output = process.communicate(timeout=60)[0].decode()
    os.close(user)
    os.close(program)
    assert process.returncode == 0, output
    assert "Proposed is sold: it is the last column" in output
    assert _written(project, "sales").label.name == "visitors"
