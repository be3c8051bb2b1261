"""What holds for every estimator, the one of the documentation among them."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from ml_assets.errors import AllTrialsFailedError, AlteredModelError, ModelFilesError
from ml_assets.ml.quality.metrics import evaluate
from ml_assets.ml.quality.scores import label_of
from ml_assets.ml.search.tuning import SearchResult
from ml_assets.ml.training.model import Model, checked_model, model_hash
from ml_assets.ml.training.refit import refit
from ml_assets.resources.registry import Registry
from ml_assets.spec import Choice, Pruning, Task
from ml_assets_tests.ml.estimators.kinds import KINDS, STEP, TRAIN, VALIDATION, found, spec
from ml_assets_tests.ml.small_search import assert_same, lines, rows

TASKS: tuple[Task, ...] = ("regression", "binary", "multiclass")
of_every_kind = pytest.mark.parametrize("kind", KINDS)


@pytest.fixture(scope="module", params=KINDS)
def searched(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, SearchResult]:
    return request.param, found(request.param, tmp_path_factory.mktemp("searched"))


def labelled(frame: pd.DataFrame, task: Task) -> pd.DataFrame:
    """The same rows with labels of a task."""
    if task == "regression":
        return frame
    binary = (frame["y"] > 1.5).astype(float)
    names = np.select([frame["y"] < 0.5, frame["y"] < 2], ["low", "middle"], "high")
    return frame.assign(y=binary if task == "binary" else names)


def test_the_same_search_gives_the_same_trials_and_model_bytes(
    tmp_path: Path, searched: tuple[str, SearchResult]
) -> None:
    kind, expected = searched
    assert_same(found(kind, tmp_path), expected)


OTHER_PROCESS = """
import sys
from pathlib import Path
from ml_assets.ml.training.model import model_hash
from ml_assets_tests.ml.estimators.kinds import found

