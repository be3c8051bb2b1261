"""Which value answers which row, on arrays: against a search through all values."""

from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from ml_assets.ml.features import as_of
from ml_assets.ml.features.as_of import Keyed, newest_known

# Few keys and times, and mostly no nulls: values that supersede one another, and ties, must be common.
KEYS = st.sampled_from(
    [("a", 1, "x")] * 4 + [("a", 2, "x"), ("b", 1, "x"), ("a", 1, "y"), (None, 1, "x"), ("a", None, "x")]
)
TIMES = st.sampled_from([*range(7), None])


def keyed(rows: list[Any]) -> Keyed:
    keys = [
        pa.chunked_array([pa.array([row[0][i] for row in rows], kind)])
        for i, kind in enumerate((pa.string(), pa.int32(), pa.string()))
    ]
    return Keyed(keys, pa.chunked_array([pa.array([row[1] for row in rows], pa.int64())]))


def expected(asked: Any, values: list[Any], ttl: int | None, only_known: bool) -> int:
    key, moment = asked
    best = (-1, -1, -1)
    for place, (of, event, known) in enumerate(values):
        if None in (moment, event, *key) or of != key or event > moment:
            continue
        if only_known and (known is None or known > moment):
            continue
        if ttl is not None and event < moment - ttl:
            continue
        best = max(best, (event, -1 if known is None else known, place))
    return best[2]


@settings(max_examples=300, derandomize=True, deadline=None)
@given(
    asked=st.lists(st.tuples(KEYS, TIMES), min_size=10, max_size=20),
    values=st.lists(st.tuples(KEYS, TIMES, TIMES), min_size=5, max_size=40),
    ttl=st.one_of(st.none(), st.integers(1, 4)),
    only_known=st.booleans(),
    unit=st.sampled_from([1, 10**17]),  # so far apart that microseconds and keys do not fit into 64 bits
)
@example(asked=[(("a", 1, "x"), 3)], values=[], ttl=None, only_known=True, unit=1)
@example(asked=[], values=[(("a", 1, "x"), 3, 3)], ttl=None, only_known=True, unit=1)
def test_it_is_the_newest_of_the_visible_values(
    asked: list[Any], values: list[Any], ttl: int | None, only_known: bool, unit: int
) -> None:
    def scaled(rows: list[Any]) -> list[Any]:
        return [(row[0], *(None if time is None else time * unit for time in row[1:])) for row in rows]

    known = pa.chunked_array([pa.array([row[2] for row in scaled(values)], pa.int64())])
    got = newest_known(
        keyed(scaled(asked)), keyed(scaled(values)), known, ttl_us=ttl and ttl * unit, only_known=only_known
    )
    assert got.tolist() == [expected(row, values, ttl, only_known) for row in asked]


@pytest.mark.parametrize("threads", [1, 3])
def test_many_rows_are_joined_in_parts(threads: int, monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(0)
    event, moments = np.arange(0, 1000, 10), rng.integers(-50, 1100, 5000)
    values = Keyed([pa.chunked_array([pa.array(event % 7)])], pa.chunked_array([pa.array(event)]))
    asked = Keyed([pa.chunked_array([pa.array(moments % 7)])], pa.chunked_array([pa.array(moments)]))
    whole = newest_known(asked, values, values.times, ttl_us=None)
    monkeypatch.setattr(as_of, "_PART_ROWS", 900)
    assert newest_known(asked, values, values.times, ttl_us=None, threads=threads).tolist() == whole.tolist()
    assert (whole >= 0).any()


def test_keys_need_not_be_stored_as_they_are_asked_for() -> None:
    values = Keyed([pa.chunked_array([pa.array(["b", "a"]).dictionary_encode()])], pa.chunked_array([[1, 1]]))
    for kind in (pa.string(), pa.large_string()):
        asked = Keyed([pa.chunked_array([pa.array(["a", "b", "c"], kind)])], pa.chunked_array([[1, 1, 1]]))
        assert newest_known(asked, values, values.times, ttl_us=None).tolist() == [1, 0, -1]


def test_keys_that_cannot_be_compared_are_refused() -> None:
    values = Keyed([pa.chunked_array([pa.array([1])])], pa.chunked_array([[1]]))
    asked = Keyed([pa.chunked_array([pa.array(["one"])])], pa.chunked_array([[1]]))
    with pytest.raises(pa.ArrowException, match="one"):
        newest_known(asked, values, values.times, ttl_us=None)
