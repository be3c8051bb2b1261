"""Searches on a real Spark cluster: the trials of this machine, none lost, whatever dies."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

from ml_assets.errors import (
    AllTrialsFailedError,
    ExecutorRefusedError,
    GpuRequiredError,
    NoSparkError,
    SparkMasterError,
)
from ml_assets.ml.search.run import Proposal
from ml_assets.ml.search.trial_log import Trial
from ml_assets.ml.training.distributed.executor import TrialRequest
from ml_assets.ml.training.distributed.spark_trials import SparkTrialRunner
from ml_assets.ml.training.fitting import TrainingData, prepare, train_trial
from ml_assets.ml.training.watch import Watch
from ml_assets.resources.spark import spark_session
from ml_assets.spec import Choice, Compute, Search
from ml_assets_tests.ml.small_search import FEATURES, SPEC, TRAIN, VALIDATION, assert_same, lines, run
from ml_assets_tests.spark.cluster import Cluster, why_not

pytestmark = [pytest.mark.long, pytest.mark.timeout(900)]
PARALLEL, TRIALS = 3, 11
SLOW = SPEC.model_copy(update={"max_rounds": 1500, "early_stopping_rounds": None, "pruning": None})
"""Trials of a second or so, so that there is a middle of a search."""
FAILING = SPEC.model_copy(
    update={
        "space": {
            "eta": Choice(kind="choice", values=(0.3, 0.1, 1e30)),
            "objective": Choice(kind="choice", values=("reg:squarederror", "reg:logistic")),
        },
        "fixed": {},
    }
)


def declared(cluster: Cluster, **others: object) -> Compute:
    settings = {"spark.executor.memory": "512m"}
    given = {"spark_master": cluster.master, "trials": "spark", "parallel_trials": PARALLEL, "spark_settings": settings}
    return Compute(**(given | others))


@contextmanager
def runner_on(cluster: Cluster, spec: Search = SPEC, **others: object) -> Iterator[SparkTrialRunner]:
    compute = declared(cluster, **others)
    data = prepare(TRAIN, VALIDATION, FEATURES, "y", spec, "regression")
    request = TrialRequest.of(TRAIN, VALIDATION, FEATURES, "y", spec, compute, data)
    with spark_session(compute, "test", threads=spec.trial_threads) as spark:
        runner = SparkTrialRunner(spark, request, compute.parallel_trials)
        try:
            yield runner
        finally:
            runner.close()


class Here:
    """The same batches in this process."""

    parallel = PARALLEL

    def __init__(self, spec: Search) -> None:
        self._spec = spec
        self._data: TrainingData = prepare(TRAIN, VALIDATION, FEATURES, "y", spec, "regression")

    def run(self, batch: Sequence[Proposal]) -> Iterator[tuple[Trial, bytes | None]]:
        for one in batch:
            watch = Watch(self._spec, one.target)
            trial, booster = train_trial(self._data, self._spec, one.point, one.number, watch)
            yield trial, None if booster is None else bytes(booster.save_raw(raw_format="ubj"))


@pytest.mark.parametrize("spec", [SPEC, FAILING], ids=["all-well", "with-failing-trials"])
def test_a_search_on_a_cluster_has_the_trials_and_the_model_of_one_here(
    tmp_path: Path, cluster: Cluster, spec: Search
) -> None:
    with runner_on(cluster, spec) as runner:
        found = run(tmp_path / "spark", spec, TRIALS, runner=runner)
        again = run(tmp_path / "spark", spec, TRIALS, runner=runner)
    assert_same(found, run(tmp_path / "here", spec, TRIALS, runner=Here(spec)))
    assert_same(again, found)
    assert all(trial.resumed for trial in again.trials)
    if spec is FAILING:
        assert 0 < sum(trial.status == "failed" for trial in found.trials) < TRIALS


def test_matrices_are_cut_once_per_process_so_a_small_trial_takes_little(tmp_path: Path, cluster: Cluster) -> None:
    """Were Hyperopt's own way taken, each of the trials would have a process of its own."""
    with runner_on(cluster) as runner:
        run(tmp_path / "log", trials=TRIALS, runner=runner)
        spark = runner._spark.sparkContext
        seen = spark.parallelize(range(8), 8).map(lambda _: _matrices_here()).collect()
    assert {count for _, count in seen} == {1}
    assert len({process for process, _ in seen}) <= len(cluster.workers)


def _matrices_here() -> tuple[int, int]:
    from ml_assets.ml.training.distributed import executor

    return os.getpid(), len(executor._READY)