found(sys.argv[1], Path(sys.argv[2])).model.save(Path(sys.argv[2], "model"))
print(model_hash(Path(sys.argv[2], "model")))
"""


def test_another_process_gives_the_same_model_bytes(tmp_path: Path, searched: tuple[str, SearchResult]) -> None:
    kind, expected = searched
    expected.model.save(tmp_path / "here")
    environment = os.environ | {"PYTHONHASHSEED": "7"}
    command = [sys.executable, "-c", OTHER_PROCESS, kind, str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=True, timeout=300)
    assert done.stdout.split()[-1] == model_hash(tmp_path / "here")


def test_another_seed_gives_other_trials(tmp_path: Path, searched: tuple[str, SearchResult]) -> None:
    kind, expected = searched
    assert found(kind, tmp_path, trials=1, seed=4).trials[0].params != expected.trials[0].params


def test_a_saved_model_gives_the_same_scores_and_saves_the_same_bytes(
    tmp_path: Path, searched: tuple[str, SearchResult]
) -> None:
    model = searched[1].model
    model.save(tmp_path)
    loaded = Model.load(tmp_path)
    assert loaded.to_files() == model.to_files()
    unseen = VALIDATION.assign(kind="never seen", x=VALIDATION["x"].where(VALIDATION.index % 3 > 0))
    for frame in (VALIDATION, unseen):
        np.testing.assert_array_equal(loaded.scores(frame).values, model.scores(frame).values)
    assert loaded.importance() == model.importance()


def test_a_row_is_scored_as_in_a_batch_and_no_row_gives_no_score(searched: tuple[str, SearchResult]) -> None:
    model = searched[1].model
    whole = model.scores(VALIDATION).values
    for place in range(5):
        np.testing.assert_array_equal(model.scores(VALIDATION.iloc[[place]]).values, whole[[place]])
    assert model.scores(VALIDATION.iloc[:0]).values.shape == (0,)


def test_a_model_whose_file_was_altered_is_refused_by_its_hash(
    tmp_path: Path, searched: tuple[str, SearchResult]
) -> None:
    model = searched[1].model
    for name in model.to_files():
        model.save(tmp_path / name / "model")
        digest, file = model_hash(tmp_path / name / "model"), tmp_path / name / "model" / name
        checked_model(tmp_path / name, digest, name="'m' version 1")
        file.write_bytes(file.read_bytes() + b" ")
        with pytest.raises(AlteredModelError, match=rf"'m' version 1 was altered .*{name}"):
            checked_model(tmp_path / name, digest, name="'m' version 1")
        if name != "model.json":
            with pytest.raises(ModelFilesError, match=name):
                Model.load(tmp_path / name / "model")


def test_no_file_of_a_model_holds_a_pickle(searched: tuple[str, SearchResult]) -> None:
    for name, content in searched[1].model.to_files().items():
        assert name.rpartition(".")[2] in ("ubj", "skops", "json", "py")
        assert b"\x80\x04\x95" not in content  # how pickle protocol 4 begins


@of_every_kind
@pytest.mark.parametrize("task", TASKS)
def test_every_task_is_learned_and_its_loss_is_that_of_the_platforms_metric(
    tmp_path: Path, kind: str, task: Task
) -> None:
    loss = "rmse" if task == "regression" else "logloss"
    train, validation = (labelled(frame, task) for frame in (TRAIN, VALIDATION))
    result = found(kind, tmp_path, trials=2, task=task, train=train, validation=validation, loss=loss)
    metrics = evaluate(label_of(task, validation["y"]), result.model.scores(validation))
    assert result.best.loss == pytest.approx(metrics.error(loss), rel=1e-5)
    assert dict(result.best.metrics) == pytest.approx(dict(metrics.values), rel=1e-5)
    shares = validation["y"].value_counts(normalize=True)
    naive = validation["y"].std() if task == "regression" else -(shares * np.log(shares)).sum()
    assert metrics.error(loss) < 0.9 * naive
    assert result.model.predict(validation).shape == (len(validation),)


@of_every_kind
def test_early_stopping_keeps_the_best_round_and_none_after_it(tmp_path: Path, kind: str) -> None:
    space = {STEP[kind]: Choice(kind="choice", values=(0.9,))}
    given = {"trials": 1, "space": space, "max_rounds": 200, "early_stopping_rounds": 8}
    result = found(kind, tmp_path, **given)
    assert 0 < result.model.best_iteration < 190
    shorter = given | {"max_rounds": result.model.best_iteration + 1}
    assert result.best.loss == found(kind, tmp_path, log="shorter", **shorter).best.loss
    fewer = found(kind, tmp_path, log="fewer", **given | {"max_rounds": result.model.best_iteration})
    assert (fewer.best.loss or 0) > (result.best.loss or 0)


@of_every_kind
def test_a_refit_trains_the_same_rounds_on_all_rows_and_repeats_itself(tmp_path: Path, kind: str) -> None:
    result, both = found(kind, tmp_path, trials=2), pd.concat([TRAIN, VALIDATION])
    again = refit(result.model, both, spec(kind))
    assert (again.best_iteration, again.params) == (result.model.best_iteration, result.model.params)
    assert again.to_files() == refit(result.model, both, spec(kind)).to_files()
    assert again.to_files() != result.model.to_files()
    same = refit(result.model, TRAIN, spec(kind))  # on the rows of the trial it is the trial's model
    np.testing.assert_allclose(same.scores(VALIDATION).values, result.model.scores(VALIDATION).values, rtol=1e-5)


@of_every_kind
def test_hopeless_trials_are_pruned_and_that_repeats_itself(tmp_path: Path, kind: str) -> None:
    rule = Pruning(after_trials=2, after_rounds=4, pace_rounds=2, horizon_rounds=2, quantile=0.5)
    space = {STEP[kind]: Choice(kind="choice", values=(0.001, 0.4))}
    given = {"trials": 10, "space": space, "pruning": rule, "early_stopping_rounds": None, "max_rounds": 20}
    result = found(kind, tmp_path, **given)
    pruned = [trial for trial in result.trials if trial.status == "pruned"]
    assert {trial.params[STEP[kind]] for trial in pruned} == {0.001}
    assert all(trial.loss is not None and not trial.metrics for trial in pruned)
    assert_same(found(kind, tmp_path, log="again", **given), result)


@of_every_kind
def test_a_trial_over_its_time_is_recorded_and_if_all_are_the_search_says_so(tmp_path: Path, kind: str) -> None:
    with pytest.raises(AllTrialsFailedError, match=r"All 2 trials .* over 1e-09 s \(`search.trial_timeout_s`\)"):
        found(kind, tmp_path, trials=2, trial_timeout_s=1e-9)
    assert [line["status"] for line in lines(tmp_path / "log")[1:]] == ["timed_out"] * 2


@of_every_kind
def test_a_trial_that_fails_or_is_not_finite_is_recorded_and_the_search_goes_on(tmp_path: Path, kind: str) -> None:
    space = {STEP[kind]: Choice(kind="choice", values=(0.2, 1e30 if kind == "xgboost" else 1e300))}
    result = found(kind, tmp_path, trials=8, space=space, early_stopping_rounds=None)
    failed = [trial for trial in result.trials if trial.params[STEP[kind]] > 1]
    assert failed
    assert all((trial.status, trial.loss, trial.metrics) == ("failed", None, {}) for trial in failed)
    assert all("not finite" in trial.message for trial in failed)
    assert result.best.params == {STEP[kind]: 0.2}
    assert found(kind, tmp_path, trials=8, space=space, early_stopping_rounds=None).trials == result.trials


SLOW_SEARCH = """
import sys, time
from pathlib import Path
from ml_assets_tests.ml.estimators.kinds import found

