"""The metrics of each task against scikit-learn's, and what they say where there is nothing to say."""

import numpy as np
import pytest
import sklearn.metrics as oracle
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from ml_assets.errors import UndefinedMetricError
from ml_assets.ml.quality.metrics import evaluate, rankings
from ml_assets.ml.quality.ranking import Ranking
from ml_assets.ml.quality.scores import Scores
from ml_assets.spec import METRICS, Task

CLASSES = ("ale", "beer", "cider")
RNG = np.random.default_rng(0)
CODES = RNG.integers(0, 3, 400)
NAMES = np.array(CLASSES, dtype=object)[CODES]


def probabilities(rows: int, seed: int = 1) -> np.ndarray:
    raw = np.random.default_rng(seed).random((rows, 3)).round(1) + 0.05  # rounded, so that there are ties
    return raw / raw.sum(axis=1, keepdims=True)


def test_regression_errors_are_scikit_learns() -> None:
    label, prediction = RNG.normal(size=300), RNG.normal(size=300)
    metrics = evaluate(label, Scores("regression", prediction))
    assert metrics.values == pytest.approx(
        {
            "rmse": oracle.root_mean_squared_error(label, prediction),
            "mae": oracle.mean_absolute_error(label, prediction),
            "r2": oracle.r2_score(label, prediction),
            "bias": prediction.mean() - label.mean(),
        }
    )


@settings(deadline=None, max_examples=50)
@given(st.data())
def test_binary_metrics_are_scikit_learns_also_with_ties(data: st.DataObject) -> None:
    rows = data.draw(st.integers(2, 60))
    label = data.draw(arrays(np.float64, rows, elements=st.sampled_from([0.0, 1.0])).filter(lambda a: len(set(a)) == 2))
    score = data.draw(arrays(np.float64, rows, elements=st.sampled_from([0.01, 0.2, 0.5, 0.51, 0.9, 0.99])))
    assert evaluate(label, Scores("binary", score)).values == pytest.approx(
        {
            "logloss": oracle.log_loss(label, score),
            "auc": oracle.roc_auc_score(label, score),
            "average_precision": oracle.average_precision_score(label, score),
            "brier": oracle.brier_score_loss(label, score),
            "accuracy": oracle.accuracy_score(label, score > 0.5),
            "bias": score.mean() - label.mean(),
        }
    )


def test_multiclass_metrics_are_scikit_learns() -> None:
    scores = probabilities(400)
    assert evaluate(NAMES, Scores("multiclass", scores, CLASSES)).values == pytest.approx(
        {
            "logloss": oracle.log_loss(CODES, scores),
            "accuracy": oracle.accuracy_score(CODES, scores.argmax(axis=1)),
            "f1_macro": oracle.f1_score(CODES, scores.argmax(axis=1), average="macro"),
            "auc": oracle.roc_auc_score(CODES, scores, multi_class="ovr", average="macro"),
        }
    )


def test_a_class_without_rows_leaves_the_auc_and_counts_in_f1_only_where_it_is_predicted() -> None:
    two = CODES < 2
    scores = probabilities(400)[two]
    metrics = evaluate(NAMES[two], Scores("multiclass", scores, CLASSES))
    each = [oracle.roc_auc_score(CODES[two] == code, scores[:, code]) for code in (0, 1)]
    assert metrics.value("auc") == pytest.approx(np.mean(each))
    assert metrics.value("f1_macro") == pytest.approx(
        oracle.f1_score(CODES[two], scores.argmax(axis=1), average="macro")
    )


def test_a_class_that_the_model_does_not_know_counts_as_one_it_held_impossible() -> None:
    label = np.array(["ale", "beer", "mead", "mead"], dtype=object)
    sure = np.array([[1, 0, 0], [0, 1, 0], [0, 0, 1], [1, 0, 0]], dtype=float)
    metrics = evaluate(label, Scores("multiclass", sure, CLASSES))
    assert metrics.unknown_class_rows == 2
    assert metrics.value("accuracy") == 0.5
    assert metrics.value("logloss") == pytest.approx(0.5 * -np.log(1e-15))
    assert metrics.as_dict()["unknown_class_rows"] == 2


