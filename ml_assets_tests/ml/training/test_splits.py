"""Splits by time: the parts follow each other, and a window whose labels are not known yet is in none of them."""

from datetime import date

import pytest

from ml_assets.errors import TooLittleHistoryError, UnknownWindowError
from ml_assets.ml.training.splits import SplitWindows, split_windows
from ml_assets.ml.windows import window_of
from ml_assets.spec import Cadence, Label, Split

WEEKLY = Cadence(kind="weekly", start=date(2012, 12, 31))
MONTHLY = Cadence(kind="monthly", start=date(2010, 1, 1))


def _split(split: Split, cutoff: str, *, cadence: Cadence = WEEKLY, late_days: int = 0) -> SplitWindows:
    label = Label(name="late", sql="SELECT 1", sources=("a",), lookahead_days=late_days)
    return split_windows(split, window_of(cadence, cutoff), label)


def test_parts_follow_each_other_up_to_the_cutoff() -> None:
    split = _split(Split(test_windows=2, validation_windows=1), "2013-02-04")
    assert [w.key for w in split.train] == ["2012-12-31", "2013-01-07"]
    assert [w.key for w in split.validation] == ["2013-01-14"]
    assert [w.key for w in split.test] == ["2013-01-21", "2013-01-28"]


def test_a_rolling_window_forgets_the_oldest() -> None:
    split = _split(Split(train_windows=1), "2013-03-04")
    assert [w.key for w in split.train] == ["2013-01-28"]


def test_windows_before_the_declared_start_do_not_train() -> None:
    split = _split(Split(start=date(2013, 1, 10)), "2013-03-04")
    assert split.train[0].key == "2013-01-14"


@pytest.mark.parametrize(
    ("late_days", "newest"),
    [
        pytest.param(0, "2011-05-01", id="known at once"),
        pytest.param(1, "2011-04-01", id="a day late"),
        pytest.param(31, "2011-04-01", id="exactly as late as May is long"),
        pytest.param(90, "2011-02-01", id="90 days"),
        pytest.param(93, "2011-01-01", id="one day too late for February"),
    ],
)
def test_the_newest_window_is_the_last_whose_labels_are_known(late_days: int, newest: str) -> None:
    split = _split(Split(test_windows=1, validation_windows=1), "2011-06-01", cadence=MONTHLY, late_days=late_days)
    assert [w.key for w in split.test] == [newest]


def test_too_little_history_is_named() -> None:
    with pytest.raises(TooLittleHistoryError, match=r"2013-01-28 has 4 windows with known labels .* needs at least 5"):
        _split(Split(), "2013-01-28")


@pytest.mark.parametrize("key", ["2013-01-29", "no day", "../etc"])
def test_a_key_off_the_grid_is_no_window(key: str) -> None:
    with pytest.raises(UnknownWindowError):
        window_of(WEEKLY, key)
