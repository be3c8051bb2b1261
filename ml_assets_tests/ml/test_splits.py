"""Splits by time."""

from datetime import date

import pytest

from ml_assets.errors import TooLittleHistoryError, UnknownWindowError
from ml_assets.ml.splits import split_windows
from ml_assets.ml.windows import window_of
from ml_assets.spec import Cadence, Split

CADENCE = Cadence(start=date(2012, 12, 31))


def test_parts_follow_each_other_up_to_the_cutoff() -> None:
    split = split_windows(Split(test_windows=2, validation_windows=1), window_of(CADENCE, "2013-02-04"), CADENCE)
    assert [w.key for w in split.train] == ["2012-12-31", "2013-01-07"]
    assert [w.key for w in split.validation] == ["2013-01-14"]
    assert [w.key for w in split.test] == ["2013-01-21", "2013-01-28"]


def test_a_rolling_window_forgets_the_oldest() -> None:
    split = split_windows(Split(train_windows=1), window_of(CADENCE, "2013-03-04"), CADENCE)
    assert [w.key for w in split.train] == ["2013-01-28"]


def test_too_little_history_is_named() -> None:
    with pytest.raises(TooLittleHistoryError, match="2013-01-28 has 4 windows of history; the split needs at least 5"):
        split_windows(Split(), window_of(CADENCE, "2013-01-28"), CADENCE)


@pytest.mark.parametrize("key", ["2013-01-29", "no day", "../etc"])
def test_a_key_off_the_grid_is_no_window(key: str) -> None:
    with pytest.raises(UnknownWindowError):
        window_of(CADENCE, key)
