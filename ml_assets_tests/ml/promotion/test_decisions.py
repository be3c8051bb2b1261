"""What rows of the ledger mean: two times, kept apart."""

import pytest

from ml_assets.ml.promotion.decisions import (
    Action,
    LedgerRow,
    archived_last,
    current,
    former_production,
    periods,
    production,
    stages,
)


def row(sequence: int, action: Action, version: int, cutoff: str, since: str = "", at: str = "") -> LedgerRow:
    user = "ann" if since else ""
    return LedgerRow(action, version, cutoff, "run", "why", "cause", "file:///m", "abc", {}, at, since, user, sequence)


FIRST = row(1, "promoted", 1, "04", at="2026-01-01")
REJECTED = row(2, "rejected", 2, "05", at="2026-01-02")
THIRD = row(3, "promoted", 3, "06", at="2026-01-03")
BACK = row(4, "rolled_back", 1, "04", since="08", at="2026-01-04")
LATE = row(5, "promoted", 4, "05", at="2026-01-05")
NEXT = row(6, "promoted", 5, "08", at="2026-01-06")


@pytest.mark.parametrize(
    ("rows", "window", "version"),
    [
        pytest.param([FIRST, REJECTED], "05", 1, id="a rejected version scores nothing"),
        pytest.param([FIRST, REJECTED, THIRD], "07", 3, id="a promoted one scores from its cutoff on"),
        pytest.param([FIRST, REJECTED, THIRD, BACK], "07", 3, id="a rollback leaves what was scored"),
        pytest.param([FIRST, REJECTED, THIRD, BACK], "08", 1, id="and holds from its first window on"),
        pytest.param([FIRST, REJECTED, THIRD, BACK, LATE], "05", 4, id="an early cutoff scores its own windows"),
        pytest.param([FIRST, REJECTED, THIRD, BACK, LATE], "09", 1, id="and no later ones"),
        pytest.param([FIRST, REJECTED, THIRD, BACK, NEXT], "08", 5, id="of one window the later decision counts"),
    ],
)
def test_who_scores_a_window(rows: list[LedgerRow], window: str, version: int) -> None:
    found = production(rows, window)
    assert found is not None
    assert found.version == version


def test_before_the_first_promotion_there_is_no_production() -> None:
    assert production([FIRST], "03") is None
    assert current([REJECTED]) is None
    assert stages([REJECTED]) == {2: "archived"}


def test_what_was_known_at_a_moment_leaves_out_what_was_decided_later() -> None:
    rows = [FIRST, REJECTED, THIRD, BACK]
    known = {moment: production(rows, "09", known_by=moment) for moment in ("2025", "2026-01-03", "2026-01-04")}
    assert [found and found.version for found in known.values()] == [None, 3, 1]


def test_all_windows_are_divided_among_decisions() -> None:
    spans = [(p.since, p.until, p.row.version) for p in periods([FIRST, REJECTED, THIRD, BACK, LATE])]
    assert spans == [("04", "05", 1), ("05", "06", 4), ("06", "08", 3), ("08", None, 1)]


@pytest.mark.parametrize("count", range(1, 7))
def test_there_is_one_production_version_after_every_decision(count: int) -> None:
    rows = [FIRST, REJECTED, THIRD, BACK, LATE, NEXT][:count]
    assert list(stages(rows).values()).count("production") == 1


@pytest.mark.parametrize(
    ("count", "version"), [(1, None), (2, 2), (3, 1), (4, 3), (5, 4), (6, 1)], ids=lambda value: str(value)
)
def test_the_version_archived_last_is_the_loser_of_the_last_decision(count: int, version: int | None) -> None:
    assert archived_last([FIRST, REJECTED, THIRD, BACK, LATE, NEXT][:count]) == version


def test_a_rollback_without_a_version_goes_on_backwards() -> None:
    fifth = row(4, "promoted", 5, "07")
    rows = [FIRST, REJECTED, THIRD, fifth]
    to = former_production(rows)
    assert to == THIRD
    rows.append(row(5, "rolled_back", 3, "06", since="08"))
    assert former_production(rows) == FIRST
    rows.append(row(6, "rolled_back", 1, "04", since="08"))
    assert former_production(rows) is None
