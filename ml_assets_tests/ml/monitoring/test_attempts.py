"""Attempts at a retraining: retries, back-off, giving up, and what counts as answered."""

from datetime import UTC, datetime, timedelta

import pytest

from ml_assets.ml.monitoring.attempts import Attempt, AttemptState, half_done, in_flight, may_be_retried, next_attempt
from ml_assets.spec import RetrainingPolicy

NOW = datetime(2013, 5, 1, 12, tzinfo=UTC)
POLICY = RetrainingPolicy(max_retries=2, backoff_minutes=10)
CAUSE, OTHER = "after 2013-04-01: 2013-04-22", "after 2013-04-01: 2013-04-15"


def _run(state: AttemptState, minutes_ago: float, number: int = 1, cause: str = CAUSE) -> Attempt:
    at = NOW - timedelta(minutes=minutes_ago)
    name = f"{state} {minutes_ago:g} minutes ago"
    return Attempt(name, "2013-04-29", state, at, "2 bad windows", cause, number if cause else 0)


@pytest.mark.parametrize(
    ("attempts", "answer"),
    [
        pytest.param([], 1, id="the first one"),
        pytest.param([_run("failed", 11)], 2, id="after ten minutes"),
        pytest.param([_run("failed", 9)], "attempt 2 is due at 2013-05-01 12:01:00 UTC", id="not before"),
        pytest.param([_run("failed", 60), _run("failed", 21, 2)], 3, id="the second pause is twice as long"),
        pytest.param([_run("failed", 60), _run("failed", 19, 2)], "attempt 3 is due", id="and no shorter"),
        pytest.param(
            [_run("failed", 99), _run("failed", 80, 2), _run("failed", 60, 3)], "Given up: run failed 6", id="the last"
        ),
        pytest.param([_run("cancelled", 60)], "was cancelled", id="who cancels wants no other"),
        pytest.param([_run("failed", 60), _run("succeeded", 30, 2)], "Answered by run succeede", id="answered"),
        pytest.param([_run("created", 90)], 1, id="one that was never queued is asked for again"),
        pytest.param([_run("failed", 5, 3, OTHER)], "attempt 1 is due", id="a newer cause waits, too"),
        pytest.param([_run("failed", 11, 3, OTHER)], 1, id="but begins anew"),
        pytest.param([_run("failed", 5, 3, OTHER), _run("succeeded", 1, cause="")], 1, id="a success ends the wait"),
        pytest.param([_run("failed", 5, cause="")], "is due", id="one by hand that failed is a failure"),
    ],
)
def test_the_next_attempt(attempts: list[Attempt], answer: int | str) -> None:
    found = next_attempt(CAUSE, attempts, POLICY, NOW)
    assert found == answer if isinstance(answer, int) else answer in str(found)


def test_the_pause_grows_to_a_day_and_not_beyond() -> None:
    policy = POLICY.model_copy(update={"max_retries": 500})
    attempts = [_run("failed", 2000 + 400 - n, n) for n in range(1, 400)]
    last = max(attempt.at for attempt in attempts)
    assert next_attempt(CAUSE, attempts, policy, last + timedelta(hours=24)) == 400
    assert "is due" in str(next_attempt(CAUSE, attempts, policy, last + timedelta(hours=23, minutes=59)))


def test_however_long_it_fails_a_cause_is_tried_a_declared_number_of_times() -> None:
    attempts: list[Attempt] = []
    for hour in range(1000):
        now = NOW + timedelta(hours=hour)
        number = next_attempt(CAUSE, attempts, POLICY, now)
        if isinstance(number, int):
            attempts.append(Attempt(f"run {hour}", "2013-04-29", "failed", now, "why", CAUSE, number))
    assert [attempt.number for attempt in attempts] == [1, 2, 3]
    assert [may_be_retried(attempt, POLICY) for attempt in attempts] == [True, True, False]


def test_a_run_that_was_never_queued_is_waited_for_an_hour() -> None:
    assert in_flight([_run("created", 59)], NOW)
    assert not in_flight([_run("created", 61)], NOW)
    assert in_flight([_run("in_flight", 5000)], NOW)
    assert not in_flight([_run("failed", 1), _run("succeeded", 1), _run("cancelled", 1)], NOW)


def test_a_training_that_was_killed_after_its_decision_is_half_done_until_one_succeeds() -> None:
    killed = _run("failed", 60)
    decided = {"2013-04-29": killed.run}
    assert half_done([killed], decided) == killed
    assert half_done([killed, _run("succeeded", 5, 2)], decided) is None
    assert half_done([killed], {}) is None  # killed before: the policy asks again
    assert half_done([killed], {"2013-04-29": "by hand"}) is None
