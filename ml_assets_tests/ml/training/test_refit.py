"""The last training: the winner's recipe on all rows, without a look at any of them for when to stop."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import load_breast_cancer, load_wine

from ml_assets.ml.search.tuning import SearchResult, search
from ml_assets.ml.training.refit import refit
from ml_assets.spec import Integer, Search, Task

SPEC = Search(space={"max_depth": Integer(kind="integer", low=2, high=3)}, max_rounds=15, threads=1, loss="logloss")


def _rows(task: Task) -> pd.DataFrame:
    data = (load_breast_cancer if task == "binary" else load_wine)(as_frame=True)
    frame = data.frame.sample(frac=1, random_state=0).reset_index(drop=True)
    if task == "multiclass":
        frame["target"] = frame["target"].map({0: "barolo", 1: "grignolino", 2: "barbera"})
    return frame.astype({"target": float}) if task == "binary" else frame


def _search(task: Task, folder: Path, spec: Search) -> tuple[SearchResult, pd.DataFrame]:
    rows = _rows(task)
    cut = len(rows) // 2
    features = {name: "float" for name in rows.columns if name != "target"}
    found = search(
        rows[:cut],
        rows[cut:],
        features=features,
        label="target",
        spec=spec,
        trials=2,
        log=folder / "t.jsonl",
        task=task,
    )  # type: ignore[arg-type]
    return found, rows


@pytest.mark.parametrize("task", ["binary", "multiclass"])
def test_it_learns_from_the_rows_it_was_judged_by(task: Task, tmp_path: Path) -> None:
    found, rows = _search(task, tmp_path, SPEC)
    again = refit(found.model, rows, SPEC)
    assert again.best_iteration == found.model.best_iteration
    assert again.params == found.model.params
    assert again.fitted.num_boosted_rounds() == found.model.fitted.num_boosted_rounds()
    held_out = rows[len(rows) // 2 :]
    wrong = [np.mean(model.scores(held_out).predictions().round() != held_out["target"]) if task == "binary"
             else np.mean(model.predict(held_out) != held_out["target"]) for model in (found.model, again)]  # fmt: skip
    assert wrong[1] < wrong[0]


def test_the_same_rows_give_the_same_bytes(tmp_path: Path) -> None:
    found, rows = _search("binary", tmp_path, SPEC)
    assert refit(found.model, rows, SPEC).to_files() == refit(found.model, rows, SPEC).to_files()


def test_a_class_that_only_the_held_out_rows_have_is_learned(tmp_path: Path) -> None:
    rows = _rows("multiclass")
    known = rows[rows["target"] != "barbera"]
    features = {name: "float" for name in rows.columns if name != "target"}
    found = search(
        known[:60], known[60:], features=features, label="target", spec=SPEC, trials=1, log=tmp_path / "t.jsonl",
        task="multiclass",
    )  # type: ignore[arg-type]  # fmt: skip
    assert set(refit(found.model, rows, SPEC).predict(rows)) == {"barolo", "grignolino", "barbera"}


def test_without_early_stopping_all_rounds_are_kept(tmp_path: Path) -> None:
    found, _ = _search("binary", tmp_path, SPEC.model_copy(update={"early_stopping_rounds": None, "max_rounds": 40}))
    assert found.model.fitted.num_boosted_rounds() == 40
