"""Trials that will not win are stopped, and only those; the list of trials stays a function of the declaration."""

import math
from pathlib import Path

import pytest

from ml_assets.ml.search.trial_log import Trial
from ml_assets.ml.training.fitting import prepare, train_trial
from ml_assets.ml.training.watch import Target, Watch, pruning_target
from ml_assets.spec import Choice, LogUniform, Pruning, Search
from ml_assets_tests.ml.small_search import SPEC, TRAIN, VALIDATION, assert_same, lines, run

RULE = Pruning(after_trials=2, after_rounds=3, pace_rounds=2, horizon_rounds=4, quantile=0.5)
BAD_AND_GOOD = SPEC.model_copy(
    update={
        "space": {
            "max_depth": Choice(kind="choice", values=(1, 4)),
            "eta": LogUniform(kind="loguniform", low=0.05, high=0.3),
        },
        "pruning": Pruning(after_trials=3, after_rounds=6, pace_rounds=3, horizon_rounds=5, quantile=0.5),
        "max_rounds": 120,
    }
)


def watched(losses: list[float], target: float | None, **changes: object) -> tuple[str, int]:
    """Verdict, and after which round."""
    watch = Watch(Search(pruning=RULE, **changes), None if target is None else Target(target, rounds=4))
    for done, loss in enumerate(losses, start=1):
        if watch.ends(loss):
            return watch.verdict, done
    return watch.verdict, len(losses)


@pytest.mark.parametrize(
    ("losses", "target", "expected"),
    [
        pytest.param([9, 9, 9, 9], 5.0, ("pruned", 3), id="no-pace"),
        pytest.param([10, 9, 8], 4.0, ("", 3), id="at-one-a-round-it-just-reaches-4"),
        pytest.param([10, 9, 8], 3.99, ("pruned", 3), id="and-no-less"),
        pytest.param([10, 8, 6, 5.9, 5.8], 1.5, ("pruned", 4), id="slowing-down"),
        pytest.param([10, 10], 1.0, ("", 2), id="too-few-rounds"),
        pytest.param([10, 10, 10, 10], None, ("", 4), id="nothing-to-be-measured-by"),
        pytest.param([10, 11, 12, 13], 5.0, ("pruned", 3), id="getting-worse"),
        pytest.param([math.nan] * 5, 1.0, ("", 5), id="nan-fails-later-it-is-not-pruned"),
    ],
)
def test_a_trial_is_stopped_when_at_its_pace_it_will_not_reach_the_target(
    losses: list[float], target: float | None, expected: tuple[str, int]
) -> None:
    assert watched(losses, target) == expected


def test_without_pruning_nothing_is_stopped() -> None:
    watch = Watch(Search(pruning=None), Target(1.0, 4))
    assert not any(watch.ends(9.0) for _ in range(50))


@pytest.mark.parametrize("estimator", ["xgboost", "hist_gradient_boosting"])
def test_a_score_is_judged_as_a_loss(estimator: str) -> None:
    spec = Search(estimator=estimator, loss="auc", max_rounds=3, early_stopping_rounds=None, threads=1)
    train, validation = (frame.assign(y=frame["y"] > 1) for frame in (TRAIN, VALIDATION))
    data = prepare(train, validation, {"x": "float"}, "y", spec, "binary")
    watch = Watch(spec)
    trial, _ = train_trial(data, spec, {}, 0, watch)
    assert watch.least[-1] == pytest.approx(1 - trial.metrics["auc"])
    assert len(watch.least) == 3


@pytest.mark.parametrize(
    ("losses", "expected"),
    [
        pytest.param([], None, id="none"),
        pytest.param([3.0], None, id="one-too-few"),
        pytest.param([3.0, 1.0], 2.0, id="enough"),
        pytest.param([3.0, 1.0, 9.0], 3.0, id="median"),
    ],
)
def test_the_target_is_a_quantile_of_the_trials_that_ran_to_their_end(
    losses: list[float], expected: float | None
) -> None:
    trials = [Trial(i, {}, loss, {}, 10 * i, 0.0) for i, loss in enumerate(losses)]
    others = [Trial(8, {}, 0.0, {}, 5, 0.0, "pruned"), Trial(9, {}, None, {}, None, 0.0, "failed")]
    target = pruning_target(Search(pruning=RULE, early_stopping_rounds=3, max_rounds=20), trials + others)
    assert target == (None if expected is None else Target(expected, {2: 9.0, 3: 14.0}[len(losses)]))


def test_a_slow_trial_is_given_the_rounds_that_others_took() -> None:
    slow = [10 - 0.1 * done for done in range(30)]
    assert watched(slow, 5.0)[0] == "pruned"
    watch = Watch(Search(pruning=RULE), Target(5.0, rounds=200))
    assert not any(watch.ends(loss) for loss in slow)


@pytest.mark.parametrize("parallel", [1, 2])
def test_pruning_repeats_itself_and_goes_on_after_an_interruption(tmp_path: Path, parallel: int) -> None:
    spec = BAD_AND_GOOD.model_copy(update={"threads": 2, "parallel_trials": parallel})
    found = run(tmp_path / "log", spec, trials=16)
    pruned = [trial for trial in found.trials if trial.status == "pruned"]
    assert len(pruned) >= 3
    for trial in pruned:
        assert trial.loss is not None
        assert trial.loss > (found.best.loss or 0)
        assert trial.metrics == {}
        assert "to come, after" in trial.message
    assert_same(run(tmp_path / "again", spec, trials=16), found)
    log = tmp_path / "log"
    text = log.read_text().splitlines(keepends=True)
    log.write_text("".join(text[:9]))
    assert_same(run(log, spec, trials=16), found)
    assert sorted(line["number"] for line in lines(log)[1:]) == list(range(16))


def test_a_pruned_trial_is_never_the_best(tmp_path: Path) -> None:
    found = run(tmp_path / "log", BAD_AND_GOOD, trials=12)
    assert found.best.status == "ok"
    assert found.best.loss == min(trial.loss_or_inf for trial in found.trials if trial.status == "ok")
