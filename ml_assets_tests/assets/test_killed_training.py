"""A training that is killed with kill -9 in the middle of its search, and started again."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import dagster as dg
import pytest

from ml_assets.assets import keys
from ml_assets_tests.scenario import CUTOFF, WEEKS, Scenario, small_flights

pytestmark = pytest.mark.slow
TRIALS = 6


def _scenario(home: Path, instance: dg.DagsterInstance) -> Scenario:
    problem = small_flights()
    search = problem.search.model_copy(update={"max_trials": TRIALS, "max_rounds": 150})
    return Scenario(problem.model_copy(update={"search": search}), home, instance)


def train(home: Path) -> None:
    """What the killed process runs."""
    with dg.DagsterInstance.from_config(str(home)) as instance:
        scenario = _scenario(home, instance)
        assert scenario.run(keys.training_job(scenario.problem), CUTOFF).success


def test_a_training_killed_in_its_search_goes_on_and_loses_no_trial(tmp_path: Path) -> None:
    (tmp_path / "dagster.yaml").write_text("telemetry: {enabled: false}\n")
    with dg.DagsterInstance.from_config(str(tmp_path)) as instance:
        scenario = _scenario(tmp_path, instance)
        problem = scenario.problem
        for week in WEEKS:
            scenario.deliveries.deliver(week)
        assert scenario.run(keys.feature_store_job(problem)).success
        landing = [keys.source(problem, s.name) for s in problem.sources]
        landing += [keys.features(problem, v.name) for v in problem.feature_views]
        landing += [keys.stage(problem, name) for name in ("rows", "labels")]
        assert scenario.run_range(keys.landing_job(problem), WEEKS[0], WEEKS[-1], landing).success

        log = scenario.lake.model_folder(problem, CUTOFF) / "trials.jsonl"
        _kill_after_trials(tmp_path, log, 2)
        finished = log.read_bytes().splitlines()
        assert 3 <= len(finished) < TRIALS + 1  # a header, and some of the trials

        result = scenario.run(keys.training_job(problem), CUTOFF)
        assert result.success
        assert log.read_bytes().splitlines()[: len(finished) - 1] == finished[:-1]
        assert len(log.read_bytes().splitlines()) == TRIALS + 1

        client = scenario.registry.client()
        runs = client.search_runs([client.get_experiment_by_name(problem.name).experiment_id])
        parents = {run.info.run_id: run for run in runs if "mlflow.parentRunId" not in run.data.tags}
        children = [run for run in runs if "mlflow.parentRunId" in run.data.tags]
        [last] = [run_id for run_id, run in parents.items() if run.info.status == "FINISHED"]
        assert sorted(run.info.status for run in parents.values()) == ["FINISHED", "KILLED"]
        assert sorted(int(run.data.tags["ml_assets.trial"]) for run in children) == list(range(TRIALS))
        assert {run.data.tags["mlflow.parentRunId"] for run in children} == {last}


def _kill_after_trials(home: Path, log: Path, trials: int) -> None:
    code = f"from pathlib import Path\nfrom {__name__} import train\ntrain(Path({str(home)!r}))"
    root = str(Path(__file__).parents[2])
    process = subprocess.Popen(
        [sys.executable, "-c", code],
        cwd=root,
        start_new_session=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        deadline = time.monotonic() + 180
        while not log.exists() or log.read_bytes().count(b"\n") <= trials:
            assert process.poll() is None, "the training ended before it could be killed"
            assert time.monotonic() < deadline, "no trial finished in time"
            time.sleep(0.02)
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
