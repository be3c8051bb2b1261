"""Trials as MLflow runs: once each, below the run that goes on, with what became of them."""

from pathlib import Path

import pytest

from ml_assets.ml.search.trial_log import Trial
from ml_assets.resources.registry import Registry
from ml_assets.resources.tracking import MESSAGE, NUMBER, PARENT, STATUS, TrialRuns

TRIALS = [
    Trial(0, {"eta": 0.1, "grow_policy": "lossguide"}, 2.0, {"rmse": 2.0, "mae": 1.5}, 7, 0.5),
    Trial(1, {"eta": 0.2, "grow_policy": "depthwise"}, 3.0, {}, 4, 0.2, "pruned", "rmse of at best 2.9 to come"),
    Trial(2, {"eta": 0.3, "grow_policy": "depthwise"}, None, {}, None, 0.1, "failed", "its validation rmse ..."),
    Trial(3, {"eta": 0.4, "grow_policy": "depthwise"}, None, {}, None, 9.0, "timed_out", "it took over 5 s"),
]


@pytest.fixture
def registry(tmp_path: Path) -> Registry:
    found = Registry(tracking_uri=f"sqlite:///{tmp_path / 'mlflow.db'}", artifacts=(tmp_path / "artifacts").as_uri())
    found.ensure_experiment("flights")
    return found


def test_each_trial_is_one_run_that_says_what_became_of_it_also_after_a_restart(registry: Registry) -> None:
    client = registry.client()
    experiment = client.get_experiment_by_name("flights").experiment_id
    first = client.create_run(experiment)
    before = TrialRuns(client, first, "search-1")
    for trial in TRIALS[:2]:
        before.log(trial)
    second = client.create_run(experiment)
    after = TrialRuns(client, second, "search-1")  # the first process was killed
    for trial in TRIALS:
        after.log(trial)

    runs = {int(r.data.tags[NUMBER]): r for r in client.search_runs([experiment]) if NUMBER in r.data.tags}
    assert sorted(runs) == [0, 1, 2, 3]
    assert {run.data.tags[PARENT] for run in runs.values()} == {second.info.run_id}
    assert client.get_run(first.info.run_id).info.status == "KILLED"
    assert [runs[n].info.status for n in range(4)] == ["FINISHED", "FINISHED", "FAILED", "FAILED"]
    assert [runs[n].data.tags[STATUS] for n in range(4)] == ["ok", "pruned", "failed", "timed_out"]
    assert runs[0].data.metrics == {"rmse": 2.0, "mae": 1.5, "loss": 2.0, "best_iteration": 7.0}
    assert runs[0].data.params == {"eta": "0.1", "grow_policy": "lossguide"}
    assert (runs[1].data.metrics["loss"], runs[2].data.metrics) == (3.0, {})
    assert MESSAGE not in runs[0].data.tags
    assert runs[3].data.tags[MESSAGE] == "it took over 5 s"


def test_trials_of_another_search_are_left_alone(registry: Registry) -> None:
    client = registry.client()
    experiment = client.get_experiment_by_name("flights").experiment_id
    other, mine = client.create_run(experiment), client.create_run(experiment)
    TrialRuns(client, other, "search-1").log(TRIALS[0])
    TrialRuns(client, mine, "search-2").log(TRIALS[0])
    assert client.get_run(other.info.run_id).info.status == "RUNNING"
    runs = [run for run in client.search_runs([experiment]) if NUMBER in run.data.tags]
    assert {run.data.tags[PARENT] for run in runs} == {other.info.run_id, mine.info.run_id}
