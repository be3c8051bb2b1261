"""The state in one sentence."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from ml_assets.ml.monitoring.alerting import Training
from ml_assets.ml.monitoring.overview.data import Overview
from ml_assets.ml.monitoring.overview.sentence import present
from ml_assets_tests.flights import flights
from ml_assets_tests.ml.monitoring.overview.example import decision, key, overview, window

NOW = datetime(2026, 11, 24, tzinfo=UTC)
SINCE = f"Version 3 is in production since {key(10)}; "
FLYING = Training(key(26), "run-c", "in_flight", "why", NOW)


def _last(*failed: str, error: float | None = 40.0, version: int = 3) -> Overview:
    """The example with another last window."""
    found = overview(trainings=())
    return replace(found, windows={**found.windows, key(25): window(25, *failed, error=error, version=version)})


@pytest.mark.parametrize(
    ("found", "state", "says"),
    [
        pytest.param(
            _last(),
            "good",
            f"{SINCE}rmse was 40.00 minutes in window {key(25)}, 3% worse than the 39.00 on held-out rows and within its "
            "limit of 48.75.",
            id="within its limit",
        ),
        pytest.param(
            _last("model_quality", error=58.5),
            "bad",
            f"{SINCE}rmse was 58.50 minutes in window {key(25)}, 50% worse than the 39.00 on held-out rows and beyond "
            "its limit of 48.75. "
            f"Failing: model_quality in {key(25)} (words on model_quality).",
            id="a check that retrains",
        ),
        pytest.param(_last(error=39.1), "good", "like the 39.00 on held-out rows and within its limit of 48.75.", id="like"),
        pytest.param(
            _last("data_drift"), "watch", f"its limit of 48.75. Failing: data_drift in {key(25)} (words on data_drift).", id="another check"
        ),
        pytest.param(
            replace(_last(), trainings=(FLYING,)), "watch", f"A training for {key(26)} is in flight.", id="in flight"
        ),
        pytest.param(
            replace(_last(), trainings=(replace(FLYING, state="failed"),)),
            "watch",
            f"The training for {key(26)} failed.",
            id="a training that failed",
        ),
        pytest.param(overview(decisions=()), "none", "No version is in production.", id="nothing in production"),
        pytest.param(
            overview(decisions=(decision(1, 0),), windows={}, trainings=()),
            "none",
            "its error is not known yet: no window was judged by labels.",
            id="nothing judged",
        ),
    ],
)  # fmt: skip
def test_the_sentence_says_what_matters(found: Overview, state: str, says: str) -> None:
    now = present(found)
    assert now.state == state
    assert now.sentence.endswith(says), now.sentence


def test_a_check_that_could_not_judge_neither_fails_nor_ends_a_streak() -> None:
    found = overview(trainings=())
    unjudged = window(25, error=None)
    marks = tuple(replace(mark, passed=None) for mark in unjudged.marks)
    windows = {key(24): window(24, "model_quality"), key(23): window(23, "model_quality")}
    found = replace(found, windows={**found.windows, **windows, key(25): replace(unjudged, marks=marks)})
    assert present(found).sentence.endswith(
        f"Failing: model_quality since {key(23)} (2 windows; words on model_quality)."
    )


def test_long_words_are_left_to_the_page() -> None:
    found = _last("data_drift")
    marks = tuple(replace(mark, text="x" * 71) for mark in found.windows[key(25)].marks)
    found = replace(found, windows={**found.windows, key(25): replace(found.windows[key(25)], marks=marks)})
    assert present(found).sentence.endswith(f"Failing: data_drift in {key(25)}.")


def test_a_score_that_is_good_when_large_is_compared_in_its_own_unit() -> None:
    quality = flights().quality.model_copy(update={"metric": "auc"})
    problem = flights().model_copy(update={"quality": quality})
    found = overview(problem, decisions=(decision(1, 0),), intervals={}, trainings=())
    found = replace(found, windows={key(0): window(0, error=0.7, held_out=0.8, limit=0.75)})
    assert (
        "auc was 0.7000 in window 2013-04-01, 0.1000 below the 0.8000 on held-out rows and beyond its limit of 0.7500"
        in present(found).sentence
    )
