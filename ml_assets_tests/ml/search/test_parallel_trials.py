"""Several trials at once: the same list whoever ends first, and what each of them may know."""

import time
from pathlib import Path
from threading import Event

import pytest
from pydantic import ValidationError

from ml_assets.ml.search.trial_threads import TrialThreads
from ml_assets.spec import Search
from ml_assets_tests.ml.small_search import SPEC, TRIALS, assert_same, lines, run

PARALLEL = SPEC.model_copy(update={"threads": 3, "parallel_trials": 3})


def test_the_list_of_trials_does_not_depend_on_who_ends_first(tmp_path: Path) -> None:
    found = run(tmp_path / "log", PARALLEL)
    slow = run(tmp_path / "slow", PARALLEL, on_trial=lambda trial: time.sleep(0.05 * (trial.number % 3)))
    assert_same(slow, found)
    assert [trial.number for trial in found.trials] == list(range(TRIALS))
    assert found.model.params["nthread"] == 1


def test_a_logged_trial_out_of_order_is_not_trained_again(tmp_path: Path) -> None:
    found = run(tmp_path / "log", PARALLEL)
    header, *trials = (tmp_path / "log").read_text().splitlines(keepends=True)
    order = sorted(trials, key=lambda line: '"number": 4,' in line)[3:]  # 0, 1 and 2 are missing, 4 comes last
    (tmp_path / "log").write_text("".join([header, *order]))
    resumed = run(tmp_path / "log", PARALLEL)
    assert_same(resumed, found)
    assert sum(trial.resumed for trial in resumed.trials) == TRIALS - 3
    assert sorted(line["number"] for line in lines(tmp_path / "log")[1:]) == list(range(TRIALS))


@pytest.mark.parametrize(("threads", "parallel", "each"), [(2, 1, 2), (2, 2, 1), (7, 2, 3)])
def test_threads_are_divided_between_parallel_trials(threads: int, parallel: int, each: int) -> None:
    assert Search(threads=threads, parallel_trials=parallel).trial_threads == each


def test_more_parallel_trials_than_threads_are_refused() -> None:
    with pytest.raises(ValidationError, match="parallel_trials 3 need a thread each, and threads is 2"):
        Search(threads=2, parallel_trials=3)


def test_an_error_in_a_trials_thread_reaches_the_search() -> None:
    def fails() -> int:
        raise ZeroDivisionError("in the thread")

    threads = TrialThreads(1)
    with pytest.raises(ZeroDivisionError, match="in the thread"):
        threads.outcome(threads.start(fails, lambda result: result), None)
    threads.close()


def test_what_was_given_up_is_never_kept_and_another_thread_takes_its_place(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ml_assets.ml.search.trial_threads._GRACE_S", 0.0)
    kept: list[str] = []
    release = Event()

    def keep(result: str) -> str:
        kept.append(result)
        return result

    def hangs() -> str:
        release.wait(10)
        return "late"

    threads = TrialThreads(1)
    hanging = threads.start(hangs, keep)
    after = threads.start(lambda: "next", keep)
    assert threads.outcome(hanging, 0.05) is None
    assert threads.outcome(after, 5) == "next"
    release.set()
    assert hanging.ended.wait(5)
    threads.close()
    assert kept == ["next"]