found(sys.argv[1], Path(sys.argv[2]), trials=8, on_trial=lambda trial: time.sleep(0.2))
"""


@pytest.mark.slow
@of_every_kind
def test_a_search_killed_and_started_again_ends_with_the_same_winner(tmp_path: Path, kind: str) -> None:
    log = tmp_path / "log"
    process = subprocess.Popen([sys.executable, "-c", SLOW_SEARCH, kind, str(tmp_path)])
    deadline = time.monotonic() + 120
    while not log.exists() or log.read_bytes().count(b"\n") < 1 + 3:
        assert process.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.02)
    process.send_signal(signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL
    resumed = found(kind, tmp_path, trials=8)
    assert 3 <= sum(trial.resumed for trial in resumed.trials) < 8
    (tmp_path / "whole").mkdir()
    assert_same(resumed, found(kind, tmp_path / "whole", trials=8))


@of_every_kind
def test_trials_at_once_are_the_same_list_however_they_end(tmp_path: Path, kind: str) -> None:
    given = {"trials": 6, "threads": 2, "parallel_trials": 2}
    assert_same(found(kind, tmp_path, **given), found(kind, tmp_path, log="again", **given))


@of_every_kind
def test_a_feature_without_values_and_a_single_category_are_no_obstacle(tmp_path: Path, kind: str) -> None:
    train, validation = (frame.assign(noise=None, kind="one") for frame in (TRAIN, VALIDATION))
    result = found(kind, tmp_path, trials=1, train=train, validation=validation)
    assert np.isfinite(result.model.scores(rows(20, 9)).values).all()
    assert result.model.importance()["noise"] == 0


@pytest.mark.slow
@of_every_kind
def test_mlflow_loads_what_was_logged_and_serves_the_same_scores(tmp_path: Path, kind: str) -> None:
    import mlflow

    train, validation = (labelled(frame, "multiclass") for frame in (TRAIN, VALIDATION))
    given = {"task": "multiclass", "train": train, "validation": validation, "loss": "logloss"}
    model = found(kind, tmp_path, trials=1, **given).model
    model.save(tmp_path / "model")
    (tmp_path / "declared" / "linear.py").unlink()  # it is read by the code that lies with it
    registry = Registry(tracking_uri=f"sqlite:///{tmp_path}/mlflow.db", artifacts=(tmp_path / "artifacts").as_uri())
    registry.ensure_experiment("estimators")
    mlflow.set_tracking_uri(registry.tracking_uri)
    mlflow.set_experiment("estimators")
    with mlflow.start_run():
        uri = registry.log_model(mlflow, tmp_path / "model", model, validation[["x", "noise", "kind"]].head(5))
    served = mlflow.pyfunc.load_model(uri).predict(validation[["x", "noise", "kind"]])
    scores = model.scores(validation)
    assert served["prediction"].tolist() == model.predict(validation).tolist()
    columns = [f"probability:{name}" for name in scores.classes]
    np.testing.assert_array_equal(served[columns].to_numpy(), scores.values)
