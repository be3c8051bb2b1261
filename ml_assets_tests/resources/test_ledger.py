"""The ledger: who was production when."""

from pathlib import Path

import pytest

from ml_assets.errors import NoProductionVersionError
from ml_assets.resources.ledger import Action, Ledger, LedgerRow
from ml_assets_tests.flights import flights


def _row(action: Action, version: int, cutoff: str) -> LedgerRow:
    return LedgerRow(action, version, cutoff, "run", "because", "by hand", "file:///m", "abc", {"test_rmse": 1.5})


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    """Promoted, rejected, promoted."""
    ledger = Ledger(url=f"sqlite:///{tmp_path / 'ledger.db'}")
    for row in (
        _row("promoted", 1, "2013-04-01"),
        _row("rejected", 2, "2013-05-06"),
        _row("promoted", 3, "2013-06-03"),
    ):
        ledger.record(flights(), row)
    return ledger


@pytest.mark.parametrize(
    ("window", "version"),
    [("2013-04-01", 1), ("2013-05-06", 1), ("2013-05-27", 1), ("2013-06-03", 3), ("2013-12-30", 3)],
)
def test_a_window_is_scored_by_the_newest_version_promoted_for_it(ledger: Ledger, window: str, version: int) -> None:
    assert ledger.require_production(flights(), window).version == version


def test_before_the_first_cutoff_there_was_no_production(ledger: Ledger) -> None:
    with pytest.raises(NoProductionVersionError, match="2013-03-25"):
        ledger.require_production(flights(), "2013-03-25")


def test_a_late_decision_on_an_early_cutoff_changes_only_the_windows_it_is_for(ledger: Ledger) -> None:
    ledger.record(flights(), _row("promoted", 4, "2013-05-13"))
    assert ledger.require_production(flights(), "2013-05-13").version == 4
    assert ledger.require_production(flights(), "2013-06-03").version == 3


def test_a_version_is_decided_upon_once(ledger: Ledger) -> None:
    ledger.record(flights(), _row("promoted", 2, "2013-05-06"))
    assert [row.action for row in ledger.rows(flights())] == ["promoted", "rejected", "promoted"]


def test_problems_do_not_see_each_other(ledger: Ledger) -> None:
    other = flights().model_copy(update={"name": "other"})
    assert ledger.rows(other) == []


def test_numbers_come_back_as_they_were(ledger: Ledger) -> None:
    row = ledger.version(flights(), 1)
    assert (row.numbers, row.model_sha256) == ({"test_rmse": 1.5}, "abc")
    assert row.at.startswith("20")
