"""By declaration alone a search runs on a real Spark cluster."""

from pathlib import Path
from typing import Any

import dagster as dg
import numpy as np
import pandas as pd
import pytest

from ml_assets.assets import keys
from ml_assets.ml.training.model import Model
from ml_assets.ml.training.row_batches import ParquetRows
from ml_assets.resources.search_place import SearchTask, search_where_declared
from ml_assets.spec import Compute
from ml_assets_tests.assets.test_tasks import CUTOFF, declared, write_history
from ml_assets_tests.ml.estimators.kinds import OWN, place, spec
from ml_assets_tests.ml.small_search import FEATURES, SPEC, TRAIN, VALIDATION
from ml_assets_tests.ml.training.test_external_memory import parquet
from ml_assets_tests.scenario import Scenario, failure
from ml_assets_tests.spark.cluster import Cluster

pytestmark = [pytest.mark.long, pytest.mark.timeout(900)]
REFITTED = SPEC.model_copy(update={"refit": True})
PLACES = {
    "trials": ({"trials": "spark", "parallel_trials": 2}, 0.0),
    # On so few rows the bins of two workers put together are others: a visible difference, though none that matters.
    "training": ({"training": "spark", "training_workers": 2}, 0.1),
}
"""Declaration, and mean difference of predictions from a search here, in units of the label's spread."""


@pytest.mark.parametrize(("where", "tolerance"), PLACES.values(), ids=PLACES)
def test_the_declaration_puts_a_search_on_spark_and_refits_there(
    tmp_path: Path, cluster: Cluster, where: dict[str, Any], tolerance: float
) -> None:
    compute = Compute(spark_master=cluster.master, spark_settings={"spark.executor.memory": "512m"}, **where)
    rows = ParquetRows(parquet(tmp_path / "rows"), batch_rows=1_000)
    given = SearchTask(rows, FEATURES, "y", "regression", REFITTED, compute, tmp_path / "scratch", "test")
    found = search_where_declared(given, trials=2, log=tmp_path / "log")
    here = SearchTask(rows, FEATURES, "y", "regression", REFITTED, Compute(), tmp_path / "scratch", "test")
    expected = search_where_declared(here, trials=2, log=tmp_path / "expected")
    assert [trial.params for trial in found.trials] == [trial.params for trial in expected.trials]
    found.model.save(tmp_path / "model")
    both = pd.concat([TRAIN, VALIDATION])
    difference = Model.load(tmp_path / "model").predict(both) - expected.model.predict(both)
    assert np.abs(difference).mean() <= tolerance * both["y"].std()


@pytest.mark.parametrize("kind", ["hist_gradient_boosting", OWN])
def test_trials_of_other_estimators_are_the_same_on_spark(tmp_path: Path, cluster: Cluster, kind: str) -> None:
    settings = {"spark.executor.memory": "512m"}
    compute = Compute(spark_master=cluster.master, spark_settings=settings, trials="spark", parallel_trials=2)
    rows, folder = ParquetRows(parquet(tmp_path / "rows"), batch_rows=1_000), place(tmp_path / "declared")
    about = (rows, FEATURES, "y", "regression", spec(kind))
    found, expected = (
        search_where_declared(
            SearchTask(*about, where, tmp_path / "scratch", "test", folder), trials=2, log=tmp_path / log
        )
        for where, log in ((compute, "log"), (Compute(), "expected"))
    )
    assert [trial.status for trial in found.trials] == ["ok", "ok"]
    assert found.trials == expected.trials
    assert found.model.to_files() == expected.model.to_files()


def test_a_problem_that_declares_spark_is_trained_there_and_its_version_scores_here(
    tmp_path: Path, cluster: Cluster
) -> None:
    settings = {"spark.executor.memory": "512m"}
    compute = Compute(spark_master=cluster.master, trials="spark", parallel_trials=2, spark_settings=settings)
    here, there = (declared("tumours").model_copy(update={"compute": place}) for place in (Compute(), compute))
    losses = []
    for problem, home in ((here, tmp_path / "here"), (there, tmp_path / "there")):
        home.mkdir()
        with dg.DagsterInstance.ephemeral() as instance:
            scenario = Scenario(problem, home, instance)
            write_history(scenario)
            result = scenario.run(keys.training_job(problem), CUTOFF)
            assert result.success, failure(result)
            [tuned] = result.asset_materializations_for_node(f"{problem.name}__tuned_model")
            losses.append([tuned.metadata[name].value for name in ("trials", "test_logloss")])
            [row] = scenario.ledger.rows(problem)
            assert scenario.registry.load(problem, row).features == list(problem.features)
    assert losses[0][0] == losses[1][0]
    assert losses[0][1] == pytest.approx(losses[1][1], rel=0.2)  # two trials at a time are proposed from fewer others
