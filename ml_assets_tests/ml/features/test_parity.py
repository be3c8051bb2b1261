"""The comparison of online and offline values."""

from typing import Any

import pyarrow as pa
import pytest

from ml_assets.ml.features.parity import compare


def _compare(online: list[Any], offline: list[Any], waiting: list[bool] | None = None, kind: Any = None) -> Any:
    n = len(online)
    event = {"v__event_time": pa.array([1] * n, pa.int64())}
    return compare(
        "v",
        "v__event_time",
        pa.table({"k": list(range(n))}),
        {"x": pa.array(online, kind)} | event,
        {"x": pa.array(offline, kind)} | event,
        pa.array(waiting or [False] * n),
    )


@pytest.mark.parametrize(
    ("online", "offline", "differs"),
    [
        pytest.param(1.0, 1.0, False, id="equal"),
        pytest.param(1.0, 1.0000000000000002, True, id="one bit"),
        pytest.param(None, None, False, id="both null"),
        pytest.param(None, 1.0, True, id="null online"),
        pytest.param(1.0, None, True, id="null offline"),
        pytest.param(float("nan"), None, False, id="NaN is null"),
        pytest.param(float("nan"), 1.0, True, id="NaN is no number"),
        pytest.param(0.0, -0.0, False, id="zeros"),
    ],
)
def test_floats_are_equal_to_the_last_bit_or_both_missing(online: Any, offline: Any, differs: bool) -> None:
    found = _compare([online], [offline], kind=pa.float64())
    assert (found.compared, found.different, bool(found.differences)) == (1, int(differs), differs)


def test_large_integers_and_texts_are_compared_as_they_are() -> None:
    assert _compare([2**60], [2**60 + 1]).different == 1
    assert _compare(["a", "A", ""], ["a", "a", None]).different == 2


def test_entities_that_wait_are_counted_and_not_compared() -> None:
    found = _compare([1, 2, 3], [1, 0, 0], [False, True, False])
    assert (found.compared, found.different, found.waiting) == (2, 1, 1)
    assert [difference.entity for difference in found.differences] == ["k=2"]


def test_no_entities_give_no_differences() -> None:
    found = _compare([], [], kind=pa.float64())
    assert (found.compared, found.different, found.waiting) == (0, 0, 0)
