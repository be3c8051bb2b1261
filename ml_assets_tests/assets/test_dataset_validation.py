"""Validation of a training set: a critical rule leaves the former one in its place and stops the training."""

from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pyarrow.parquet as pq
import pytest

from ml_assets.assets import keys
from ml_assets.assets.validation_check import CHECK
from ml_assets.spec import InSet
from ml_assets_tests.assets.test_tasks import CUTOFF, declared, write_history
from ml_assets_tests.scenario import Scenario, check_results, failure

pytestmark = pytest.mark.slow
HERE = InSet(kind="in_set", column="place", values=("here",))


@pytest.fixture(scope="module")
def history(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scenario]:
    """Rows of which every other lies elsewhere, and a training set made without rules."""
    with dg.DagsterInstance.ephemeral() as instance:
        scenario = Scenario(declared("tumours"), tmp_path_factory.mktemp("tumours"), instance)
        write_history(scenario)
        result = make(scenario)
        assert result.success, failure(result)
        yield scenario


def make(scenario: Scenario) -> dg.ExecuteInProcessResult:
    key = keys.stage(scenario.problem, "dataset")
    return scenario.run(keys.training_job(scenario.problem), CUTOFF, asset_selection=[key])


def with_rule(history: Scenario, **changes: object) -> Scenario:
    problem = history.problem.model_copy(update={"validation": (HERE.model_copy(update=changes),)})
    return Scenario(problem, history.home, history.instance)


def file(scenario: Scenario) -> Path:
    return scenario.lake.stage(scenario.problem, "dataset", CUTOFF)


def quarantine(scenario: Scenario) -> Path:
    return scenario.lake.quarantine(scenario.problem.name, "dataset", CUTOFF)


def test_a_training_set_that_breaks_a_critical_rule_is_refused_and_the_former_one_stays(history: Scenario) -> None:
    scenario, before = with_rule(history), file(history).read_bytes()
    result = make(scenario)
    assert "ValidationFailedError" in failure(result)
    assert f"dataset of 'tumours' of {CUTOFF} (place in here: failed" in failure(result)
    assert file(scenario).read_bytes() == before
    check = check_results(scenario.instance, keys.stage(scenario.problem, "dataset"), CHECK)[CUTOFF]
    assert not check.passed
    assert set(pq.read_table(quarantine(scenario))["place"].to_pylist()) == {"there"}


def test_rows_that_may_be_set_aside_leave_the_training_set(history: Scenario) -> None:
    scenario = with_rule(history, max_quarantined=0.6)
    assert make(scenario).success
    rows, aside = pq.read_table(file(scenario)), pq.read_table(quarantine(scenario))
    assert set(rows["place"].to_pylist()) == {"here"}
    assert set(aside["broken_rules"].to_pylist()) == {"place in here"}
    assert aside.column_names == [*rows.column_names, "broken_rules"]


def test_without_rules_a_training_set_has_no_such_check(history: Scenario) -> None:
    key = keys.stage(history.problem, "dataset")
    assert CHECK not in {
        each.name for each in history.defs.resolve_asset_graph().asset_check_keys if each.asset_key == key
    }
