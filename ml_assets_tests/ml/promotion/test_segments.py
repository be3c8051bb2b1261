"""Segments of the gate on made-up scores, and its limits on size and latency."""

import numpy as np
import pandas as pd
import pytest
from pydantic import ValidationError

from ml_assets.errors import SegmentColumnError
from ml_assets.ml.promotion import segments
from ml_assets.ml.promotion.gate import compare, within_limits
from ml_assets.ml.promotion.segments import SegmentVerdict, judge_segments, segment_rows
from ml_assets.ml.quality.scores import Scores
from ml_assets.ml.training.model_cost import latency_ms, model_bytes
from ml_assets.spec import Promotion, Segment
from ml_assets_tests.lifecycle.shelf import model_of

ROWS = 4000
RNG = np.random.default_rng(5)
FRAME = pd.DataFrame(
    {
        "origin": np.where(np.arange(ROWS) % 10 == 0, "EWR", "JFK"),
        "miles": RNG.uniform(0, 3000, ROWS),
        "night": np.arange(ROWS) % 4 == 0,
        "stops": np.arange(ROWS) % 3,
    }
).assign(origin=lambda frame: frame["origin"].where(np.arange(ROWS) != 7, None))
LABEL = RNG.normal(size=ROWS)


def _scores(noise: float, where: np.ndarray | None = None, there: float = 0.0) -> Scores:
    """Errors of so much, and of another size on some rows."""
    size = np.full(ROWS, noise)
    if where is not None:
        size[where] = there
    return Scores("regression", LABEL + size * np.random.default_rng(int(noise * 100)).normal(size=ROWS))


def _segments(*declared: dict[str, object], least: int = 1) -> dict[str, np.ndarray]:
    return segment_rows([Segment.model_validate(each) for each in declared], FRAME, least=least)


def test_each_value_of_a_column_is_a_segment_missing_values_too() -> None:
    found = _segments({"column": "origin"})
    assert {name: int(rows.sum()) for name, rows in found.items()} == {
        "origin missing": 1,
        "origin=EWR": 400,
        "origin=JFK": 3599,
    }
    assert set(_segments({"column": "origin"}, least=400)) == {"origin=EWR", "origin=JFK"}


@pytest.mark.parametrize(
    ("declared", "rows"),
    [
        pytest.param({"values": ["EWR"], "column": "origin"}, 400, id="text"),
        pytest.param({"values": [True], "column": "night"}, 1000, id="flag"),
        pytest.param({"values": [0, 2], "column": "stops"}, 2667, id="numbers"),
        pytest.param({"values": ["LGA"], "column": "origin"}, 0, id="a-value-that-does-not-occur"),
        pytest.param({"low": 1, "column": "stops"}, 2666, id="from"),
        pytest.param({"high": 1, "column": "stops"}, 1334, id="below"),
        pytest.param({"low": 1, "high": 2, "column": "stops"}, 1333, id="between"),
    ],
)
def test_a_named_segment_is_some_values_or_a_range(declared: dict[str, object], rows: int) -> None:
    [inside] = _segments({"name": "some", **declared}).values()
    assert inside.sum() == rows


@pytest.mark.parametrize(
    ("declared", "says"),
    [
        pytest.param({"column": "orign"}, "column 'orign' is none of the rows'", id="no-column"),
        pytest.param({"column": "origin", "name": "far", "low": 3}, "'origin' holds no numbers", id="range-of-text"),
        pytest.param(
            {"column": "stops", "name": "two", "values": ["2"]}, "values of another kind", id="text-in-numbers"
        ),
        pytest.param({"column": "origin", "name": "two", "values": [2]}, "values of another kind", id="number-in-text"),
        pytest.param({"column": "miles"}, r"has 4,000 values \(at most 1,000\): declare ranges", id="measured"),
    ],
)
def test_a_segment_that_cannot_be_is_named(declared: dict[str, object], says: str) -> None:
    with pytest.raises(SegmentColumnError, match=says):
        _segments(declared)


@pytest.mark.parametrize(
    ("declared", "says"),
    [
        ({"segments": [{"column": "a", "values": [1]}]}, "needs a `name`"),
        ({"segments": [{"column": "a", "name": "x"}]}, "'x' would be all rows"),
        ({"segments": [{"column": "a", "name": "x", "low": 2, "high": 1}]}, "high 1.0 is not above low 2.0"),
        ({"segments": [{"column": "a", "name": "x", "low": 2, "values": [1]}]}, "both `values` and a range"),
        ({"segments": [{"column": "a"}, {"column": "a"}]}, "segment 'each value of a' is declared twice"),
    ],
    ids=["no-name", "all-rows", "empty-range", "both", "twice"],
)
def test_a_declaration_without_sense_is_refused(declared: dict[str, object], says: str) -> None:
    with pytest.raises(ValidationError, match=says):
        Promotion.model_validate(declared)


