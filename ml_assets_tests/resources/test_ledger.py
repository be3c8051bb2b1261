"""The ledger: who was production when, one row per decision, tables of a former release."""

from pathlib import Path

import pytest
import sqlalchemy as sa

from ml_assets.errors import LedgerUnavailableError, NoProductionVersionError, PromotionConflictError
from ml_assets.resources.ledger import Action, Ledger, LedgerRow
from ml_assets_tests.flights import flights


def _row(action: Action, version: int, cutoff: str, *, since: str = "", user: str = "") -> LedgerRow:
    numbers = {"test_rmse": 1.5}
    return LedgerRow(action, version, cutoff, "run", "because", "by hand", "file:///m", "abc", numbers, "", since, user)


def _record(ledger: Ledger, row: LedgerRow) -> LedgerRow:
    """The gate's decision, compared with who is production for its cutoff."""
    return ledger.record(flights(), row, against=ledger.champion(flights(), row.cutoff, row.version))


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    """Promoted, rejected, promoted."""
    ledger = Ledger(url=f"sqlite:///{tmp_path / 'ledger.db'}")
    for row in (
        _row("promoted", 1, "2013-04-01"),
        _row("rejected", 2, "2013-05-06"),
        _row("promoted", 3, "2013-06-03"),
    ):
        _record(ledger, row)
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
    _record(ledger, _row("promoted", 4, "2013-05-13"))
    assert ledger.require_production(flights(), "2013-05-13").version == 4
    assert ledger.require_production(flights(), "2013-06-03").version == 3


def test_a_version_is_decided_upon_by_the_gate_once(ledger: Ledger) -> None:
    held = _record(ledger, _row("promoted", 2, "2013-05-06"))
    assert (held.action, held.sequence) == ("rejected", 2)
    assert [row.action for row in ledger.rows(flights())] == ["promoted", "rejected", "promoted"]


def test_a_challenger_decided_again_meets_the_champion_it_met_before(ledger: Ledger) -> None:
    first = ledger.champion(flights(), "2013-06-03", 3)
    back = _row("rolled_back", 1, "2013-04-01", since="2013-06-03", user="ann")
    ledger.change(flights(), ledger.rows(flights())[-1], lambda rows: back)
    assert first is not None
    assert ledger.champion(flights(), "2013-06-03", 3) == first
    assert ledger.require_production(flights(), "2013-06-03").version == 1


def test_a_decision_whose_champion_is_gone_is_refused_and_leaves_no_row(ledger: Ledger) -> None:
    before = ledger.champion(flights(), "2013-07-01", 5)
    _record(ledger, _row("promoted", 4, "2013-06-10"))
    with pytest.raises(PromotionConflictError, match="was to follow version 3, but version 4 became production"):
        ledger.record(flights(), _row("promoted", 5, "2013-07-01"), against=before)
    assert len(ledger.rows(flights())) == 4


def test_a_rejection_stands_whoever_became_production_meanwhile(ledger: Ledger) -> None:
    before = ledger.champion(flights(), "2013-07-01", 5)
    _record(ledger, _row("promoted", 4, "2013-06-10"))
    assert ledger.record(flights(), _row("rejected", 5, "2013-07-01"), against=before).sequence == 5


def test_problems_do_not_see_each_other(ledger: Ledger) -> None:
    other = flights().model_copy(update={"name": "other"})
    assert ledger.rows(other) == []
    assert ledger.record(other, _row("promoted", 1, "2013-04-01")).sequence == 1


def test_rows_come_back_as_they_were_with_their_time_and_number(ledger: Ledger) -> None:
    row = ledger.version(flights(), 1)
    assert (row.numbers, row.model_sha256) == ({"test_rmse": 1.5}, "abc")
    assert row.at.startswith("20")
    assert [each.sequence for each in ledger.rows(flights())] == [1, 2, 3]


OLD = """
CREATE TABLE ledger (id INTEGER PRIMARY KEY, at VARCHAR NOT NULL, problem VARCHAR NOT NULL, action VARCHAR NOT NULL,
version INTEGER NOT NULL, cutoff VARCHAR NOT NULL, by VARCHAR NOT NULL, reason VARCHAR NOT NULL, cause VARCHAR NOT NULL,
model_location VARCHAR NOT NULL, model_sha256 VARCHAR NOT NULL, numbers VARCHAR NOT NULL)
"""


def test_a_table_of_a_former_release_goes_on(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'ledger.db'}"
    row = "'2026-01-01T00:00:00+00:00', '{0}', 'promoted', {1}, '2013-0{1}-01', 'r', 'x', 'c', 'file:///m', 'h', '{{}}'"
    with sa.create_engine(url).begin() as connection:
        connection.exec_driver_sql(OLD)
        for problem, version in (("flights", 4), ("other", 1), ("flights", 5)):
            columns = "at, problem, action, version, cutoff, by, reason, cause, model_location, model_sha256, numbers"
            connection.exec_driver_sql(f"INSERT INTO ledger ({columns}) VALUES ({row.format(problem, version)})")
    ledger = Ledger(url=url)
    assert [(row.version, row.sequence, row.first_window) for row in ledger.rows(flights())] == [
        (4, 1, "2013-04-01"),
        (5, 2, "2013-05-01"),
    ]
    assert _record(ledger, _row("promoted", 6, "2013-06-03")).sequence == 3


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("no address", "its address is no SQLAlchemy URL"),
        ("mongodb://ann:hunter2@127.0.0.1/ledger", "its address is no SQLAlchemy URL"),
        ("postgresql://ann:hunter2@127.0.0.1:1/ledger", "its postgresql database fails (nobody answers there)"),
    ],
    ids=["no-address", "another-kind", "nobody-answers"],
)
def test_a_ledger_that_cannot_be_used_says_so_in_one_line_without_its_address(url: str, says: str) -> None:
    from dagster._utils.error import serializable_error_info_from_exc_info

    with pytest.raises(LedgerUnavailableError) as caught:
        Ledger(url=url).rows(flights())
    assert says in str(caught.value)
    logged = serializable_error_info_from_exc_info(caught._excinfo).to_string()  # type: ignore[arg-type]
    assert not [word for word in ("ann:", "hunter2") if word in logged.replace(url, "")]
