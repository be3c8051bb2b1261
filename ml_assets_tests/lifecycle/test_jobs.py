"""The same changes from Dagster's UI, and a gate that is overtaken."""

from collections.abc import Iterator

import dagster as dg
import numpy as np
import pandas as pd
import pytest

from ml_assets.assets import gate, keys
from ml_assets.assets.lifecycle_jobs import build_lifecycle_jobs
from ml_assets.errors import PromotionConflictError
from ml_assets.ml.promotion.decisions import LedgerRow
from ml_assets.resources.ledger import Ledger
from ml_assets.resources.registry import Registry
from ml_assets.spec import Problem
from ml_assets_tests.lifecycle.shelf import ANN, Shelf, model_of
from ml_assets_tests.scenario import failure


@pytest.fixture(scope="module")
def instance() -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.ephemeral() as found:
        yield found


def _run(shelf: Shelf, instance: dg.DagsterInstance, job: str, op: str, **config: object) -> dg.ExecuteInProcessResult:
    resources = {"lake": shelf.lake, "registry": shelf.registry, "ledger": shelf.ledger}
    defs = dg.Definitions(jobs=build_lifecycle_jobs(shelf.problem), resources=resources)
    run_config = {"ops": {op: {"config": config}}} if config else {}
    found = defs.resolve_job_def(job)
    return found.execute_in_process(instance=instance, run_config=run_config, raise_on_error=False)


def test_a_rollback_from_the_ui_is_the_ledgers_and_stands_with_the_asset(
    shelf: Shelf, instance: dg.DagsterInstance
) -> None:
    job = keys.rollback_job(shelf.problem)
    done = _run(shelf, instance, job, "flights_rollback_version", reason="night flights", user="ann")
    assert done.success
    row = shelf.ledger.rows(shelf.problem)[-1]
    assert (row.version, row.user, row.reason, row.by) == (1, "ann", "night flights", done.run_id)
    [seen] = [
        event.asset_observation_data for event in done.all_events if event.event_type_value == "ASSET_OBSERVATION"
    ]
    assert seen.asset_observation.asset_key == keys.stage(shelf.problem, "registered_version")
    assert seen.asset_observation.partition == "2013-04-01"
    assert seen.asset_observation.metadata["since"].value == "2013-06-17"
    assert done.dagster_run.tags[keys.PROBLEM_TAG] == "flights"


def test_a_promotion_from_the_ui_names_the_gate_it_went_against(shelf: Shelf, instance: dg.DagsterInstance) -> None:
    job = keys.promote_job(shelf.problem)
    done = _run(shelf, instance, job, "flights_promote_version", version=2, reason="a trial", user="ann")
    assert done.success
    assert done.output_for_node("flights_promote_version") == 2
    assert shelf.ledger.rows(shelf.problem)[-1].numbers["against_gate"] == "by 2%"


def test_a_change_that_is_refused_fails_the_run_with_one_line(shelf: Shelf, instance: dg.DagsterInstance) -> None:
    job = keys.promote_job(shelf.problem)
    done = _run(shelf, instance, job, "flights_promote_version", version=3, reason="again", user="ann")
    assert failure(done).startswith("AlreadyProductionError: ")
    assert len(shelf.ledger.rows(shelf.problem)) == 3


def test_the_history_in_the_ui_mends_mlflow(shelf: Shelf, instance: dg.DagsterInstance) -> None:
    shelf.registry.client().set_registered_model_alias("flights", "production", "2")
    done = _run(shelf, instance, keys.history_job(shelf.problem), "flights_show_history")
    assert done.success
    assert done.output_for_node("flights_show_history") == 3
    assert shelf.registry.aliases(shelf.problem)["production"] == 3


class Overtaken(Ledger):
    """A ledger into which others write just after the gate has looked who is champion."""

    times: int

    def champion(self, problem: Problem, cutoff: str, version: int) -> LedgerRow | None:
        found = super().champion(problem, cutoff, version)
        rows = self.rows(problem)
        if len(rows) < 3 + self.times:
            version = 1 if found is not None and found.version == 3 else 3
            self.change(problem, rows[-1] if rows[-1].by_hand else rows[2], lambda rows: _back(rows, version))
        return found


def _back(rows: list[LedgerRow], version: int) -> LedgerRow:  # type: ignore[misc]
    gate_row = next(row for row in rows if row.version == version)
    return LedgerRow(**{**vars(gate_row), "action": "rolled_back", "since": "2013-06-17", "user": "ann"})


def _candidate(shelf: Shelf) -> tuple[LedgerRow, pd.DataFrame]:
    model_of(4).save(shelf.model_folder(4))
    shelf.registry.client().create_model_version("flights", shelf.model_folder(4).as_uri())
    rng, n = np.random.default_rng(0), 400
    rows = pd.DataFrame({"dep_hour": rng.uniform(0, 24, n), "origin_code": rng.choice(["EWR", "JFK"], n)})
    rows = rows.assign(arr_delay=rng.normal(size=n), split=np.where(np.arange(n) % 2, "test", "validation"))
    rows["event_timestamp"] = pd.Timestamp("2013-06-11", tz="UTC") + pd.to_timedelta(np.arange(n) % 48, unit="h")
    return shelf.row("rejected", 4, "2013-06-17"), rows


def test_a_challenger_that_is_overtaken_is_compared_with_the_new_champion(shelf: Shelf) -> None:
    candidate, rows = _candidate(shelf)
    ledger = Overtaken(url=shelf.ledger.url, times=1)
    verdict, row = _decide(shelf, candidate, rows, ledger)
    assert "of version 1 " in verdict.reason
    assert (row.sequence, row.version) == (5, 4)
    assert shelf.registry.aliases(shelf.problem)["production"] == (4 if verdict.promote else 1)


def test_a_challenger_that_is_overtaken_again_and_again_says_so(shelf: Shelf) -> None:
    candidate, rows = _candidate(shelf)
    with pytest.raises(PromotionConflictError, match="Version 4 of 'flights' was not made production"):
        _decide(shelf, candidate, rows, Overtaken(url=shelf.ledger.url, times=9))


def _decide(shelf: Shelf, candidate: LedgerRow, rows: pd.DataFrame, ledger: Ledger):  # type: ignore[no-untyped-def]
    # A gate that lets nearly everything through: what is looked at is against whom it decides.
    lax = shelf.problem.promotion.model_copy(update={"confidence": 0.51, "blocks": "row"})
    problem = shelf.problem.model_copy(update={"promotion": lax})
    model = model_of(4)
    exact = rows.assign(arr_delay=model.predict(rows))  # no error at all: better than any other
    registry: Registry = shelf.registry
    return gate.decide(problem, candidate, model, exact, registry, ledger)


def test_a_killed_gate_is_taken_up_again(shelf: Shelf) -> None:
    """Registered and named candidate, then killed: the next run decides upon the same version."""
    candidate, rows = _candidate(shelf)
    shelf.registry.stage(shelf.problem, 4)
    assert shelf.registry.aliases(shelf.problem)["staging"] == 4
    _, row = _decide(shelf, candidate, rows, shelf.ledger)
    assert (row.action, row.version) == ("promoted", 4)
    assert shelf.registry.aliases(shelf.problem) == {"production": 4, "archived": 3}
    assert shelf.production.rollback(None, ANN).row.version == 3
