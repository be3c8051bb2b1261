"""Eight processes change production at once, two others look all the time: on SQLite and on a real PostgreSQL."""

import multiprocessing as mp
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import cache
from multiprocessing.synchronize import Barrier, Event
from pathlib import Path
from typing import Any

import pytest

from ml_assets.errors import PromotionConflictError
from ml_assets.ml.promotion.decisions import LedgerRow, current, stages
from ml_assets.resources.ledger import Ledger
from ml_assets.spec import Problem
from ml_assets_tests.real_servers import fresh_database

RACERS, ROUNDS = 8, 6
pytestmark = pytest.mark.slow


@dataclass(frozen=True)
class Race:
    """What the processes share."""

    url: str
    start: Barrier
    read: Barrier
    over: Event


@cache
def problem() -> Problem:
    """The smallest there is; the ledger asks only for its name."""
    return Problem.model_validate(
        {
            "name": "race",
            "cadence": {"kind": "daily", "start": "2024-01-01"},
            "sources": [{"name": "s", "columns": {"id": "int64", "at": "timestamp"}, "event_time": "at"}],
            "rows": {"key": ["id"], "features": {"x": "float"}},
            "label": {"name": "y"},
        }
    )


def row(version: int, user: str = "ann") -> LedgerRow:
    return LedgerRow("promoted", version, "2024-01-01", "by", "why", "cause", "file:///m", "h", {}, user=user)


def racer(race: Race, number: int) -> list[tuple[int, str]]:
    """Round after round: see who is production, then, all at once, become it oneself."""
    ledger, done = Ledger(url=race.url), []
    for turn in range(ROUNDS):
        race.start.wait(60)
        expected = current(ledger.rows(problem()))
        race.read.wait(60)
        version = 100 * (turn + 1) + number
        try:
            ledger.change(problem(), expected, lambda rows, version=version: row(version))  # type: ignore[misc]
            done.append((version, "won"))
        except PromotionConflictError as error:
            done.append((version, str(error)))
    return done


def onlooker(race: Race) -> list[tuple[int, int]]:
    """(sequence, production versions) as often as it can be read."""
    ledger, seen = Ledger(url=race.url), []
    while not race.over.is_set():
        rows = ledger.rows(problem())
        seen.append((rows[-1].sequence, list(stages(rows).values()).count("production")))
    return seen


def newcomer(race: Race, number: int) -> int:
    """The first row of a problem, in a database that has no table yet."""
    race.start.wait(60)
    try:
        return Ledger(url=race.url).change(problem(), None, lambda rows: row(number)).version
    except PromotionConflictError:
        return 0


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'ledger.db'}"
        return
    with fresh_database(request.getfixturevalue("postgresql")) as address:
        yield address


@pytest.fixture(scope="module")
def processes() -> Any:
    """A forkserver that has imported this file once."""
    context = mp.get_context("forkserver")
    context.set_forkserver_preload([__name__])
    return context


def test_of_racing_promotions_one_wins_and_production_is_one_version_at_any_moment(url: str, processes: Any) -> None:
    Ledger(url=url).record(problem(), row(1, user=""))
    with processes.Manager() as shared, ProcessPoolExecutor(RACERS + 2, processes) as pool:
        race = Race(url, shared.Barrier(RACERS), shared.Barrier(RACERS), shared.Event())
        looks = [pool.submit(onlooker, race) for _ in range(2)]
        runs = [pool.submit(racer, race, number) for number in range(RACERS)]
        try:
            results = [run.result(timeout=120) for run in runs]
        finally:
            race.over.set()  # else the onlookers never end
        seen = [look.result(timeout=60) for look in looks]
    rows = Ledger(url=url).rows(problem())
    for turn in range(ROUNDS):
        outcomes = {version: said for result in results for version, said in [result[turn]]}
        [winner] = [version for version, said in outcomes.items() if said == "won"]
        assert rows[turn + 1].version == winner
        told = f"but version {winner} became production meanwhile"
        assert all(told in said for version, said in outcomes.items() if version != winner)
    assert [each.sequence for each in rows] == list(range(1, ROUNDS + 2))
    for looked in seen:
        assert len(looked) > ROUNDS
        assert {count for _, count in looked} == {1}
        assert [sequence for sequence, _ in looked] == sorted(sequence for sequence, _ in looked)


def test_of_first_promotions_into_an_empty_database_one_wins(url: str, processes: Any) -> None:
    with processes.Manager() as shared, ProcessPoolExecutor(RACERS, processes) as pool:
        race = Race(url, shared.Barrier(RACERS), shared.Barrier(RACERS), shared.Event())
        runs = [pool.submit(newcomer, race, number) for number in range(1, RACERS + 1)]
        [winner] = [version for version in (run.result(timeout=120) for run in runs) if version]
    assert [each.version for each in Ledger(url=url).rows(problem())] == [winner]