def test_a_search_ends_with_all_its_trials_though_a_worker_is_killed(tmp_path: Path, cluster: Cluster) -> None:
    log, killed = tmp_path / "log", threading.Event()

    def kill_in_the_middle() -> None:
        while not log.exists() or len(lines(log)) < 4:
            time.sleep(0.05)
        assert cluster.kill(cluster.workers[-1]) >= 3  # the worker, its executor, its Python
        killed.set()

    with runner_on(cluster, SLOW) as runner:
        run(tmp_path / "warm", SLOW, PARALLEL, runner=runner)  # so that both workers have executors at work
        threading.Thread(target=kill_in_the_middle, daemon=True).start()
        found = run(log, SLOW, TRIALS, runner=runner)
    assert killed.is_set()
    assert [trial.number for trial in found.trials] == list(range(TRIALS))
    assert {trial.status for trial in found.trials} == {"ok"}
    assert_same(found, run(tmp_path / "here", SLOW, TRIALS, runner=Here(SLOW)))
    cluster.add_worker()
    cluster.wait_for_workers()


def test_a_search_whose_driver_is_killed_goes_on_from_its_last_trial(tmp_path: Path, cluster: Cluster) -> None:
    log = tmp_path / "log"
    script = f"""
from ml_assets_tests.spark.test_spark_trials import *
cluster = Cluster(Path("."))
cluster.master = {cluster.master!r}
with runner_on(cluster, SLOW) as runner:
    run(Path({str(log)!r}), SLOW, TRIALS, runner=runner)
"""
    with (tmp_path / "driver.log").open("wb") as out:
        driver = subprocess.Popen([sys.executable, "-c", script], stdout=out, stderr=out)
    while not log.exists() or len(lines(log)) < 5:
        assert driver.poll() is None, (tmp_path / "driver.log").read_text()
        time.sleep(0.05)
    driver.send_signal(signal.SIGKILL)
    driver.wait()
    with runner_on(cluster, SLOW) as runner:
        found = run(log, SLOW, TRIALS, runner=runner)
    assert 4 <= sum(trial.resumed for trial in found.trials) < TRIALS
    assert_same(found, run(tmp_path / "here", SLOW, TRIALS, runner=Here(SLOW)))


def test_if_all_trials_fail_the_search_says_why(tmp_path: Path, cluster: Cluster) -> None:
    spec = FAILING.model_copy(update={"space": {"eta": Choice(kind="choice", values=(1e30,))}})
    with runner_on(cluster, spec) as runner, pytest.raises(AllTrialsFailedError, match="not finite"):
        run(tmp_path / "log", spec, 3, runner=runner)


def test_executors_with_other_packages_are_refused_before_any_trial(cluster: Cluster) -> None:
    data = prepare(TRAIN, VALIDATION, FEATURES, "y", SPEC, "regression")
    request = TrialRequest.of(TRAIN, VALIDATION, FEATURES, "y", SPEC, declared(cluster), data)
    request.packages["xgboost"] = "1.0"  # type: ignore[index]
    with (
        spark_session(declared(cluster), "test") as spark,
        pytest.raises(ExecutorRefusedError, match=r"xgboost is .* but 1\.0 on the driver"),
    ):
        SparkTrialRunner(spark, request, PARALLEL)


def test_rows_that_executors_encode_otherwise_are_refused(tmp_path: Path, cluster: Cluster) -> None:
    data = prepare(TRAIN, VALIDATION, FEATURES, "y", SPEC, "regression")
    request = TrialRequest.of(TRAIN[:-1], VALIDATION, FEATURES, "y", SPEC, declared(cluster), data)
    with spark_session(declared(cluster), "test") as spark:
        runner = SparkTrialRunner(spark, request, PARALLEL)
        with pytest.raises(ExecutorRefusedError, match="the hash of the encoded rows"):
            run(tmp_path / "log", trials=3, runner=runner)
        runner.close()


def test_without_a_gpu_executors_fall_back_with_a_warning_or_fail_by_name(tmp_path: Path, cluster: Cluster) -> None:
    with runner_on(cluster, device="cuda") as runner:
        found = run(tmp_path / "log", trials=3, runner=runner)
        assert any("no GPU is visible" in warning for warning in runner.warnings)
    assert_same(found, run(tmp_path / "here", trials=3, runner=Here(SPEC)))
    with (
        runner_on(cluster, device="cuda", gpu_required=True) as runner,
        pytest.raises(GpuRequiredError, match="executor"),
    ):
        run(tmp_path / "required", trials=3, runner=runner)


@pytest.mark.skipif(bool(why_not()), reason=why_not())
def test_a_master_that_is_not_there_is_named_at_once() -> None:
    compute = Compute(spark_master="spark://127.0.0.1:1", trials="spark")
    with pytest.raises(SparkMasterError, match=r"spark://127\.0\.0\.1:1"), spark_session(compute, "test"):
        pass


def test_without_pyspark_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyspark", None)  # as an import finds it where it is not installed
    compute = Compute(spark_master="local[1]", trials="spark")
    with pytest.raises(NoSparkError, match=r"pip install 'ml_assets\[spark\]'"), spark_session(compute, "test"):
        pass