def test_classes_go_by_name_and_not_by_place() -> None:
    # Without ties: of equally likely classes the first is predicted.
    scores, two = probabilities(400) + np.random.default_rng(9).random((400, 3)) * 1e-6, CODES != 1
    turned = Scores("multiclass", scores[:, ::-1], CLASSES[::-1])
    straight = evaluate(NAMES, Scores("multiclass", scores, CLASSES))
    assert evaluate(NAMES, turned).values == pytest.approx(straight.values)
    some = Scores("multiclass", scores[two][:, [2, 0]], ("cider", "ale"))
    assert evaluate(NAMES[two], some).value("logloss") == pytest.approx(-np.log(scores[two, CODES[two]]).mean())
    missing = evaluate(NAMES, Scores("multiclass", scores[:, [0, 2]], ("ale", "cider")))
    assert missing.unknown_class_rows == (CODES == 1).sum()
    assert missing.value("accuracy") == pytest.approx((scores[:, [0, 2]].argmax(axis=1) * 2 == CODES).mean())


def test_rows_without_a_label_are_left_out() -> None:
    label, score = np.array([0.0, np.nan, 1.0, np.nan]), np.array([0.2, 0.9, 0.8, 0.1])
    assert evaluate(label, Scores("binary", score)) == evaluate(label[[0, 2]], Scores("binary", score[[0, 2]]))
    names, scores = np.array(["ale", None, "beer", np.nan], dtype=object), probabilities(4)
    known = evaluate(names, Scores("multiclass", scores, CLASSES))
    assert known == evaluate(names[[0, 2]], Scores("multiclass", scores[[0, 2]], CLASSES))
    assert known.rows == 2


@pytest.mark.parametrize(
    ("task", "label", "scores", "there"),
    [
        pytest.param("binary", np.ones(9), np.full(9, 0.4), {"logloss", "brier", "accuracy", "bias"}, id="binary"),
        pytest.param("multiclass", NAMES[CODES == 1], None, {"logloss", "accuracy", "f1_macro"}, id="multiclass"),
        pytest.param("regression", np.ones(9), np.zeros(9), {"rmse", "mae", "bias"}, id="constant-label"),
    ],
)
def test_what_one_class_does_not_define_is_absent_and_named_when_asked_for(
    task: Task, label: np.ndarray, scores: np.ndarray | None, there: set[str]
) -> None:
    values = probabilities(len(label)) if scores is None else scores
    metrics = evaluate(label, Scores(task, values, CLASSES if task == "multiclass" else ()))
    assert set(metrics.values) == there
    absent = "r2" if task == "regression" else "auc"
    with pytest.raises(UndefinedMetricError, match=rf"'{absent}' is undefined: all {len(label)} .* same label. Take"):
        metrics.error(absent)


@pytest.mark.parametrize("task", METRICS)
def test_without_labels_there_are_no_metrics(task: Task) -> None:
    for label in (np.array([]), np.array([np.nan, np.nan])):
        values = probabilities(len(label)) if task == "multiclass" else np.zeros(len(label))
        metrics = evaluate(label, Scores(task, values, CLASSES if task == "multiclass" else ()))
        assert (metrics.rows, dict(metrics.values)) == (0, {})
        with pytest.raises(UndefinedMetricError, match="no row has a label"):
            metrics.value(METRICS[task][0])


def test_a_score_counts_as_the_error_that_is_left_to_one() -> None:
    metrics = evaluate(np.array([0.0, 1.0, 1.0]), Scores("binary", np.array([0.6, 0.7, 0.9])))
    assert metrics.error("accuracy") == pytest.approx(1 / 3)
    assert metrics.error("auc") == 0.0
    assert metrics.error("brier") == metrics.value("brier")


def test_labels_and_scores_of_different_length_are_refused() -> None:
    with pytest.raises(ValueError, match="3 labels, 2 scores"):
        evaluate(np.zeros(3), Scores("regression", np.zeros(2)))


def test_weights_count_rows_as_often_as_they_say() -> None:
    rng = np.random.default_rng(4)
    label, score = rng.integers(0, 2, 80), rng.random(80).round(1)
    weights = rng.integers(0, 4, (5, 80))
    ranking = Ranking(label == 1, score)
    for row, weight in enumerate(weights):
        repeated, scored = np.repeat(label, weight), np.repeat(score, weight)
        assert ranking.auc(weights)[row] == pytest.approx(oracle.roc_auc_score(repeated, scored))
        assert ranking.average_precision(weights)[row] == pytest.approx(
            oracle.average_precision_score(repeated, scored)
        )


def test_a_weighting_that_leaves_one_class_has_no_ranking() -> None:
    [ranking] = rankings(np.array([0.0, 0.0, 1.0]), Scores("binary", np.array([0.1, 0.5, 0.9])))
    weights = np.array([[1, 1, 0], [0, 0, 3], [1, 0, 1]])
    for values in (ranking.auc(weights), ranking.average_precision(weights)):
        np.testing.assert_array_equal(values, [np.nan, np.nan, 1.0])
