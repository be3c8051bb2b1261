"""An estimator of one's own: its faults are told by name and line, and it goes with its models."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ml_assets.errors import AllTrialsFailedError, EstimatorError, FunctionError, SearchParameterError
from ml_assets.ml.estimators.lookup import estimator_named
from ml_assets.ml.search.checks import problems_of_search
from ml_assets.ml.search.tuning import SearchResult
from ml_assets.ml.training.model import Model
from ml_assets.spec import Integer
from ml_assets_tests.ml.estimators.kinds import OWN, TRAIN, VALIDATION, example, found, place, spec
from ml_assets_tests.ml.small_search import FEATURES, run


def searched(folder: Path, text: str, **changes: Any) -> SearchResult:
    """Two trials of an estimator with this text."""
    given = {"train": TRAIN, "validation": VALIDATION}
    return run(folder / "log", spec(OWN, **changes), 2, folder=place(folder / "declared", text), **given)


def edited(old: str, new: str) -> str:
    """The example, with a fault."""
    assert example().count(old) == 1
    return example().replace(old, new)


def line_of(text: str, part: str) -> int:
    [number] = [number for number, line in enumerate(text.splitlines(), start=1) if part in line]
    return number


def test_a_file_that_is_not_there_or_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(FunctionError, match=r"'liner.py:Linear' names a file that is not in .*'linear.py' is meant"):
        estimator_named("liner.py:Linear", place(tmp_path))
    with pytest.raises(FunctionError, match=r"has no 'Liner'; perhaps 'Linear' is meant"):
        estimator_named("linear.py:Liner", place(tmp_path))
    with pytest.raises(FunctionError, match=r"cannot be loaded: SyntaxError: .*\(linear.py:3\)"):
        estimator_named(OWN, place(tmp_path, "import json\n\nclass Linear(\n"))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        pytest.param("Linear = 3", "is no class that derives from", id="no-class"),
        pytest.param("class Linear:\n    title, file = 'a', 'b.json'", "is no class that derives from", id="stranger"),
        pytest.param(
            "from ml_assets.ml.estimators import Estimator\nclass Linear(Estimator):\n    title, file = 'L', 'l.json'",
            "abstract method.* from_bytes",
            id="methods-missing",
        ),
        pytest.param(edited('title, file = "Linear", "linear.json"', ""), "has no `title`", id="no-title"),
        pytest.param(edited('"linear.json"', '"model.json"'), "has `file` 'model.json'; give it a plain", id="taken"),
        pytest.param(edited('"linear.json"', '"../linear.json"'), "has `file` '../linear.json'", id="elsewhere"),
    ],
)
def test_what_is_no_estimator_is_refused_with_the_reason(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(EstimatorError, match=said):
        estimator_named(OWN, place(tmp_path, text))
    [problem] = problems_of_search(spec(OWN), "regression", FEATURES, place(tmp_path, text))
    assert problem.startswith("`search.estimator`: ")


def test_check_names_a_wrong_parameter_and_the_one_that_was_meant(tmp_path: Path) -> None:
    folder = place(tmp_path)
    assert problems_of_search(spec(OWN), "regression", FEATURES, folder) == []
    space = {"stepp": Integer(kind="integer", low=1, high=2)}
    [problem] = problems_of_search(spec(OWN, space=space), "regression", FEATURES, folder)
    assert problem.startswith("`search.space.stepp`: Linear does not know it")
    assert problem.endswith("did you mean `step`?")
    [problem] = problems_of_search(spec(OWN, space={}, fixed={"step": -1.0}), "regression", FEATURES, folder)
    assert problem == "`search.fixed.step`: Linear refuses -1.0 (step -1.0 is not above 0); correct it"
    [problem] = problems_of_search(spec(OWN, space={}, fixed={"seed": 1}), "regression", FEATURES, folder)
    assert "the search sets it itself, from `search.seed`" in problem


def test_what_its_training_raises_fails_the_trial_with_its_line(tmp_path: Path) -> None:
    text = edited("        best = None\n", "        best = None\n        1 / 0\n")
    with pytest.raises(AllTrialsFailedError, match=rf"division by zero \(linear.py:{line_of(text, '1 / 0')}\)"):
        searched(tmp_path, text)


def test_what_every_training_raises_is_found_before_the_first_trial(tmp_path: Path) -> None:
    text = edited("    known = np.where", "    unheard_of()\n    known = np.where")
    with pytest.raises(SearchParameterError, match=rf"unheard_of.*\(linear.py:{line_of(text, 'unheard_of()')}\)"):
        searched(tmp_path, text)
    assert not (tmp_path / "log").exists()


@pytest.mark.parametrize(
    ("old", "new", "error", "said"),
    [
        pytest.param(
            "        return best\n",
            "        return fitted\n",
            AllTrialsFailedError,
            "returned dict instead",
            id="no-fit",
        ),
        pytest.param(
            "        return best\n",
            "        return None\n",
            AllTrialsFailedError,
            "nobody had stopped it",
            id="nothing",
        ),
        pytest.param(
            "return json.dumps({name: np.asarray(value).tolist() for name, value in fitted.items()}).encode()",
            "return json.dumps(1)",
            EstimatorError,
            "returns str from `to_bytes`; return bytes",
            id="text",
        ),
        pytest.param(
            "return predicted(fitted, scaled(fitted, x))",
            "return predicted(fitted, scaled(fitted, x))[:1]",
            SearchParameterError,
            r"its predictions are of shape \(1,\)|it predicts 0 values",
            id="shape",
        ),
    ],
)
def test_what_does_not_keep_to_the_interface_is_said(
    tmp_path: Path, old: str, new: str, error: type[Exception], said: str
) -> None:
    with pytest.raises(error, match=said):
        searched(tmp_path, edited(old, new)).model.to_files()


def test_a_model_is_read_by_the_code_that_trained_it(tmp_path: Path) -> None:
    model = found(OWN, tmp_path, trials=1).model
    model.save(tmp_path / "model")
    place(tmp_path / "declared", edited("return predicted(fitted, scaled", "return 1 + predicted(fitted, scaled"))
    loaded = Model.load(tmp_path / "model")
    np.testing.assert_array_equal(loaded.predict(VALIDATION), model.predict(VALIDATION))
    assert (tmp_path / "model" / "estimator.py").read_text() == example()


def test_an_edited_estimator_is_another_search(tmp_path: Path) -> None:
    first = found(OWN, tmp_path, trials=1)
    again = searched(tmp_path, example() + "\n# edited\n")
    assert first.search_id != again.search_id
    assert not any(trial.resumed for trial in again.trials)


def test_a_class_of_an_installed_package_is_named_by_its_module(tmp_path: Path) -> None:
    named = "ml_assets.ml.estimators.scikit_learn:HistGradientBoosting"
    model = found("hist_gradient_boosting", tmp_path, trials=1).model
    other = spec("hist_gradient_boosting").model_copy(update={"estimator": named})
    result = run(tmp_path / "other", other, 1, train=TRAIN, validation=VALIDATION)
    result.model.save(tmp_path / "model")
    loaded = Model.load(tmp_path / "model")
    assert loaded.estimator.reference == named
    np.testing.assert_array_equal(loaded.predict(VALIDATION), model.predict(VALIDATION))
