"""The model card: everything in the whole one, whole sections in MLflow's description, no markup from data."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from ml_assets.ml.promotion.gate import compare, within_limits
from ml_assets.ml.promotion.model_card import LONGEST, CardFacts, description, metric_intervals, model_card
from ml_assets.ml.promotion.segments import SegmentVerdict
from ml_assets.ml.quality.scores import Scores
from ml_assets.spec import Promotion
from ml_assets_tests.flights import flights

ROWS = 600
LABEL = np.random.default_rng(0).normal(size=ROWS)
SCORES = Scores("regression", LABEL + np.random.default_rng(1).normal(size=ROWS))
DAY = np.arange(ROWS) // 50


@pytest.fixture
def facts() -> CardFacts:
    verdict = compare(LABEL, SCORES, SCORES, DAY, Promotion(), against="version 1")
    segment = SegmentVerdict("carrier=A|B", 300, 1.0, 1.1, 0.09, passed=True)
    verdict = within_limits(verdict, Promotion(), segments=(segment,), size_bytes=10, latency_ms=None)
    example = pd.DataFrame({"carrier_code": ["<b>UA</b>", None], "dep_hour": [7.5, 8.0]})
    metrics = metric_intervals(flights(), LABEL, SCORES, DAY)
    origin = {"data_sha256": "abc", "seed": "7", "search_id": "flights 2013-04-01"}
    rows, views, params = {"train": 1200}, {"weather": "1a2b3c"}, {"eta": 0.1}
    return CardFacts(
        3, "2013-04-01", "drift", "promoted, better", rows, origin, views, params, metrics, verdict, example
    )


def test_the_card_tells_everything_it_is_given(facts: CardFacts) -> None:
    card = model_card(flights(), facts, {"calibration": "calibration.png"})
    for text in (
        "# flights, version 3",
        "| train | 1,200 |",
        "| seed | `7` |",
        "| `weather` | 1a2b3c |",
        "| `eta` | 0.1 |",
        "![calibration](calibration.png)",
    ):
        assert text in card
    rmse = next(each for each in facts.metrics if each.metric == "rmse")
    assert f"| rmse | {rmse.value:.6g} | {rmse.low:.6g} | {rmse.high:.6g} |" in card


def test_values_of_data_are_no_markup(facts: CardFacts) -> None:
    card = model_card(flights(), facts, {})
    assert "<b>" not in card
    assert "| &lt;b>UA&lt;/b> | 7.5 |" in card
    assert r"carrier=A\|B" in card


def test_what_mlflow_keeps_of_the_card_is_whole_sections_without_pictures(facts: CardFacts) -> None:
    card = model_card(flights(), facts, {"calibration": "data:image/png;base64,AAAA"})
    many = replace(facts, params={f"parameter_{number}": 0.5 for number in range(1000)})
    for each in (facts, many):
        text = description(flights(), each)
        assert len(text) <= LONGEST
        assert "data:image" not in text
        assert all(section in model_card(flights(), each, {}) for section in text.split("\n\n"))
    assert "## Parameters" in card
    assert "## Parameters" not in description(flights(), many)


def test_intervals_hold_the_metric_and_leave_out_rows_without_a_label() -> None:
    label = LABEL.copy()
    label[:10] = np.nan
    rmse, mae = metric_intervals(flights(), label, SCORES, DAY)
    assert (rmse.metric, mae.metric) == ("rmse", "mae")
    assert rmse.low is not None
    assert rmse.high is not None
    assert rmse.low < rmse.value < rmse.high
    assert metric_intervals(flights(), np.full(ROWS, np.nan), SCORES, DAY) == []
