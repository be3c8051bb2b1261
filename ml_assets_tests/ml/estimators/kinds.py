"""The three kinds of estimators, on one small search: what all tests of estimators share."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ml_assets.ml.search.tuning import SearchResult
from ml_assets.spec import Distribution, Integer, LogUniform, Search
from ml_assets_tests.ml import small_search
from ml_assets_tests.ml.small_search import run

DOCS = Path(__file__).parents[3] / "docs" / "estimators.md"
OWN = "linear.py:Linear"
RATE = LogUniform(kind="loguniform", low=0.05, high=0.5)
SPACES: Mapping[str, Mapping[str, Distribution]] = {
    "xgboost": {"eta": RATE, "max_depth": Integer(kind="integer", low=2, high=4)},
    "hist_gradient_boosting": {"learning_rate": RATE, "max_depth": Integer(kind="integer", low=2, high=4)},
    OWN: {"step": RATE, "l2": LogUniform(kind="loguniform", low=1e-4, high=1)},
}
KINDS = tuple(SPACES)
# With a part that a line can learn, too.
TRAIN, VALIDATION = (each.assign(y=each["y"] + 2 * each["x"]) for each in (small_search.TRAIN, small_search.VALIDATION))
STEP = {"xgboost": "eta", "hist_gradient_boosting": "learning_rate", OWN: "step"}
"""What each calls its learning rate."""


def example() -> str:
    """The estimator that the documentation shows."""
    found = re.search(r"```python\n(.*?)```", DOCS.read_text(), re.DOTALL)
    assert found is not None
    return found[1]


def place(folder: Path, text: str | None = None) -> Path:
    """A declaration's folder with the file of the own estimator."""
    folder.mkdir(exist_ok=True)
    (folder / "linear.py").write_text(text or example())
    return folder


def spec(kind: str, **changes: Any) -> Search:
    given = {"estimator": kind, "space": SPACES[kind], "max_rounds": 30, "early_stopping_rounds": 5, "threads": 1}
    return Search.model_validate({**given, "seed": 3, "startup_trials": 3, **changes})


def found(kind: str, folder: Path, *, log: str = "log", trials: int = 5, **changes: Any) -> SearchResult:
    """A search below a folder."""
    others = {"train": TRAIN, "validation": VALIDATION}
    others |= {name: changes.pop(name) for name in (*others, "task", "on_trial") if name in changes}
    return run(folder / log, spec(kind, **changes), trials, folder=place(folder / "declared"), **others)
