"""The retraining policy, case by case."""

from datetime import UTC, date, datetime

import pytest

from ml_assets.ml.retraining import decide
from ml_assets.ml.windows import Window, window_of
from ml_assets.spec import Cadence, RetrainingPolicy

CADENCE = Cadence(kind="weekly", start=date(2013, 4, 1))
CUTOFF = datetime(2013, 4, 1, tzinfo=UTC)
POLICY = RetrainingPolicy(bad_windows=2, of_last=5, cooldown_windows=3)


def _weeks(verdicts: str) -> dict[Window, list[str]]:
    """One week a letter: b bad, g good, - without a verdict."""
    first = window_of(CADENCE, "2013-04-01")
    failed = {"b": ["data_drift"], "g": []}
    return {first.shift(n): failed[letter] for n, letter in enumerate(verdicts) if letter != "-"}


@pytest.mark.parametrize(
    ("verdicts", "retrain", "reason"),
    [
        pytest.param("", False, "No window is judged", id="nothing judged"),
        pytest.param("bbg", False, "latest window 2013-04-15 is good", id="the latest is good"),
        pytest.param("ggb", False, "1 bad of the last 5", id="one bad window"),
        pytest.param("bb", False, "Cooldown: 2 of 3", id="too soon"),
        pytest.param("gbb", True, "2 bad windows", id="two bad windows"),
        pytest.param("bgggb", True, "2 bad windows", id="two of five"),
        pytest.param("bggggb", False, "1 bad of the last 5", id="two of six"),
        pytest.param("b--gb", True, "2 bad windows", id="windows without a verdict"),
    ],
)
def test_the_policy_decides(verdicts: str, retrain: bool, reason: str) -> None:
    decision = decide(_weeks(verdicts), CUTOFF, POLICY)
    assert (decision.retrain, reason in decision.reason) == (retrain, True), decision.reason


def test_the_training_cutoff_is_the_start_of_the_next_window() -> None:
    decision = decide(_weeks("gbb"), CUTOFF, POLICY)
    assert (decision.cutoff, decision.bad) == ("2013-04-22", ("2013-04-08", "2013-04-15"))


def test_with_late_labels_the_training_uses_all_that_has_been_scored_since() -> None:
    weeks = _weeks("gbb")
    scored = max(weeks).shift(4)
    assert decide(weeks, CUTOFF, POLICY, scored=scored).cutoff == "2013-05-20"


def test_windows_before_the_last_cutoff_were_answered_already() -> None:
    later = datetime(2013, 4, 22, tzinfo=UTC)
    assert not decide(_weeks("bbbb"), later, POLICY).retrain


def test_the_order_in_which_windows_arrive_does_not_matter() -> None:
    weeks = _weeks("gbgbb")
    assert decide(dict(reversed(list(weeks.items()))), CUTOFF, POLICY) == decide(weeks, CUTOFF, POLICY)


def test_nothing_is_retrained_before_a_first_version() -> None:
    assert "first" in decide(_weeks("bbb"), None, POLICY).reason