def _judged(policy: Promotion) -> dict[str, SegmentVerdict]:
    """A challenger that is better over all, and a tenth worse in EWR."""
    worse_in_ewr = FRAME["origin"].to_numpy() == "EWR"
    challenger, champion = _scores(0.8, worse_in_ewr, 1.1), _scores(1.0)
    rows = segment_rows(policy.segments, FRAME, least=policy.min_segment_rows)
    return {each.name: each for each in judge_segments(LABEL, challenger, champion, rows, policy)}


@pytest.mark.parametrize(
    ("limit", "least", "passed"),
    [
        pytest.param(0.05, 200, False, id="beyond-the-limit"),
        pytest.param(0.30, 200, True, id="within-the-limit"),
        pytest.param(0.05, 401, True, id="too-few-rows"),
        pytest.param(0.05, 400, False, id="just-enough-rows"),
    ],
)
def test_a_segment_may_not_be_worse_by_more_than_the_limit(limit: float, least: int, passed: bool) -> None:
    newark = Segment(name="newark", column="origin", values=("EWR",))
    policy = Promotion(segments=(newark,), max_segment_loss=limit, min_segment_rows=least)
    found = _judged(policy)["newark"]
    assert found.passed == passed
    assert found.gain is not None
    assert found.gain == pytest.approx(-0.1, abs=0.08)
    assert (found.note == f"not judged: 400 rows < {least}") == (least == 401)


def test_a_better_challenger_that_fails_a_segment_is_not_promoted_and_says_where() -> None:
    policy = Promotion(segments=(Segment(column="origin"),), blocks="row")
    challenger, champion = _scores(0.8, FRAME["origin"].to_numpy() == "EWR", 1.1), _scores(1.0)
    verdict = compare(LABEL, challenger, champion, np.zeros(ROWS, int), policy, against="version 1")
    assert verdict.promote
    found = within_limits(verdict, policy, segments=tuple(_judged(policy).values()), size_bytes=10, latency_ms=None)
    assert not found.promote
    assert found.reason.startswith("worse on segment origin=EWR")
    assert "limit -5.0%; better: rmse" in found.reason
    assert {each["name"]: each["passed"] for each in found.segment_numbers()} == {
        "origin=EWR": False,
        "origin=JFK": True,
    }


@pytest.mark.parametrize(
    ("limits", "says"),
    [
        pytest.param({"max_model_bytes": 9}, "too large: 10 bytes > 9", id="too-large"),
        pytest.param({"max_model_bytes": 10}, "", id="just-small-enough"),
        pytest.param({"max_latency_ms": 1.9}, "too slow: 2 ms for 1,000 rows > 1.9", id="too-slow"),
        pytest.param({"max_latency_ms": 2.0}, "", id="just-fast-enough"),
        pytest.param({}, "", id="no-limit"),
    ],
)
def test_costs_beyond_their_limit_stop_a_promotion(limits: dict[str, float], says: str) -> None:
    policy = Promotion.model_validate({"blocks": "row", **limits})
    verdict = compare(LABEL, _scores(0.8), _scores(1.0), np.zeros(ROWS, int), policy, against="version 1")
    found = within_limits(verdict, policy, segments=(), size_bytes=10, latency_ms=2.0)
    assert found.promote == (not says)
    assert says in found.reason
    assert (found.numbers()["model_bytes"], found.numbers()["latency_ms"]) == (10, 2.0)


def test_a_rejected_challenger_stays_rejected_within_all_limits() -> None:
    policy = Promotion(blocks="row")
    verdict = compare(LABEL, _scores(1.2), _scores(1.0), np.zeros(ROWS, int), policy, against="version 1")
    assert not within_limits(verdict, policy, segments=(), size_bytes=1, latency_ms=None).promote


def test_a_segment_whose_metric_is_undefined_is_not_judged() -> None:
    policy = Promotion(metric="auc", segments=(Segment(column="origin"),))
    label = (FRAME["origin"].to_numpy() == "EWR").astype(float)
    scores = Scores("binary", np.full(ROWS, 0.5))
    found = judge_segments(label, scores, scores, segment_rows(policy.segments, FRAME, least=200), policy)
    assert all(each.passed and "not judged: all" in each.note for each in found)


def test_size_and_latency_are_those_of_the_model() -> None:
    model = model_of(1)
    frame = pd.DataFrame({"dep_hour": [1.0, 2.0], "origin_code": ["EWR", "LGA"]})
    assert model_bytes(model) == sum(len(content) for content in model.to_files().values())
    assert 0 < latency_ms(model, frame) < 1000
    with pytest.raises(ValueError, match="no row"):
        latency_ms(model, frame.iloc[:0])


def test_the_limit_of_values_is_one_of_different_values(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(segments, "MOST_VALUES", 3)
    assert len(_segments({"column": "stops"})) == 3 + 1 - 1  # no value is missing, so no segment of missing ones
