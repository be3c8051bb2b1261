"""Promotion and rollback by hand: who scores which windows, what MLflow says, and what is refused."""

import os
import signal
import subprocess
import sys

import pytest

from ml_assets import errors
from ml_assets.ml.promotion.decisions import LedgerRow, current
from ml_assets.resources.lifecycle import AGAINST_GATE, Decider, next_window
from ml_assets_tests.lifecycle.shelf import ANN, DECIDED, SCORED, Shelf, model_of

NEXT = "2013-06-17"


def _scorers(shelf: Shelf, *windows: str) -> list[int]:
    return [shelf.ledger.require_production(shelf.problem, window).version for window in windows]


def _stages(shelf: Shelf) -> dict[int, str]:
    found = shelf.registry.client().search_model_versions(f"name = '{shelf.problem.name}'")
    return {int(version.version): version.tags["stage"] for version in found}


def test_mlflow_follows_the_gate(shelf: Shelf) -> None:
    assert shelf.registry.aliases(shelf.problem) == {"production": 3, "archived": 1}
    assert _stages(shelf) == {1: "archived", 2: "archived", 3: "production"}


def test_a_rollback_holds_from_the_next_window_to_be_scored_and_leaves_the_past(shelf: Shelf) -> None:
    before = _scorers(shelf, "2013-04-01", "2013-06-03", SCORED)
    change = shelf.production.rollback(None, ANN)
    assert (change.row.version, change.row.action, change.row.first_window) == (1, "rolled_back", NEXT)
    assert _scorers(shelf, "2013-04-01", "2013-06-03", SCORED) == before == [1, 3, 3]
    assert _scorers(shelf, NEXT, "2013-12-30") == [1, 1]
    assert shelf.registry.aliases(shelf.problem) == {"production": 1, "archived": 3}
    assert _stages(shelf) == {1: "production", 2: "archived", 3: "archived"}


def test_a_replayed_history_follows_its_own_time_not_the_clock(shelf: Shelf) -> None:
    shelf.production.rollback(None, ANN)
    shelf.score(NEXT)
    shelf.production.promote(3, ANN)
    assert next_window(shelf.problem, shelf.lake) == "2013-06-24"
    assert _scorers(shelf, SCORED, NEXT, "2013-06-24") == [3, 1, 3]


def test_before_anything_is_scored_a_rollback_takes_the_place_of_what_it_undoes(shelf: Shelf) -> None:
    for file in shelf.lake.stage(shelf.problem, "predictions", SCORED).parent.iterdir():
        file.unlink()
    assert next_window(shelf.problem, shelf.lake) == ""
    assert shelf.production.rollback(None, ANN).row.first_window == "2013-06-03"
    assert _scorers(shelf, "2013-05-27", "2013-06-03") == [1, 1]


def test_who_why_and_the_numbers_are_in_the_ledger(shelf: Shelf) -> None:
    shelf.production.rollback(1, ANN)
    row = shelf.ledger.rows(shelf.problem)[-1]
    assert (row.user, row.reason, row.by, row.sequence) == ("ann", "it was better at night", "test", 4)
    assert row.numbers["test_rmse"] == 20.0
    assert row.model_sha256 == shelf.ledger.version(shelf.problem, 1).model_sha256


def test_what_the_gate_rejected_is_promoted_by_hand_and_recorded_as_such(shelf: Shelf) -> None:
    change = shelf.production.promote(2, ANN)
    assert change.row.numbers[AGAINST_GATE] == "by 2%"
    assert "promoted version 2 after version 3" in str(change)
    assert "against the gate: by 2%" in str(change)
    assert _scorers(shelf, SCORED, NEXT) == [3, 2]
    assert AGAINST_GATE not in shelf.production.promote(3, ANN).row.numbers


def test_a_version_that_was_promoted_by_hand_may_be_returned_to(shelf: Shelf) -> None:
    shelf.production.promote(2, ANN)
    shelf.production.rollback(3, ANN)
    assert shelf.production.rollback(2, ANN).row.version == 2


def test_a_new_version_meets_the_one_that_was_rolled_back_to(shelf: Shelf) -> None:
    shelf.production.rollback(None, ANN)
    champion = shelf.ledger.champion(shelf.problem, NEXT, 4)
    assert champion is not None
    assert champion.version == 1
    model_of(4).save(shelf.model_folder(4))
    shelf.ledger.record(shelf.problem, shelf.row("promoted", 4, NEXT), against=champion)
    assert _scorers(shelf, SCORED, NEXT) == [3, 4]


