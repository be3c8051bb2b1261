"""The rates of learned suites in small: no alarm on other rows of the same weeks, and planted faults are caught."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from benchmarks.validation_faults import Fault, faults_of
from benchmarks.validation_rates import alarm_report, false_alarms, fault_report, faults_caught, halves
from ml_assets.ml.validation.profiling import Roles
from ml_assets.profiling.subject import Subject, view_subject
from ml_assets_tests.conftest import WEEK
from ml_assets_tests.flights import Deliveries
from ml_assets_tests.ml.validation.profiling.test_learning import reference

KEPT = ["at", "paid_at", "amount", "largest", "items", "share", "channel", "weekday", "currency"]
FEW = reference().head(500).astype({"items": float})


def _shop(seed: int) -> Subject:
    frame = reference(seed)[KEPT].astype({"items": float})
    weeks = ((frame["at"] - frame["at"].min().normalize()) // pd.Timedelta(days=7)).astype(str).to_numpy(dtype=object)
    return Subject("shop", "shop", "10 weeks", frame, weeks, Roles(required=("at",), part="weeks"))


@pytest.fixture(scope="module")
def weather(landed: Deliveries, tmp_path_factory: pytest.TempPathFactory) -> Subject:
    """Three real weeks of readings."""
    lake = landed.lake.model_copy(update={"root": str(tmp_path_factory.mktemp("weather"))})
    for key in ("2013-01-21", "2013-01-28", WEEK):
        lake.write(lake.view(landed.problem, "weather", key), landed.view("weather", key).table)
    return view_subject(landed.problem, landed.problem.view("weather"), lake)


def test_the_other_half_of_the_same_weeks_raises_no_alarm() -> None:
    judged = [each for each in false_alarms(_shop(1)) if each.halves != "first / second half"]
    assert [rule for each in judged for rule in each.alarms(critical=False)] == []
    assert sum(len(each.rules) for each in judged) > 80


def test_a_real_week_raises_no_critical_alarm_after_two_others(weather: Subject) -> None:
    judged = [each for each in false_alarms(weather) if each.halves == "every other window"]
    assert len(judged) == 1
    assert judged[0].alarms(critical=True) == []


def test_faults_in_all_rows_are_caught() -> None:
    caught = list(faults_caught(_shop(1), (1.0,)))
    kinds = {c.fault.kind for c in caught}
    assert kinds == {
        "scale ×100",
        "null burst",
        "new category",
        "swapped columns",
        *(f"clock {h} h late" for h in (1, 5, 12)),
    }
    missed = [c.fault for c in caught if c.catchable and not c.any and c.fault.hours != 1]
    assert missed == []
    assert sum(c.critical for c in caught) > len(caught) / 2


def test_a_suite_that_is_judged_on_another_table_alarms() -> None:
    other = _shop(1)
    moved = other.frame.assign(amount=np.where(other.parts > "4", other.frame["amount"] * 100, other.frame["amount"]))
    judged = list(false_alarms(Subject("shop", "shop", "", moved, other.parts, other.roles)))
    assert any(each.alarms(critical=True) for each in judged if each.halves == "first / second half")


@pytest.mark.parametrize("fault", faults_of(FEW, ["amount", "items", "channel", "currency", "at"], (0.2,)), ids=lambda f: f"{f.kind} of {'-'.join(f.columns)}")  # fmt: skip
def test_a_fault_changes_its_columns_in_its_share_of_the_rows_and_nothing_else(fault: Fault) -> None:
    frame = FEW
    before, planted = frame.copy(), fault.plant(frame, seed=4)
    pd.testing.assert_frame_equal(frame, before)
    others = [name for name in frame if name not in fault.columns]
    pd.testing.assert_frame_equal(planted[others], frame[others])
    changed = ~(
        planted[fault.columns[0]].astype(object).fillna("-") == frame[fault.columns[0]].astype(object).fillna("-")
    )
    assert 0.1 < changed.mean() < 0.3


def test_what_changes_nothing_is_no_fault_to_catch() -> None:
    frame = pd.DataFrame({"zero": np.zeros(50), "a": np.arange(50.0), "b": np.arange(50.0)})
    assert not Fault("scale ×100", ("zero",), 1.0).is_catchable(frame)
    assert not Fault("swapped columns", ("a", "b"), 1.0).is_catchable(frame)
    assert Fault("scale ×100", ("a",), 1.0).is_catchable(frame)


def test_halves_are_disjoint_in_time_and_cover_all_windows() -> None:
    subject = _shop(1)
    found = dict(halves(subject))
    assert set(subject.parts[found["every other window"]]) & set(subject.parts[~found["every other window"]]) == set()
    assert max(subject.parts[found["first / second half"]]) < min(subject.parts[~found["first / second half"]])
    assert 0.45 < found["rows at random"].mean() < 0.55


def test_the_report_is_markdown_with_both_rates() -> None:
    subject = _shop(1)
    small = replace(subject, frame=subject.frame[["amount", "channel"]])
    text = alarm_report(list(false_alarms(small))) + fault_report(list(faults_caught(small, (1.0,))))
    assert "| shop | every other window |" in text
    assert "| scale ×100 | 100% |" in text
