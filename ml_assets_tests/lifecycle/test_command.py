"""The commands as users type them: what they print, and errors in one line."""

import json
import sys
from collections.abc import Callable
from dataclasses import dataclass

import pytest

from ml_assets.cli import main
from ml_assets_tests.lifecycle.shelf import Shelf


@dataclass(frozen=True)
class Done:
    """What a command printed, and how it ended."""

    returncode: int | str | None
    stdout: str
    stderr: str


Run = Callable[..., Done]


@pytest.fixture
def run(shelf: Shelf, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """The console script, in this process: MLflow's import takes seconds in each other one."""
    monkeypatch.setenv("ML_ASSETS_HOME", str(shelf.home))
    monkeypatch.setenv("COLUMNS", "200")

    def command(*arguments: str) -> Done:
        monkeypatch.setattr(sys, "argv", ["ml-assets", *arguments])
        code: int | str | None = 0
        try:
            main()
        except SystemExit as end:
            code = end.code
        return Done(code, *capsys.readouterr())

    return command


def test_a_rollback_is_told_and_stands_in_the_history(run: Run) -> None:
    done = run("rollback", "flights", "--reason", "night flights", "--user", "[red]ann[/red]")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines()[0] == (
        "flights: rolled back to version 1 after version 3: it scores from window 2013-06-17 on."
    )
    history = run("history", "flights")
    assert (history.returncode, history.stderr) == (0, "")
    assert "rolled back by [red]ann[/red]" in history.stdout
    assert "+2.0%" in history.stdout
    assert "night flights" in history.stdout
    assert "2013-06-03 to 2013-06-17: version 3" in history.stdout
    assert "2013-06-17 to ...: version 1" in history.stdout


def test_the_history_can_be_read_on_a_narrow_terminal(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    run("rollback", "flights", "--reason", "a reason that is longer than the terminal is wide " * 3, "--user", "ann")
    monkeypatch.setenv("COLUMNS", "80")
    said = run("history", "flights").stdout
    assert "…" not in said
    assert "  4  " + ("a reason that is longer than the terminal is wide " * 3).strip() in said


def test_the_history_is_a_document_for_programs(run: Run) -> None:
    run("promote", "flights", "2", "--reason", "a trial", "--user", "ann")
    document = json.loads(run("history", "flights", "--json").stdout)
    assert [row["action"] for row in document["decisions"]] == ["promoted", "rejected", "promoted", "promoted"]
    assert document["decisions"][-1]["numbers"]["against_gate"] == "by 2%"
    assert document["windows"][-1] == {"since": "2013-06-17", "until": None, "version": 2}
    assert document["stages"] == {"1": "archived", "2": "production", "3": "archived"}
    assert document["mended"] == []


@pytest.mark.parametrize(
    ("at", "version", "window"),
    [
        ("2013-06-01", 1, "2013-05-27"),
        ("2013-06-03", 3, "2013-06-03"),
        ("2013-06-12T12:00-04:00", 3, "2013-06-10"),
        ("2030-01-01", 3, "2029-12-31"),
        ("2013-03-31", None, "2013-03-25"),
    ],
    ids=["date", "first-day", "time", "future", "before"],
)
def test_who_was_production_at_a_moment(run: Run, at: str, version: int | None, window: str) -> None:
    document = json.loads(run("history", "flights", "--at", at, "--json").stdout)
    assert (document["version"], document["window"]) == (version, window)
    text = run("history", "flights", "--at", at).stdout
    assert (f"version {version} was production" if version else "no version was production") in text


def test_what_was_known_before_anything_was_decided_is_nothing(run: Run) -> None:
    assert "nothing was decided yet" in run("history", "flights", "--known", "2020-01-01").stdout


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        pytest.param(["rollback", "flights", "2", "--reason", "x"], "was never production", id="never-production"),
        pytest.param(["promote", "flights", "3", "--reason", "x"], "is production already", id="production"),
        pytest.param(["promote", "flights", "2", "--reason", " "], "The reason is empty", id="no-reason"),
        pytest.param(["promote", "flights", "2", "--reason", "x", "--expect", "1"], "decide again", id="expected"),
        pytest.param(["history", "flights", "--at", "soon"], "'soon' is no moment", id="no-moment"),
        pytest.param(["history", "nothing"], "nothing", id="unknown-problem"),
    ],
)
def test_a_mistake_is_one_line(run: Run, shelf: Shelf, arguments: list[str], says: str) -> None:
    done = run(*arguments)
    [line] = done.stderr.splitlines()
    assert done.returncode == 1
    assert line.startswith("Error: ")
    assert says in line
    assert len(shelf.ledger.rows(shelf.problem)) == 3
