"""The gate on made-up scores whose truth is known."""

import numpy as np
import pytest

from ml_assets.ml.promotion.gate import Verdict, baseline, compare
from ml_assets.ml.quality import bootstrap
from ml_assets.ml.quality.bootstrap import bootstrap_gains, bootstrap_interval
from ml_assets.ml.quality.metrics import evaluate
from ml_assets.ml.quality.scores import Scores
from ml_assets.spec import METRICS, MetricName, Promotion, Task

ROWS, DAYS = 6000, 30
DAY = np.repeat(np.arange(DAYS), ROWS // DAYS)


def regression(values: np.ndarray) -> Scores:
    return Scores("regression", values)


def _gate(noise: float, *, day_noise: float = 0.0, policy: Promotion = Promotion()) -> Verdict:  # noqa: B008
    """A challenger whose error is `noise` against the champion's 1."""
    rng = np.random.default_rng(1)
    label = rng.normal(size=ROWS)
    shared = rng.normal(size=DAYS)[DAY] * day_noise
    challenger = label + noise * rng.normal(size=ROWS) + shared
    champion = label + rng.normal(size=ROWS)
    return compare(label, regression(challenger), regression(champion), DAY, policy, against="version 1")


def test_a_clearly_better_challenger_is_promoted() -> None:
    verdict = _gate(0.8)
    assert verdict.promote
    assert verdict.low < verdict.gain < verdict.high
    assert verdict.gain == pytest.approx(0.2, abs=0.03)


def test_a_worse_challenger_is_rejected() -> None:
    assert not _gate(1.2).promote


def test_an_equal_challenger_is_rejected() -> None:
    assert not _gate(1.0).promote


def test_a_gain_below_the_margin_is_rejected() -> None:
    assert not _gate(0.9, policy=Promotion(min_gain=0.2)).promote


def test_errors_shared_by_a_day_widen_the_interval() -> None:
    independent, shared = _gate(0.9), _gate(0.7, day_noise=0.6)
    assert shared.high - shared.low > 2 * (independent.high - independent.low)


def test_the_same_rows_give_the_same_verdict() -> None:
    assert _gate(0.95) == _gate(0.95)


CLASSES = ("a", "b", "c")
CODES = np.random.default_rng(2).integers(0, 3, ROWS)


def classes(sharpness: float, seed: int) -> Scores:
    """Probabilities that lean to the truth by so much."""
    raw = np.random.default_rng(seed).normal(size=(ROWS, 3))
    raw[np.arange(ROWS), CODES] += sharpness
    return Scores("multiclass", np.exp(raw) / np.exp(raw).sum(axis=1, keepdims=True), CLASSES)


def case(metric: str, challenger: float, champion: float, rows: int = ROWS) -> tuple[np.ndarray, Scores, Scores]:
    """Label and both scores, for models that lean to the truth by so much."""
    if metric in METRICS["regression"]:
        label = np.random.default_rng(0).normal(size=ROWS)
        noise = [
            np.random.default_rng(seed).normal(size=ROWS) / lean for seed, lean in ((1, challenger), (2, champion))
        ]
        return label[:rows], *(regression((label + each)[:rows]) for each in noise)
    names = np.array(CLASSES, dtype=object)[CODES]
    many = classes(challenger, 1), classes(champion, 2)
    if metric == "f1_macro":
        return names[:rows], *(each.take(np.arange(ROWS) < rows) for each in many)
    label = (CODES == 0).astype(float)
    return label[:rows], *(Scores("binary", each.values[:rows, 0]) for each in many)


EVERY = sorted({metric for metrics in METRICS.values() for metric in metrics})


@pytest.mark.parametrize("blocks", ["day", "row"])
@pytest.mark.parametrize("metric", EVERY)
def test_by_every_metric_the_better_model_wins_and_the_worse_one_does_not(metric: str, blocks: str) -> None:
    policy = Promotion(metric=metric, blocks=blocks, bootstrap_samples=200)
    label, better, worse = case(metric, 1.6, 1.0)
    won = compare(label, better, worse, DAY, policy, against="version 1")
    lost = compare(label, worse, better, DAY, policy, against="version 1")
    assert won.promote, won.reason
    assert not lost.promote, lost.reason
    assert won.gain is not None
    assert won.gain > 0
    assert metric in won.reason


@pytest.mark.parametrize("metric", EVERY)
def test_the_bootstrap_is_the_metric_on_repeated_blocks(metric: str) -> None:
    label, ours, theirs = case(metric, 1.3, 1.0, rows=200)
    block = np.arange(200) // 10
    gains = bootstrap_gains(metric, label, ours, theirs, block, samples=5, seed=3)  # type: ignore[arg-type]
    counts = np.random.default_rng(3).multinomial(20, np.full(20, 1 / 20), size=5)
    for drawn, found in zip(counts, gains, strict=True):
        rows = np.repeat(np.arange(200), drawn[block])
        errors = [
            evaluate(label[rows], Scores(each.task, each.values[rows], each.classes)).error(metric)
            for each in (ours, theirs)
        ]
        assert found == pytest.approx(1 - errors[0] / errors[1])


@pytest.mark.parametrize("metric", EVERY)
def test_resamples_drawn_in_parts_are_those_drawn_at_once(metric: str, monkeypatch: pytest.MonkeyPatch) -> None:
    label, ours, theirs = case(metric, 1.3, 1.0, rows=300)
    block = np.arange(300)
    whole = bootstrap_gains(metric, label, ours, theirs, block, samples=20, seed=3)  # type: ignore[arg-type]
    monkeypatch.setattr(bootstrap, "_CELLS", 900)
    parts = bootstrap_gains(metric, label, ours, theirs, block, samples=20, seed=3)  # type: ignore[arg-type]
    np.testing.assert_allclose(parts, whole, rtol=1e-12)


def test_several_classes_are_compared_by_their_auc() -> None:
    names = np.array(CLASSES, dtype=object)[CODES]
    policy = Promotion(metric="auc", bootstrap_samples=200)
    verdict = compare(names, classes(1.6, 1), classes(1.0, 2), DAY, policy, against="version 1")
    assert verdict.promote
    assert verdict.challenger == pytest.approx(1 - evaluate(names, classes(1.6, 1)).value("auc"))


@pytest.mark.parametrize(
    ("days", "blocks", "by_day"),
    [(10, "auto", True), (9, "auto", False), (9, "day", True), (30, "row", False)],
    ids=["ten-days", "nine-days", "days-asked-for", "rows-asked-for"],
)
def test_days_are_drawn_from_ten_days_on_or_where_they_are_asked_for(days: int, blocks: str, by_day: bool) -> None:
    day = np.arange(ROWS) * days // ROWS
    rng = np.random.default_rng(1)
    label = rng.normal(size=ROWS)
    shared = rng.normal(size=days)[day]  # an error that only whole days show
    ours, theirs = (
        regression(label + 0.7 * rng.normal(size=ROWS) + 0.6 * shared),
        regression(label + rng.normal(size=ROWS)),
    )
    verdict = compare(label, ours, theirs, day, Promotion(blocks=blocks), against="version 1")
    rows = compare(label, ours, theirs, day, Promotion(blocks="row"), against="version 1")
    assert verdict.low is not None
    assert verdict.high is not None
    assert rows.low is not None
    assert rows.high is not None
    assert (verdict.high - verdict.low > 2 * (rows.high - rows.low)) == by_day


def test_one_day_cannot_be_resampled_by_days() -> None:
    label, ours, theirs = case("rmse", 1.6, 1.0)
    verdict = compare(label, ours, theirs, np.zeros(ROWS, int), Promotion(blocks="day"), against="version 1")
    assert not verdict.promote
    assert "not judged: the test rows lie on one day" in verdict.reason
    assert compare(label, ours, theirs, np.zeros(ROWS, int), Promotion(), against="version 1").promote


@pytest.mark.parametrize(
    ("label", "said"),
    [
        pytest.param(np.ones(50), "all 50 labelled rows have the same label", id="one-class"),
        pytest.param(np.full(50, np.nan), "no row has a label", id="no-label"),
        pytest.param(np.array([]), "no row has a label", id="no-row"),
    ],
)
def test_what_is_undefined_on_the_test_rows_is_not_promoted_and_says_why(label: np.ndarray, said: str) -> None:
    scores = Scores("binary", np.linspace(0.1, 0.9, len(label)))
    day = np.arange(len(label))
    verdict = compare(label, scores, scores, day, Promotion(metric="auc"), against="version 1")
    assert not verdict.promote
    assert verdict.reason == f"not judged: auc is undefined, since {said}"
    assert verdict.numbers() == {}


def test_resamples_without_the_rare_class_are_left_out() -> None:
    label = np.array([1.0, *np.zeros(40)])
    ours, theirs = np.linspace(1, 0, 41), np.linspace(0, 1, 41)
    day = np.arange(41)
    gains = bootstrap_gains("auc", label, Scores("binary", ours), Scores("binary", theirs), day, samples=200, seed=0)
    assert 0.2 < np.isnan(gains).mean() < 0.5
    verdict = compare(
        label, Scores("binary", ours), Scores("binary", theirs), day, Promotion(metric="auc"), against="v"
    )
    assert verdict.promote
    assert verdict.low is not None
    assert np.isfinite(verdict.low)


def test_a_champion_without_error_is_not_beaten() -> None:
    label = np.arange(50, dtype=float) % 2
    perfect, good = Scores("binary", label), Scores("binary", np.where(np.arange(50) < 3, 1 - label, label))
    policy = Promotion(metric="accuracy")
    for challenger in (perfect, good):
        verdict = compare(label, challenger, perfect, np.arange(50), policy, against="version 1")
        assert not verdict.promote
        assert verdict.low is not None
        assert np.isfinite([verdict.gain, verdict.low, verdict.high]).all()


def test_classes_that_only_one_model_knows_are_compared_on_all_rows() -> None:
    names = np.array(CLASSES, dtype=object)[CODES]
    full = classes(1.0, 1)
    narrow = Scores(
        "multiclass", full.values[:, [2, 0]] / full.values[:, [2, 0]].sum(axis=1, keepdims=True), ("c", "a")
    )
    verdict = compare(names, full, narrow, DAY, Promotion(metric="logloss"), against="version 1")
    assert verdict.promote
    assert verdict.rows == ROWS
    assert not compare(names, narrow, full, DAY, Promotion(metric="logloss"), against="version 1").promote


@pytest.mark.parametrize(
    ("task", "metric", "label", "value", "name"),
    [
        ("regression", "rmse", np.array([0.0, 0, 9]), 3.0, "the mean of the validation rows"),
        ("regression", "mae", np.array([0.0, 0, 9]), 0.0, "the median of the validation rows"),
        ("binary", "auc", np.array([0.0, 0, 1]), 1 / 3, "the base rate of the validation rows"),
    ],
)
def test_where_there_is_no_champion_the_best_constant_has_to_be_beaten(
    task: Task, metric: MetricName, label: np.ndarray, value: float, name: str
) -> None:
    scores, against = baseline(task, metric, label, 4)
    assert against == name
    np.testing.assert_allclose(scores.values, np.full(4, value))


def test_where_there_is_no_champion_classes_have_to_beat_their_frequencies() -> None:
    scores, against = baseline("multiclass", "logloss", np.array(["b", "a", "b", "b"], dtype=object), 2)
    assert against == "the class frequencies of the validation rows"
    assert scores.classes == ("a", "b")
    np.testing.assert_allclose(scores.values, [[0.25, 0.75]] * 2)
    assert baseline("binary", "auc", np.array([0.0, 1.0]), 3)[0].values.tolist() == [0.5] * 3


@pytest.mark.parametrize("metric", METRICS["multiclass"])
def test_a_model_that_only_names_its_classes_in_another_order_is_the_same(metric: MetricName) -> None:
    names, straight = np.array(CLASSES, dtype=object)[CODES], classes(1.0, 1)
    turned = Scores("multiclass", straight.values[:, ::-1], CLASSES[::-1])
    policy = Promotion(metric=metric, bootstrap_samples=100)
    verdict = compare(names, turned, straight, DAY, policy, against="version 1")
    assert [verdict.gain, verdict.low, verdict.high] == pytest.approx([0, 0, 0], abs=1e-12)


@pytest.mark.parametrize("metric", EVERY)
def test_an_interval_is_the_quantiles_of_the_metric_on_repeated_blocks(metric: str) -> None:
    label, scores, _ = case(metric, 1.3, 1.0, rows=200)
    block = np.arange(200) // 10
    interval = bootstrap_interval(metric, label, scores, block, confidence=0.9, samples=20, seed=3)  # type: ignore[arg-type]
    values = []
    for drawn in np.random.default_rng(3).multinomial(20, np.full(20, 1 / 20), size=20):
        rows = np.repeat(np.arange(200), drawn[block])
        again = Scores(scores.task, scores.values[rows], scores.classes)
        values.append(evaluate(label[rows], again).value(metric))
    assert interval == pytest.approx(tuple(np.quantile(values, [0.1, 0.9])))
    low, high = interval or (0.0, 0.0)
    assert low < evaluate(label, scores).value(metric) < high


def test_what_no_resample_has_has_no_interval() -> None:
    scores = Scores("binary", np.linspace(0.1, 0.9, 20))
    block = np.arange(20)
    assert bootstrap_interval("auc", np.ones(20), scores, block, confidence=0.9, samples=10, seed=0) is None
