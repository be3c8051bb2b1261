"""Several processes change production through everything, MLflow included, while another looks at MLflow."""

import multiprocessing as mp
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing.synchronize import Barrier, Event
from pathlib import Path

import pytest

from ml_assets.errors import AlreadyProductionError, PromotionConflictError
from ml_assets.ml.promotion.decisions import current
from ml_assets_tests.lifecycle.shelf import ANN, Shelf

ROUNDS = 4
VERSIONS = (1, 2, 3)
pytestmark = pytest.mark.slow


@dataclass(frozen=True)
class Race:
    """What the processes share."""

    home: Path
    start: Barrier
    over: Event


def promoter(race: Race, version: int) -> list[str]:
    """Become production as often as it goes."""
    production, said = Shelf(race.home).production, []
    for _ in range(ROUNDS):
        race.start.wait(120)
        try:
            said.append(str(production.promote(version, ANN)))
        except (PromotionConflictError, AlreadyProductionError) as error:
            said.append(type(error).__name__)
    return said


def onlooker(race: Race) -> list[dict[str, int]]:
    """MLflow's aliases as often as they can be read."""
    shelf, seen = Shelf(race.home), []
    while not race.over.is_set():
        seen.append(shelf.registry.aliases(shelf.problem))
    return seen


def test_mlflow_names_one_production_version_at_any_moment_and_the_ledgers_at_the_end(shelf: Shelf) -> None:
    context = mp.get_context("forkserver")
    context.set_forkserver_preload([__name__, "mlflow", "xgboost"])
    with context.Manager() as shared, ProcessPoolExecutor(len(VERSIONS) + 1, context) as pool:
        race = Race(shelf.home, shared.Barrier(len(VERSIONS)), shared.Event())
        look = pool.submit(onlooker, race)
        runs = [pool.submit(promoter, race, version) for version in VERSIONS]
        try:
            said = [run.result(timeout=180) for run in runs]
        finally:
            race.over.set()  # else the onlooker never ends
        seen = look.result(timeout=60)
    assert len(seen) > ROUNDS
    assert all(aliases.get("production") in VERSIONS for aliases in seen)
    won = sum(text.startswith("promoted version") for each in said for text in each)
    rows = shelf.ledger.rows(shelf.problem)
    assert len(rows) == 3 + won
    champion = current(rows)
    assert champion is not None
    assert shelf.registry.aliases(shelf.problem)["production"] == champion.version
    assert shelf.registry.follow(shelf.problem, shelf.ledger) == []
