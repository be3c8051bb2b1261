"""Claims on the next training: one location holds it, however many ask at the same moment."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from ml_assets.automation.claims import EXPIRES, claim
from ml_assets_tests.processes import at_once
from ml_assets_tests.real_servers import fresh_database

NOW = datetime(2026, 11, 29, 12, tzinfo=UTC)


@pytest.fixture(params=["sqlite", "postgresql"])
def ledger(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'ledger.db'}"
        return
    with fresh_database(request.getfixturevalue("postgresql")) as url:
        yield url.replace("postgresql://", "postgresql+psycopg://", 1)


def _ask(start: Callable[[], None], ledger: str, location: str, told: str) -> None:
    start()
    if claim(ledger, "flights", "run 1", location, NOW) == location:
        Path(told, location).touch()


@pytest.mark.slow
def test_of_locations_that_ask_at_the_same_moment_one_holds_the_training(ledger: str, tmp_path: Path) -> None:
    told = tmp_path / "told"
    told.mkdir()
    at_once(_ask, [(ledger, f"location {number}", str(told)) for number in range(4)])
    holders = [path.name for path in told.iterdir()]
    assert len(holders) <= 1  # who meets another one while it makes the table waits for the next tick
    asked = {claim(ledger, "flights", "run 1", f"location {number}", NOW) for number in range(4)}
    assert asked == set(holders or ["location 0"])


def test_the_holder_may_ask_again_and_others_after_a_day(ledger: str) -> None:
    def ask(location: str, later: timedelta = timedelta()) -> str:
        return claim(ledger, "flights", "run 1", location, NOW + later)

    assert ask("one") == "one"
    assert ask("two") == "one"
    assert ask("one", timedelta(hours=1)) == "one"
    assert ask("two", timedelta(hours=1) + EXPIRES) == "one"
    assert ask("two", timedelta(hours=2) + EXPIRES) == "two"
    assert ask("one", timedelta(hours=3) + EXPIRES) == "two"


def test_other_trainings_and_problems_are_other_claims(ledger: str) -> None:
    assert claim(ledger, "flights", "run 1", "one", NOW) == "one"
    assert claim(ledger, "flights", "run 2", "two", NOW) == "two"
    assert claim(ledger, "churn", "run 1", "two", NOW) == "two"