@pytest.mark.parametrize(
    ("action", "version", "error", "says"),
    [
        pytest.param(
            "rollback", 2, errors.NeverProductionError, "was never production: roll back to 1, or", id="never"
        ),
        pytest.param("rollback", 3, errors.AlreadyProductionError, "is production already", id="production"),
        pytest.param("rollback", 9, errors.UnknownVersionError, r"not in the ledger \(it has 1, 2, 3\)", id="unknown"),
        pytest.param("promote", 3, errors.AlreadyProductionError, "is production already", id="promote-production"),
        pytest.param("promote", 9, errors.UnknownVersionError, "Version 9 of 'flights'", id="promote-unknown"),
    ],
)
def test_what_cannot_be_production_is_refused_and_leaves_no_row(
    shelf: Shelf, action: str, version: int, error: type[Exception], says: str
) -> None:
    with pytest.raises(error, match=says):
        getattr(shelf.production, action)(version, ANN)
    assert len(shelf.ledger.rows(shelf.problem)) == len(DECIDED)


def test_a_rollback_of_the_first_version_has_nowhere_to_go(shelf: Shelf) -> None:
    shelf.production.rollback(None, ANN)
    with pytest.raises(errors.NoFormerVersionError):
        shelf.production.rollback(None, ANN)


def test_another_production_version_than_expected_is_a_conflict(shelf: Shelf) -> None:
    with pytest.raises(errors.PromotionConflictError, match="to follow version 1, but version 3"):
        shelf.production.promote(2, ANN, expect=1)
    assert shelf.production.promote(2, ANN, expect=3).row.version == 2


@pytest.mark.parametrize("name", ["model.ubj", "encoder.json", "model.json"])
def test_an_altered_version_is_not_returned_to(filled: Shelf, shelf: Shelf, name: str) -> None:
    file = filled.model_folder(1) / name
    whole = file.read_bytes()
    try:
        file.write_bytes(whole.replace(b"EWR", b"LGA") if name == "encoder.json" else whole + b" ")
        with pytest.raises(errors.AlteredModelError, match=f"'flights' version 1 was altered .*{name}"):
            shelf.production.rollback(1, ANN)
    finally:
        file.write_bytes(whole)
    assert _scorers(shelf, NEXT) == [3]


@pytest.mark.parametrize(
    ("user", "reason", "says"),
    [
        pytest.param("ann", "  ", "The reason is empty", id="no-reason"),
        pytest.param("", "because", "The user is empty", id="no-user"),
        pytest.param("ann", "one\ntwo", "The reason has unprintable characters", id="two-lines"),
        pytest.param("ann", "x" * 501, "The reason is too long", id="long"),
    ],
)
def test_a_change_needs_a_readable_user_and_reason(user: str, reason: str, says: str) -> None:
    with pytest.raises(errors.DecisionTextError, match=says):
        Decider(user=user, reason=reason, by="test")


KILLED = """
import os, signal
from pathlib import Path
from ml_assets.resources.registry import Registry
from ml_assets_tests.lifecycle.shelf import ANN, Shelf

# Dies exactly between its row in the ledger and MLflow.
Registry.follow = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
Shelf(Path({home!r})).production.rollback(None, ANN)
"""


@pytest.mark.slow
def test_what_a_killed_process_left_behind_in_mlflow_is_mended_by_the_next_action(shelf: Shelf) -> None:
    done = subprocess.run(
        [sys.executable, "-c", KILLED.format(home=str(shelf.home))], env=dict(os.environ), check=False
    )
    assert done.returncode == -signal.SIGKILL
    champion = current(shelf.ledger.rows(shelf.problem))
    assert isinstance(champion, LedgerRow)
    assert champion.version == 1
    assert _scorers(shelf, NEXT) == [1]  # predictions follow the ledger, whatever MLflow says
    assert shelf.registry.aliases(shelf.problem)["production"] == 3
    mended = shelf.registry.follow(shelf.problem, shelf.ledger)
    assert "alias production: version 1" in mended
    assert shelf.registry.aliases(shelf.problem) == {"production": 1, "archived": 3}
    assert _stages(shelf) == {1: "production", 2: "archived", 3: "archived"}
    assert shelf.registry.follow(shelf.problem, shelf.ledger) == []
