"""The search: repeatable, resumable after a kill at any moment, honest about failed trials."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from ml_assets.errors import (
    AllTrialsFailedError,
    ModelFilesError,
    SearchParameterError,
    TrialNotRepeatableError,
    UnusableLabelError,
)
from ml_assets.ml.search.space import hyperopt_space, plain
from ml_assets.ml.search.trial_log import Trial
from ml_assets.ml.search.tuning import SearchResult
from ml_assets.ml.training.model import Model
from ml_assets.spec import Choice, Integer, Search
from ml_assets_tests.ml.small_search import FEATURES, SPEC, TRAIN, TRIALS, VALIDATION, assert_same, lines, run


def with_space(**space: Any) -> Search:
    return SPEC.model_copy(update={"space": space})


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory: pytest.TempPathFactory) -> SearchResult:
    return run(tmp_path_factory.mktemp("uninterrupted") / "trials.jsonl")


def test_the_same_search_gives_the_same_trials_and_model_bytes(tmp_path: Path, uninterrupted: SearchResult) -> None:
    assert_same(run(tmp_path / "log"), uninterrupted)


def test_several_threads_give_the_same_model_bytes_every_time(tmp_path: Path) -> None:
    spec = SPEC.model_copy(update={"threads": 2})
    first = run(tmp_path / "first", spec, trials=3)
    assert_same(run(tmp_path / "second", spec, trials=3), first)


def test_another_seed_gives_another_search(tmp_path: Path, uninterrupted: SearchResult) -> None:
    other = run(tmp_path / "log", SPEC.model_copy(update={"seed": 4}), trials=2)
    assert other.trials[0].params != uninterrupted.trials[0].params


def test_the_best_trial_has_the_least_loss_and_its_model_reproduces_it(uninterrupted: SearchResult) -> None:
    best, model = uninterrupted.best, uninterrupted.model
    assert len(uninterrupted.trials) == TRIALS
    assert best.loss == min(trial.loss for trial in uninterrupted.trials if trial.loss is not None)
    assert best.loss == pytest.approx(best.metrics["rmse"], rel=1e-6)
    error = model.predict(VALIDATION) - VALIDATION["y"].to_numpy()
    assert np.sqrt(np.mean(error**2)) == pytest.approx(best.metrics["rmse"], rel=1e-6)
    assert np.mean(np.abs(error)) == pytest.approx(best.metrics["mae"], rel=1e-6)
    assert best.metrics["rmse"] < 0.5 * VALIDATION["y"].std()


def test_params_are_plain_values_inside_the_space(uninterrupted: SearchResult) -> None:
    for trial in uninterrupted.trials:
        assert list(trial.params) == list(SPEC.space)
        assert type(trial.params["max_depth"]) is int
        assert type(trial.params["eta"]) is float
        assert trial.params["grow_policy"] in ("depthwise", "lossguide")
    assert {trial.params["grow_policy"] for trial in uninterrupted.trials} == {"depthwise", "lossguide"}


def test_whole_numbers_are_drawn_evenly_up_to_both_ends() -> None:
    from hyperopt import fmin, rand

    space = {"max_depth": Integer(kind="integer", low=3, high=5)}
    drawn: list[Any] = []

    def objective(point: dict[str, Any]) -> float:
        drawn.append(plain(space, point)["max_depth"])
        return 0.0

    quiet: dict[str, Any] = {"verbose": False, "show_progressbar": False, "rstate": np.random.default_rng(0)}
    fmin(objective, hyperopt_space(space), algo=rand.suggest, max_evals=300, **quiet)
    assert {value: round(drawn.count(value) / 300, 1) for value in (3, 4, 5)} == {3: 0.3, 4: 0.3, 5: 0.3}


def test_mae_as_loss_chooses_the_round_and_the_trial_by_mae(tmp_path: Path) -> None:
    result = run(tmp_path / "log", SPEC.model_copy(update={"loss": "mae"}), trials=3)
    assert all(trial.loss == pytest.approx(trial.metrics["mae"], rel=1e-6) for trial in result.trials)


def test_a_model_holds_no_round_after_the_best(tmp_path: Path) -> None:
    spec = with_space(eta=Choice(kind="choice", values=(0.8,)))
    model = run(tmp_path / "log", spec.model_copy(update={"max_rounds": 200}), trials=1).model
    assert 0 < model.best_iteration < 100
    assert model.fitted.num_boosted_rounds() == model.best_iteration + 1


def test_trials_of_equal_parameters_differ_by_their_seeds(tmp_path: Path) -> None:
    spec = with_space(subsample=Choice(kind="choice", values=(0.6,)))
    assert len({trial.loss for trial in run(tmp_path / "log", spec, trials=3).trials}) == 3


def test_a_warm_start_is_trial_0_with_exactly_the_champions_values(tmp_path: Path) -> None:
    champion = {"max_depth": 3, "eta": 0.123456789, "subsample": 0.7, "grow_policy": "lossguide"}
    result = run(tmp_path / "log", trials=2, warm_start={**champion, "objective": "other", "unknown": 1})
    assert [trial.number for trial in result.trials] == [0, 1]
    assert result.trials[0].params == champion
    alone = run(tmp_path / "alone", trials=1, warm_start=champion)
    assert alone.trials == result.trials[:1]


def test_a_warm_start_keeps_only_what_still_lies_in_the_space(tmp_path: Path) -> None:
    champion: Mapping[str, Any] = {"max_depth": 9, "eta": 0.2, "subsample": "none", "grow_policy": "old"}
    result = run(tmp_path / "log", trials=1, warm_start=champion)
    expected = {"max_depth": 3, "eta": 0.2, "subsample": 0.8, "grow_policy": "depthwise"}
    assert result.trials[0].params == expected
    cold = run(tmp_path / "cold", trials=1)
    assert run(tmp_path / "foreign", trials=1, warm_start={"gamma": 1}).trials == cold.trials


def test_a_model_is_a_warm_start_for_the_next_search(tmp_path: Path, uninterrupted: SearchResult) -> None:
    result = run(tmp_path / "log", trials=1, warm_start=uninterrupted.model.params)
    assert result.trials[0].params == uninterrupted.best.params


def test_nothing_to_search_is_one_training(tmp_path: Path) -> None:
    assert [trial.params for trial in run(tmp_path / "log", with_space()).trials] == [{}]


def test_a_trial_that_xgboost_refuses_or_that_explodes_fails_and_the_search_goes_on(tmp_path: Path) -> None:
    space = {
        "eta": Choice(kind="choice", values=(0.3, 1e30)),
        "objective": Choice(kind="choice", values=("reg:squarederror", "reg:logistic")),
    }
    spec = SPEC.model_copy(update={"space": space, "fixed": {}})
    result = run(tmp_path / "log", spec)
    failed = {trial.params["eta"]: trial for trial in result.trials if trial.params["objective"] == "reg:squarederror"}
    assert (failed[1e30].status, failed[1e30].loss, failed[1e30].metrics) == ("failed", None, {})
    assert "not finite" in failed[1e30].message
    refused = next(trial for trial in result.trials if trial.params["objective"] == "reg:logistic")
    assert "for the logistic loss" in refused.message  # which only the data can show
    assert result.best.params == {"eta": 0.3, "objective": "reg:squarederror"}
    assert run(tmp_path / "log", spec).trials == result.trials  # failures are answered from the log too


def test_if_all_trials_fail_the_first_message_is_told(tmp_path: Path) -> None:
    spec = with_space(eta=Choice(kind="choice", values=(1e30,)))
    with pytest.raises(AllTrialsFailedError, match=r"All 3 trials .* the first: its validation rmse .* not finite"):
        run(tmp_path / "log", spec, trials=3)


@pytest.mark.parametrize(
    ("fixed", "said"),
    [
        pytest.param(
            {"max_dept": 3}, "max_dept`: XGBoost does not know it.* did you mean `max_depth`", id="misspelled"
        ),
        pytest.param({"seed": 3}, r"seed`: .* from `search.seed`", id="seed"),
        pytest.param({"n_jobs": 1}, r"n_jobs`: .* from `search.threads`", id="threads"),
    ],
)
def test_a_parameter_that_would_be_ignored_is_refused(tmp_path: Path, fixed: dict[str, int], said: str) -> None:
    with pytest.raises(SearchParameterError, match=said):
        run(tmp_path / "log", SPEC.model_copy(update={"fixed": fixed}))
    with pytest.raises(SearchParameterError, match=f"`search.space.{next(iter(fixed))}`"):
        run(tmp_path / "log", with_space(**{next(iter(fixed)): Integer(kind="integer", low=1, high=3)}))


@pytest.mark.parametrize(
    ("validation", "said"),
    [
        pytest.param(VALIDATION.drop(columns="y"), "is no column of them", id="absent"),
        pytest.param(VALIDATION.assign(y=[None] + [1.0] * 499), "infinite in 1 of 500", id="missing"),
        pytest.param(VALIDATION.assign(y="late"), "is no number", id="text"),
        pytest.param(VALIDATION.iloc[:0], "there are none", id="no-rows"),
    ],
)
def test_an_unusable_label_is_named(tmp_path: Path, validation: pd.DataFrame, said: str) -> None:
    with pytest.raises(UnusableLabelError, match=f"'y' of the validation rows .*{said}"):
        run(tmp_path / "log", validation=validation)


def test_a_finished_search_is_answered_from_its_log(tmp_path: Path, uninterrupted: SearchResult) -> None:
    log = tmp_path / "log"
    run(log)
    before = log.read_bytes()
    told: list[Trial] = []
    assert_same(run(log, on_trial=told.append), uninterrupted)
    assert log.read_bytes() == before
    assert [trial.number for trial in told] == list(range(TRIALS))
    assert all(trial.resumed for trial in told)


def test_a_longer_search_continues_a_shorter_one(tmp_path: Path, uninterrupted: SearchResult) -> None:
    run(tmp_path / "log", trials=4)
    longer = run(tmp_path / "log")
    assert [trial.resumed for trial in longer.trials] == [True] * 4 + [False] * (TRIALS - 4)
    assert_same(longer, uninterrupted)


@pytest.mark.parametrize("cut", [1, 30, -1], ids=["newline-lost", "line-torn", "one-byte-left"])
def test_a_torn_last_line_costs_at_most_its_trial(tmp_path: Path, uninterrupted: SearchResult, cut: int) -> None:
    log = tmp_path / "log"
    run(log, trials=4)
    last = len(log.read_bytes().splitlines(keepends=True)[-1])
    os.truncate(log, log.stat().st_size - (cut if cut > 0 else last - 1))
    resumed = run(log)
    assert sum(trial.resumed for trial in resumed.trials) == (4 if cut == 1 else 3)
    assert_same(resumed, uninterrupted)
    assert all(trial.resumed for trial in run(log).trials)


@pytest.mark.parametrize(
    "change",
    [
        pytest.param({"train": TRAIN.assign(x=TRAIN["x"] + 1e-3)}, id="training-data"),
        pytest.param({"validation": VALIDATION.assign(y=VALIDATION["y"] * 2)}, id="validation-labels"),
        pytest.param({"spec": SPEC.model_copy(update={"seed": 9})}, id="seed"),
        pytest.param({"spec": SPEC.model_copy(update={"max_rounds": 41})}, id="rounds"),
        pytest.param({"warm_start": {"eta": 0.1}}, id="warm-start"),
        pytest.param({"features": {"x": "float", "kind": "string"}}, id="features"),
    ],
)
def test_the_log_of_another_search_is_moved_aside(tmp_path: Path, change: dict[str, Any]) -> None:
    log = tmp_path / "log"
    run(log, trials=2)
    before = log.read_bytes()
    assert not any(trial.resumed for trial in run(log, trials=2, **change).trials)
    assert (tmp_path / "log.old").read_bytes() == before


def test_a_logged_winner_that_cannot_be_trained_again_is_told(tmp_path: Path) -> None:
    log = tmp_path / "log"
    run(log, trials=3)
    header, *trials = lines(log)
    trials[-1] |= {"loss": 0.001}
    log.write_text("".join(json.dumps(line) + "\n" for line in [header, *trials]))
    with pytest.raises(TrialNotRepeatableError, match=r"Trial 2 of 'log' gave .* where the log says 0.001"):
        run(log, trials=3)


SLOW_SEARCH = """
import sys, time
from pathlib import Path
from ml_assets_tests.ml.small_search import run

