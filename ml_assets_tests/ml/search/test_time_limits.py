"""A trial that takes too long is recorded and the search goes on; a search that has used its time ends, and says so."""

import json
import subprocess
import sys
import time
from pathlib import Path

import pytest

from ml_assets.errors import AllTrialsFailedError
from ml_assets.ml.search.tuning import SearchResult
from ml_assets.spec import Choice, LogUniform
from ml_assets_tests.ml.small_search import SPEC, TRIALS, assert_same, lines, rows, run

ETA = LogUniform(kind="loguniform", low=0.1, high=0.5)
ENDLESS = SPEC.model_copy(
    update={
        "space": {"max_depth": Choice(kind="choice", values=(1, 12)), "eta": ETA},
        "fixed": {"max_bin": 256, "min_child_weight": 0, "num_parallel_tree": 1},
        "max_rounds": 1_000_000,
        "early_stopping_rounds": None,
        "trial_timeout_s": 0.2,
    }
)


def test_a_trial_over_its_limit_is_stopped_after_its_round_and_if_all_are_the_search_says_so(tmp_path: Path) -> None:
    began = time.monotonic()
    with pytest.raises(AllTrialsFailedError, match=r"All 3 trials .* it took over 0.2 s \(`search.trial_timeout_s`\)"):
        run(tmp_path / "log", ENDLESS, trials=3)
    assert time.monotonic() - began < 60  # a million rounds would take hours
    assert [line["status"] for line in lines(tmp_path / "log")[1:]] == ["timed_out"] * 3


def test_a_trial_that_had_too_little_time_is_trained_again_when_it_gets_more(tmp_path: Path) -> None:
    impatient = SPEC.model_copy(update={"trial_timeout_s": 1e-9})
    with pytest.raises(AllTrialsFailedError):
        run(tmp_path / "log", impatient, trials=2)
    with pytest.raises(AllTrialsFailedError):
        run(tmp_path / "log", impatient, trials=2)
    assert len(lines(tmp_path / "log")) == 1 + 2  # as little time as before: answered from the log
    patient = run(tmp_path / "log", SPEC, trials=2)
    assert [trial.status for trial in patient.trials] == ["ok", "ok"]
    assert_same(patient, run(tmp_path / "other", SPEC, trials=2))


HANGING = """
import sys
from pathlib import Path
from ml_assets_tests.ml.search.test_time_limits import search_that_hangs

search_that_hangs(Path(sys.argv[1]))
print("ended")
"""


def search_that_hangs(log: Path) -> SearchResult:
    """Some trials grow thousands of trees in one round, inside XGBoost, where no callback is asked."""
    space = {"num_parallel_tree": Choice(kind="choice", values=(1, 2500)), "eta": ETA}
    changes = {"space": space, "fixed": {"max_depth": 9, "max_bin": 64}, "trial_timeout_s": 0.5, "max_rounds": 5}
    return run(log, SPEC.model_copy(update=changes), trials=4, train=rows(30_000, 0))


@pytest.mark.slow
def test_a_trial_that_hangs_inside_a_round_is_left_alone_and_the_process_ends_at_the_end(tmp_path: Path) -> None:
    log = tmp_path / "log"
    done = subprocess.run([sys.executable, "-c", HANGING, str(log)], capture_output=True, text=True, timeout=120)
    assert (done.returncode, done.stdout.splitlines()[-1]) == (0, "ended"), done.stderr
    by_trees = {1: set(), 2500: set()}  # type: dict[int, set[str]]
    for line in lines(log)[1:]:
        by_trees[line["params"]["num_parallel_tree"]].add(line["status"])
    assert by_trees == {1: {"ok"}, 2500: {"timed_out"}}


def test_a_search_that_has_used_its_seconds_ends_with_the_first_trials_of_the_same_list(tmp_path: Path) -> None:
    whole = run(tmp_path / "whole")
    hurried = SPEC.model_copy(update={"max_seconds": 0.5})
    log = tmp_path / "log"
    short = run(log, hurried, on_trial=lambda trial: time.sleep(0.2))
    assert 1 <= len(short.trials) < TRIALS
    assert short.trials == whole.trials[: len(short.trials)]
    before = log.read_bytes()
    assert_same(run(log, hurried), short)  # however quick it is now
    assert log.read_bytes() == before
    assert_same(run(log), whole)  # without the limit the same search goes on
    assert json.loads(before.splitlines()[-1]) == {"stopped_after": len(short.trials), "max_seconds": 0.5}


def test_seconds_before_an_interruption_count(tmp_path: Path) -> None:
    log = tmp_path / "log"
    run(log, trials=3)
    header, *trials = lines(log)
    trials[-1] |= {"ended_s": 100.0}
    log.write_text("".join(json.dumps(line) + "\n" for line in [header, *trials]))
    assert len(run(log, SPEC.model_copy(update={"max_seconds": 100})).trials) == 3


def test_even_the_shortest_search_tries_once(tmp_path: Path) -> None:
    assert len(run(tmp_path / "log", SPEC.model_copy(update={"max_seconds": 1e-6})).trials) == 1
