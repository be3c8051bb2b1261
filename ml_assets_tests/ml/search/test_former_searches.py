"""A search begins with the champion's parameters and the best of former searches, also when it goes on."""

import json
from pathlib import Path

import pytest

from ml_assets.ml.search.former_searches import LOG, best_points, logs_before
from ml_assets.ml.search.tuning import SearchResult
from ml_assets.spec import Integer, Task
from ml_assets_tests.ml.small_search import SPEC, assert_same, rows, run

TWO = SPEC.model_copy(update={"former_trials": 2})


@pytest.fixture(scope="module")
def former(tmp_path_factory: pytest.TempPathFactory) -> tuple[list[Path], list[SearchResult]]:
    """Two former searches on other rows, newest first."""
    logs = [tmp_path_factory.mktemp(name) / "trials.jsonl" for name in ("newer", "older")]
    specs = [SPEC.model_copy(update={"seed": seed}) for seed in (11, 12)]
    return logs, [run(log, s, 4, train=rows(900, s.seed)) for log, s in zip(logs, specs, strict=True)]


def ranked(result: SearchResult) -> list[dict[str, object]]:
    done = sorted((trial for trial in result.trials if trial.status == "ok"), key=lambda trial: trial.loss_or_inf)
    return [dict(trial.params) for trial in done]


def test_the_searches_take_turns_newest_first(former: tuple[list[Path], list[SearchResult]]) -> None:
    logs, (newer, older) = former
    first, second = ranked(newer), ranked(older)
    assert best_points(logs, SPEC, "regression", "y", 3) == [first[0], second[0], first[1]]
    assert len(best_points(logs, SPEC, "regression", "y", 99)) == 8


def test_the_champion_comes_first_and_no_point_twice(
    tmp_path: Path, former: tuple[list[Path], list[SearchResult]]
) -> None:
    logs, (newer, older) = former
    champion = newer.best.params
    found = run(tmp_path / "log", TWO, 4, warm_start=champion, former=logs)
    expected = [champion, ranked(older)[0], ranked(newer)[1]]
    assert [trial.params for trial in found.trials[:3]] == expected
    assert found.given == 3
    assert run(tmp_path / "one", TWO, 1, warm_start=champion, former=logs).trials == found.trials[:1]
    assert run(tmp_path / "none", TWO.model_copy(update={"former_trials": 0}), 2, former=logs).given == 0


def test_a_search_that_goes_on_keeps_its_first_points_whatever_was_found_meanwhile(
    tmp_path: Path, former: tuple[list[Path], list[SearchResult]]
) -> None:
    logs, _ = former
    log = tmp_path / "log"
    whole = run(tmp_path / "whole", TWO, 5, former=logs)
    run(log, TWO, 1, former=logs)
    resumed = run(log, TWO, 5, former=[logs[1]])
    assert resumed.trials[0].resumed
    assert_same(resumed, whole)
    assert resumed.search_id == whole.search_id


@pytest.mark.parametrize(
    ("task", "label", "change"),
    [
        pytest.param("binary", "y", {}, id="task"),
        pytest.param("regression", "other", {}, id="label"),
        pytest.param("regression", "y", {"loss": "mae"}, id="loss"),
        pytest.param("regression", "y", {"max_depth": Integer(kind="integer", low=7, high=9)}, id="space-moved"),
        pytest.param("regression", "y", {"gamma": Integer(kind="integer", low=0, high=9)}, id="space-grew"),
    ],
)
def test_a_search_for_something_else_has_nothing_to_say(
    former: tuple[list[Path], list[SearchResult]], task: Task, label: str, change: dict[str, object]
) -> None:
    logs, _ = former
    if "loss" in change:
        spec = SPEC.model_copy(update=change)
    else:
        spec = SPEC.model_copy(update={"space": {**SPEC.space, **change}})
    assert best_points(logs, spec, task, label, 5) == []


def test_an_absent_a_foreign_and_an_unfinished_log_have_nothing_to_say(tmp_path: Path) -> None:
    foreign, begun = tmp_path / "foreign", tmp_path / "begun"
    foreign.write_text('{"format": 2}\n{"number": 0}\n')
    begun.write_text(json.dumps({"format": 3, "task": "regression", "label": "y", "search": {"loss": "rmse"}}) + "\n{")
    assert best_points([tmp_path / "absent", foreign, begun], SPEC, "regression", "y", 5) == []


def test_only_searches_of_earlier_cutoffs_count_newest_first(tmp_path: Path) -> None:
    for cutoff in ("2013-04-01", "2013-01-28", "2013-07-08", "2013-05-27"):
        (tmp_path / cutoff).mkdir()
        (tmp_path / cutoff / LOG).touch()
    (tmp_path / "2013-02-04").mkdir()  # trained elsewhere: without a log
    found = [log.parent.name for log in logs_before(tmp_path, "2013-05-27")]
    assert found == ["2013-04-01", "2013-01-28"]


def test_pruned_and_failed_trials_are_no_beginning(tmp_path: Path) -> None:
    log = tmp_path / "log"
    found = run(log, SPEC, 3)
    text = log.read_text().replace('"status": "ok"', '"status": "pruned"', 2)
    log.write_text(text)
    points = best_points([log], SPEC, "regression", "y", 5)
    assert points == [dict(found.trials[2].params)]
