"""What is news, case by case."""

from datetime import UTC, date, datetime, timedelta

import pytest

from ml_assets.ml.monitoring.alerting import Alert, Training, Verdicts, decide
from ml_assets.ml.promotion.decisions import Action, LedgerRow
from ml_assets.ml.windows import window_of
from ml_assets.spec import Alerts, Cadence

CADENCE = Cadence(kind="weekly", start=date(2013, 4, 1))
BEGAN = datetime(2026, 11, 24, 12, 0, 0, 400_000, tzinfo=UTC)
POLICY = Alerts(to=("ann@example.com",), after_bad_windows=1, recovered_after_windows=2)


def _weeks(**letters: str) -> Verdicts:
    """One week a letter: b bad, g good, - without a verdict."""
    first = window_of(CADENCE, "2013-04-01")
    return {
        check: {first.shift(place): letter == "g" for place, letter in enumerate(text) if letter != "-"}
        for check, text in letters.items()
    }


def _tell(steps: list[Verdicts], policy: Alerts = POLICY) -> list[Alert]:
    """What is told when this becomes known, one step after the other."""
    told: list[Alert] = []
    for verdicts in steps:
        told += decide(verdicts, [], [], told, policy, since=BEGAN)
    return told


def _row(sequence: int, action: Action, at: datetime, user: str = "") -> LedgerRow:
    row = LedgerRow(action, sequence, "2013-06-03", "run", "by 2%", "drift", "file:///m", "abc", {})
    return LedgerRow(**vars(row) | {"at": at.isoformat(timespec="seconds"), "sequence": sequence, "user": user})


@pytest.mark.parametrize(
    ("steps", "kinds"),
    [
        pytest.param(["g", "gg"], [], id="all good"),
        pytest.param(["g", "gb", "gbb", "gbbb"], ["checks_failed"], id="a long failure is told once"),
        pytest.param(["b", "bg", "bgg", "bggg"], ["checks_failed", "recovered"], id="recovered after two good windows"),
        pytest.param(["b", "bg", "bgb", "bgbg"], ["checks_failed"], id="to and fro is one incident"),
        pytest.param(
            ["b", "bgg", "bggb"], ["checks_failed", "recovered", "checks_failed"], id="the next one is news again"
        ),
        pytest.param(["b" * 100], ["checks_failed"], id="a hundred failures of a backfill"),
        pytest.param(["--b", "bbb", "bbb"], ["checks_failed"], id="late windows are the same incident"),
        pytest.param(["bgg"], [], id="over before anybody looked"),
        pytest.param(["b", "g", "gg", "bb"], ["checks_failed", "recovered", "checks_failed"], id="judged again"),
    ],
)
def test_an_incident_is_told_at_its_beginning_and_its_end(steps: list[str], kinds: list[str]) -> None:
    told = _tell([_weeks(model_quality=step) for step in steps])
    assert [alert.kind for alert in told] == kinds
    assert len({alert.key for alert in told}) == len(told)


def test_an_incident_begins_with_the_first_bad_window_of_any_check() -> None:
    [alert] = _tell([_weeks(data_drift="gbbb", model_quality="ggbb")])
    assert (alert.since, alert.latest, alert.checks) == ("2013-04-08", "2013-04-22", ("data_drift", "model_quality"))


def test_a_further_check_is_told_and_each_has_to_recover() -> None:
    steps = [
        _weeks(data_drift="b", model_quality="g"),
        _weeks(data_drift="bb", model_quality="gb"),
        _weeks(data_drift="bbgg", model_quality="gbbb"),
        _weeks(data_drift="bbggg", model_quality="gbbbg"),
        _weeks(data_drift="bbgggg", model_quality="gbbbgg"),
    ]
    first, second, end = _tell(steps)
    assert (first.checks, second.checks, end.kind) == (("data_drift",), ("model_quality",), "recovered")
    assert (end.checks, end.since, end.latest) == (("data_drift", "model_quality"), "2013-04-01", "2013-05-06")


def test_late_labels_do_not_count_as_good() -> None:
    steps = [_weeks(data_drift="gg", model_quality="b"), _weeks(data_drift="gggggg", model_quality="b-----")]
    assert [alert.kind for alert in _tell(steps)] == ["checks_failed"]


@pytest.mark.parametrize(("weeks", "told"), [("gb", 0), ("gbb", 1), ("bgb", 0)])
def test_bad_windows_in_a_row_can_be_asked_for(weeks: str, told: int) -> None:
    policy = POLICY.model_copy(update={"after_bad_windows": 2})
    assert len(_tell([_weeks(model_quality=weeks)], policy)) == told


def test_a_check_that_is_not_watched_is_not_told_and_holds_no_incident_open() -> None:
    only = POLICY.model_copy(update={"checks": ("model_quality",)})
    assert _tell([_weeks(data_drift="b")], only) == []
    told = _tell([_weeks(data_drift="b")])
    [end] = decide(_weeks(data_drift="bb"), [], [], told, only, since=BEGAN)
    assert end.kind == "recovered"


def test_trainings_and_decisions_are_told_once_and_only_new_ones() -> None:
    before, after = BEGAN - timedelta(hours=1), BEGAN + timedelta(hours=1)
    trainings = [
        Training("2013-05-06", "r1", "failed", "drift", before),
        Training("2013-06-03", "r2", "failed", "drift", after),
        Training("2013-06-10", "r3", "in_flight", "drift", after),
    ]
    rows = [_row(1, "promoted", before), _row(2, "rejected", after), _row(3, "promoted", after, user="ann")]
    told = decide({}, trainings, rows, [], POLICY, since=BEGAN)
    assert [(alert.kind, alert.cutoff or alert.sequence) for alert in told] == [
        ("retraining_started", "2013-06-03"),
        ("retraining_failed", "2013-06-03"),
        ("retraining_started", "2013-06-10"),
        ("rejected", "2013-06-03"),
        ("changed_by_hand", "2013-06-03"),
    ]
    assert decide({}, trainings, rows, told, POLICY, since=BEGAN) == []


def test_a_decision_within_the_second_in_which_alerts_began_is_news() -> None:
    [alert] = decide({}, [], [_row(1, "promoted", BEGAN)], [], POLICY, since=BEGAN)
    assert alert.kind == "promoted"