run(Path(sys.argv[1]), on_trial=lambda trial: time.sleep(0.15))
"""


def test_a_killed_search_ends_as_if_never_killed(tmp_path: Path, uninterrupted: SearchResult) -> None:
    log = tmp_path / "log"
    process = subprocess.Popen([sys.executable, "-c", SLOW_SEARCH, str(log)])
    deadline = time.monotonic() + 60
    while not log.exists() or log.read_bytes().count(b"\n") < 1 + 3:
        assert process.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.02)
    process.send_signal(signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL
    finished = len(lines(log)) - 1
    assert 3 <= finished < TRIALS
    resumed = run(log)
    assert sum(trial.resumed for trial in resumed.trials) == finished
    assert [line["number"] for line in lines(log)[1:]] == list(range(TRIALS))  # none was trained twice
    assert_same(resumed, uninterrupted)


def test_a_saved_model_predicts_and_saves_the_same(tmp_path: Path, uninterrupted: SearchResult) -> None:
    model = uninterrupted.model
    model.save(tmp_path / "one")
    loaded = Model.load(tmp_path / "one")
    assert sorted(path.name for path in (tmp_path / "one").iterdir()) == [
        "encoder.json",
        "model.json",
        "model.ubj",
    ]
    assert loaded.to_files() == model.to_files()
    assert (loaded.label, loaded.features, loaded.params) == ("y", list(FEATURES), model.params)
    unseen = VALIDATION.assign(kind="never seen")
    np.testing.assert_array_equal(loaded.predict(unseen), model.predict(unseen))
    np.testing.assert_array_equal(loaded.predict(VALIDATION), model.predict(VALIDATION))


def test_a_row_is_predicted_alone_as_in_a_batch(uninterrupted: SearchResult) -> None:
    model = uninterrupted.model
    batch = model.predict(VALIDATION)
    assert batch.dtype == np.float64
    assert [model.predict(VALIDATION.iloc[[i]])[0] for i in range(20)] == batch[:20].tolist()
    assert model.predict(VALIDATION.iloc[:0]).shape == (0,)


def test_importance_is_a_share_of_gain_and_names_every_feature(uninterrupted: SearchResult) -> None:
    importance = uninterrupted.model.importance()
    assert sum(importance.values()) == pytest.approx(1)
    assert list(importance)[:2] == ["x", "kind"]
    assert set(importance) == set(FEATURES)


def test_a_damaged_model_is_named(tmp_path: Path, uninterrupted: SearchResult) -> None:
    uninterrupted.model.save(tmp_path / "model")
    encoder = tmp_path / "model" / "encoder.json"
    encoder.write_text(encoder.read_text().replace('"a"', '"A"'))
    with pytest.raises(ModelFilesError, match=r"'model' cannot be read: encoder.json is not the file"):
        Model.load(tmp_path / "model")
    encoder.unlink()
    with pytest.raises(ModelFilesError, match=r"encoder.json is missing"):
        Model.load(tmp_path / "model")
    (tmp_path / "model" / "model.json").write_text("{")
    with pytest.raises(ModelFilesError, match=r"model.json is not JSON"):
        Model.load(tmp_path / "model")
