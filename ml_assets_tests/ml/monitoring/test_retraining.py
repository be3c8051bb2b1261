"""The retraining policy, case by case."""

from datetime import UTC, date, datetime

import pytest

from ml_assets.ml.monitoring.retraining import decide
from ml_assets.ml.windows import Window, window_of
from ml_assets.spec import Cadence, RetrainingPolicy

CADENCE = Cadence(kind="weekly", start=date(2013, 4, 1))
CUTOFF = datetime(2013, 4, 1, tzinfo=UTC)
POLICY = RetrainingPolicy(bad_windows=2, of_last=5, cooldown_windows=3)
OUTRANKED = RetrainingPolicy(
    bad_windows=3, of_last=5, cooldown_windows=4, quality_windows=1, quality_cooldown_windows=2
)


def _weeks(verdicts: str) -> dict[Window, list[str]]:
    """One week a letter: b bad by drift, q by quality, i only in its inputs, g good, - without a verdict."""
    first = window_of(CADENCE, "2013-04-01")
    failed = {"b": ["target_drift"], "q": ["model_quality"], "i": ["data_drift", "prediction_drift"], "g": []}
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


@pytest.mark.parametrize(
    ("verdicts", "retrain", "reason"),
    [
        pytest.param("ggggb", False, "3 needed", id="drift needs three windows"),
        pytest.param("ggggq", True, "model_quality", id="a loss of quality needs one"),
        pytest.param("bbb", False, "Cooldown: 3 of 4", id="drift waits four windows after a training"),
        pytest.param("gq", True, "model_quality", id="a loss of quality waits two"),
        pytest.param("q", False, "Cooldown: 1 of 2", id="and no less"),
        pytest.param("gqb", False, "2 bad of the last 5", id="quality that came back by itself outranks nothing"),
        pytest.param("gbqb", True, "3 bad windows", id="but it counts as a bad window"),
    ],
)
def test_a_loss_of_quality_outranks_drift(verdicts: str, retrain: bool, reason: str) -> None:
    decision = decide(_weeks(verdicts), CUTOFF, OUTRANKED)
    assert (decision.retrain, reason in decision.reason) == (retrain, True), decision.reason


def test_a_loss_of_quality_never_needs_more_than_drift() -> None:
    policy = RetrainingPolicy(bad_windows=1, cooldown_windows=1, quality_windows=4, quality_cooldown_windows=9)
    assert decide(_weeks("q"), CUTOFF, policy).retrain


def test_drifting_inputs_alone_retrain_only_where_they_are_declared() -> None:
    assert not decide(_weeks("iiiii"), CUTOFF, POLICY).retrain
    declared = POLICY.model_copy(update={"checks": ("data_drift",)})
    decision = decide(_weeks("iiiii"), CUTOFF, declared)
    assert (decision.retrain, decision.checks) == (True, ("data_drift",))


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


@pytest.mark.parametrize(
    ("scored_later", "wait", "cutoff"),
    [
        pytest.param(0, 6, None, id="the newest window's labels are 90 days away"),
        pytest.param(12, 26, None, id="a day too early"),
        pytest.param(13, 26, "2013-07-22", id="known at the cutoff"),
        pytest.param(5, 6, None, id="waited for five windows"),
        pytest.param(6, 6, "2013-06-03", id="the wait is over"),
        pytest.param(0, 0, "2013-04-22", id="not declared to wait"),
    ],
)
def test_a_retraining_waits_for_the_labels_of_its_cause(scored_later: int, wait: int, cutoff: str | None) -> None:
    weeks, policy = _weeks("gbb"), POLICY.model_copy(update={"label_wait_windows": wait})
    decision = decide(weeks, CUTOFF, policy, scored=max(weeks).shift(scored_later), lookahead_days=85)
    assert decision.retrain is (cutoff is not None), decision.reason
    assert decision.cutoff == (cutoff or "")
    assert decision.retrain or "Waits for the labels of 2013-04-15" in decision.reason


def test_windows_that_turn_bad_meanwhile_do_not_make_it_wait_longer() -> None:
    policy = POLICY.model_copy(update={"label_wait_windows": 6})
    decisions = [decide(_weeks("gbb" + "b" * more), CUTOFF, policy, lookahead_days=85) for more in range(8)]
    assert [decision.retrain for decision in decisions] == [False] * 6 + [True] * 2


def test_a_wait_that_good_windows_ended_begins_anew() -> None:
    policy = POLICY.model_copy(update={"label_wait_windows": 6})
    reason = decide(_weeks("gbb" + "gggggg" + "bb"), CUTOFF, policy, lookahead_days=85).reason
    assert "Waits for the labels of 2013-06-10" in reason


def test_labels_that_are_known_at_once_are_not_waited_for() -> None:
    policy = POLICY.model_copy(update={"label_wait_windows": 100})
    assert decide(_weeks("gbb"), CUTOFF, policy).retrain


def test_equal_causes_are_the_same_bad_windows_since_the_same_training() -> None:
    cause = decide(_weeks("gbb"), CUTOFF, POLICY).cause
    weeks = _weeks("gqb")  # judged again, another check failed
    assert decide(weeks, CUTOFF, POLICY, scored=max(weeks).shift(1)).cause == cause
    assert decide(_weeks("gbbb"), CUTOFF, POLICY).cause != cause
