"""A search that is killed with SIGKILL at any moment goes on as if it had never been."""

import os
import random
import signal
import time
from collections.abc import Mapping
from multiprocessing import get_context
from pathlib import Path
from threading import Lock
from typing import Any

import pytest

from ml_assets.ml.search.trial_log import TrialLog
from ml_assets.ml.search.tuning import SearchResult
from ml_assets.spec import Pruning, Search
from ml_assets_tests.ml.small_search import SPEC, assert_same, lines, run

TRIALS = 14
SPECS = {
    "one-by-one": SPEC.model_copy(update={"pruning": Pruning(after_trials=3, horizon_rounds=5)}),
    "in-parallel": SPEC.model_copy(update={"threads": 2, "parallel_trials": 2}),
}
# A server that has imported all, and has trained nothing: from it a process begins in no time.
CONTEXT = get_context("forkserver")
CONTEXT.set_forkserver_preload(["ml_assets_tests.ml.search.test_killed_search", "xgboost", "hyperopt.tpe"])


def search_all(log: Path, spec: Search) -> None:
    run(log, spec, TRIALS)


def search_until_torn(log: Path, spec: Search, line: int, byte: int) -> None:
    """Die with SIGKILL in the middle of writing a line."""
    write, lock, written = TrialLog._write, Lock(), 0

    def torn(self: TrialLog, value: Mapping[str, Any]) -> None:
        nonlocal written
        lock.acquire()  # no other thread writes any more, once this one is the one to die
        written += 1
        write(self, value)
        if written < line:
            return lock.release()
        whole = self.path.read_bytes()
        start = whole.rindex(b"\n", 0, len(whole) - 1) + 1
        os.truncate(self.path, start + byte % (len(whole) - start))
        os.kill(os.getpid(), signal.SIGKILL)

    TrialLog._write = torn  # type: ignore[method-assign]
    search_all(log, spec)


def search_until_begun(log: Path, spec: Search) -> None:
    """Die with SIGKILL when the first line is written, but not yet in its place."""
    Path.replace = lambda *_: os.kill(os.getpid(), signal.SIGKILL)  # type: ignore[method-assign,assignment,return-value]
    search_all(log, spec)


@pytest.fixture(scope="module", params=SPECS)
def uninterrupted(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, SearchResult]:
    spec = SPECS[request.param]
    return request.param, run(tmp_path_factory.mktemp("uninterrupted") / "log", spec, TRIALS)


def killed_after(log: Path, spec: Search, seconds: float) -> bool:
    """Start the search, wait for a new line in its log and then so long, and kill it; whether it had not ended yet."""
    before = written(log)
    process = CONTEXT.Process(target=search_all, args=(log, spec))
    process.start()
    while process.is_alive() and written(log) == before:
        time.sleep(0.001)
    process.join(seconds)
    process.kill()
    process.join()
    assert process.exitcode in (0, -signal.SIGKILL)
    return process.exitcode != 0


def written(log: Path) -> int:
    return log.read_bytes().count(b"\n") if log.exists() else 0


def died(target: Any, *arguments: object) -> bool:
    process = CONTEXT.Process(target=target, args=arguments)
    process.start()
    process.join(120)
    return process.exitcode == -signal.SIGKILL


@pytest.mark.slow
def test_killed_at_random_moments_it_ends_as_if_never_killed(
    tmp_path: Path, uninterrupted: tuple[str, SearchResult]
) -> None:
    name, result = uninterrupted
    log, kills, dice = tmp_path / "log", 0, random.Random(5)  # noqa: S311
    trial_s = result.trials[-1].ended_s / TRIALS
    while killed_after(log, SPECS[name], dice.uniform(0, 2 * trial_s)):
        kills += 1
        assert kills <= TRIALS + 1  # each time at least one line was gained
    assert kills >= 3
    assert not list(tmp_path.glob("*.old"))
    assert sorted(line["number"] for line in lines_that_parse(log)[1:]) == list(range(TRIALS))
    assert_same(run(log, SPECS[name], TRIALS), result)


@pytest.mark.parametrize(("line", "byte"), [(1, 0), (1, 1), (4, 57), (9, 10_000_019), (TRIALS, 200)])
def test_killed_while_it_writes_it_ends_as_if_never_killed(
    tmp_path: Path, uninterrupted: tuple[str, SearchResult], line: int, byte: int
) -> None:
    name, result = uninterrupted
    log = tmp_path / "log"
    assert died(search_until_torn, log, SPECS[name], line, byte)
    resumed = run(log, SPECS[name], TRIALS)
    assert sum(trial.resumed for trial in resumed.trials) == line - 1
    assert_same(resumed, result)
    assert all(trial.resumed for trial in run(log, SPECS[name], TRIALS).trials)


def test_killed_before_its_log_has_begun_it_ends_as_if_never_killed(
    tmp_path: Path, uninterrupted: tuple[str, SearchResult]
) -> None:
    name, result = uninterrupted
    assert died(search_until_begun, tmp_path / "log", SPECS[name])
    assert_same(run(tmp_path / "log", SPECS[name], TRIALS), result)


def lines_that_parse(log: Path) -> list[dict[str, Any]]:
    """The log without lines that a kill left torn."""
    whole = [line for line in log.read_text().splitlines() if line.startswith("{") and line.endswith("}")]
    copy = log.with_name("whole")
    copy.write_text("\n".join(whole))
    return lines(copy)
