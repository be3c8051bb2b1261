"""Drift of predictions and labels that are classes, and the metrics that the page then shows."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from ml_assets.errors import DriftColumnsError
from ml_assets.ml.quality.metrics import evaluate
from ml_assets.ml.quality.scores import Scores, label_of, read_scores, with_scores
from ml_assets.spec import METRICS, Task
from ml_assets_tests.ml.monitoring.test_drift import ROWS, drifted, report, window

CLASSES = ("ale", "beer", "cider")


def classed(seed: int, task: Task, *, base_rate: float = 0.3, rows: int = ROWS) -> pd.DataFrame:
    """Rows with the label and the scores of a task of classes."""
    rng = np.random.default_rng(seed)
    frame = window(seed, rows).drop(columns=["prediction", "delay"])
    if task == "binary":
        label = (rng.random(rows) < base_rate).astype(float)
        scores = Scores(task, np.clip(0.6 * label + rng.normal(0.2, 0.1, rows), 0, 1))
        return with_scores(frame.assign(delay=label), scores)
    codes = rng.choice(3, rows, p=[1 - base_rate, base_rate / 2, base_rate / 2])
    raw = rng.random((rows, 3))
    raw[np.arange(rows), codes] += 1
    scores = Scores(task, raw / raw.sum(axis=1, keepdims=True), CLASSES)
    return with_scores(frame.assign(delay=np.array(CLASSES, dtype=object)[codes]), scores)


@pytest.mark.parametrize("task", ["binary", "multiclass"])
def test_classes_of_the_same_shares_do_not_drift_and_of_others_do(tmp_path: Path, task: Task) -> None:
    reference = classed(0, task)
    same = report(tmp_path, classed(1, task), reference=reference, task=task)
    assert drifted(same) == set()
    moved = report(tmp_path, classed(1, task, base_rate=0.6), reference=reference, task=task)
    assert drifted(moved) == {"prediction", "delay"}
    assert moved.target is not None
    assert moved.target.method == "jensenshannon"
    assert moved.prediction.method == ("wasserstein" if task == "binary" else "jensenshannon")


def test_a_rare_class_does_not_drift_by_sampling_alone(tmp_path: Path) -> None:
    reference = classed(0, "binary", base_rate=0.01)
    for seed in range(1, 9):
        result = report(tmp_path, classed(seed, "binary", base_rate=0.01, rows=500), reference=reference, task="binary")
        assert result.target is not None
        assert result.target.drifted is False


@pytest.mark.parametrize("task", ["binary", "multiclass"])
def test_the_page_and_the_record_show_the_metrics_of_the_task(tmp_path: Path, task: Task) -> None:
    current = classed(1, task)
    report(tmp_path, current, reference=classed(0, task), task=task)
    quality = json.loads((tmp_path / "drift.json").read_text())["quality"]
    expected = evaluate(label_of(task, current["delay"]), read_scores(task, current))
    assert quality["window"] == pytest.approx(expected.as_dict())
    assert set(METRICS[task]) <= set(quality["reference"])
    page = (tmp_path / "drift.html").read_text()
    assert all(metric.replace("_", " ") in page for metric in METRICS[task])


@pytest.mark.parametrize("task", ["regression", "binary", "multiclass"])
@pytest.mark.parametrize("nothing", [None, np.nan], ids=["none", "nan"])
def test_labels_of_no_task_need_to_be_known(tmp_path: Path, task: Task, nothing: object) -> None:
    sides = [window(seed) if task == "regression" else classed(seed, task) for seed in (0, 1)]
    result = report(tmp_path, sides[1].assign(delay=nothing), reference=sides[0], task=task)
    assert result.target is not None
    assert result.target.drifted is None
    assert result.prediction.drifted is False
    assert json.loads((tmp_path / "drift.json").read_text())["quality"] is None


def test_one_class_only_leaves_out_what_it_does_not_define(tmp_path: Path) -> None:
    report(tmp_path, classed(1, "binary").assign(delay=1.0), reference=classed(0, "binary"), task="binary")
    quality = json.loads((tmp_path / "drift.json").read_text())["quality"]
    assert "auc" not in quality["window"]
    assert "auc" in quality["reference"]
    assert "undefined" in (tmp_path / "drift.html").read_text()


def test_a_window_without_the_probabilities_of_a_class_is_refused(tmp_path: Path) -> None:
    lost = classed(1, "multiclass").drop(columns="probability:beer")
    with pytest.raises(DriftColumnsError, match="current rows lack probability:beer"):
        report(tmp_path, lost, reference=classed(0, "multiclass"), task="multiclass")
