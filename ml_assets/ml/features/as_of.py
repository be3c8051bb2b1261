"""For each asked row the newest value that was already known: the point-in-time join on keys and times alone.

Here belongs which value answers which row, on arrays. Reading values is the business of `resources`.

The rule. A value holds from `event` on and is known from `known` on, so it is *visible* at time t if
max(event, known) <= t: call that moment its `effective` time. The answer is the visible value with the
greatest (event, known), unless it is older than its TTL. Searching by `event` alone cannot give it, as the
newest event may not be known yet. But go through the values of one key by `effective` time: a value whose
event is before one already seen is superseded at the very moment it appears, and is never an answer. Drop
those, and the last one with effective <= t is the answer: one binary search. The TTL is looked at last, which
is right because the answer has the greatest event time: if it has expired, so have all others.

(Values of one event come by `effective` time in the order of `known`, save those known by the event, which
share it: so ties are ordered by event, known and place, and the last of them stands for all.)

Why not in SQL: DuckDB answers it with a window and an ASOF join, in over twice the CPU time (5M rows, 5M values).
"""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

_NEVER = np.iinfo(np.int64).min
_PART_ROWS, _MOST_PARTS = 2**18, 64
"""Keys are joined in parts of about so many rows: they fit the caches, their memory is used again by the next part
(which is half the time saved), and each thread takes some."""


@dataclass(frozen=True)
class Keyed:
    """Rows with keys and a time.

    Attributes:
        keys: One array of n values per key column; null matches nothing.
        times: (n,) int64, microseconds since 1970; null matches nothing.
    """

    keys: Sequence[pa.ChunkedArray]
    times: pa.ChunkedArray


def newest_known(
    asked: Keyed,
    values: Keyed,
    known: pa.ChunkedArray,
    *,
    ttl_us: int | None,
    only_known: bool = True,
    threads: int = 1,
) -> np.ndarray:
    """Which value answers each asked row.

    Args:
        asked: n rows and the times t asked for.
        values: h values and their event times; of equal ones the last in this order answers.
        known: (h,) int64 microseconds: when each became known; null is never, and loses ties.
        ttl_us: A value with event < t - ttl_us is too old; None for no limit.
        only_known: Whether values with known > t are hidden; `known` breaks ties either way.
        threads: How many search at the same time.

    Returns:
        (n,) int64: place of the answering value in `values`, -1 where there is none. Takes O((n + h) log h) time
        and, beside the arguments, about 20 (n + h) bytes.

    Raises:
        pyarrow.ArrowException: Keys of both sides cannot be compared.
    """
    dictionaries = _dictionaries(values.keys)
    asked_codes, value_codes = _codes(dictionaries, asked.keys), _codes(dictionaries, values.keys)
    moments, event, known_at = _integers(asked.times), _integers(values.times), _integers(known)
    answers = np.full(len(moments), -1, np.int64)
    parts = min(max(len(answers), len(event)) // _PART_ROWS + 1, _MOST_PARTS)
    asked_part, value_part = ((codes % parts).astype(np.uint8) for codes in (asked_codes, value_codes))

    def join(part: int) -> None:
        rows, of = np.flatnonzero(asked_part == part), np.flatnonzero(value_part == part)
        line = _timeline(value_codes[of].astype(np.int64) // parts, event[of], known_at[of], only_known)
        if len(line.places) and len(rows):
            found = line.answers(asked_codes[rows].astype(np.int64) // parts, moments[rows], ttl_us)
            answers[rows] = np.where(found < 0, -1, of[found])

    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(join, range(parts)))
    return answers


@dataclass(frozen=True)
class _Timeline:
    """The values that are an answer at some time, ordered by key and `effective` time.

    Attributes:
        clock: What tells the number of a time within a key.
        numbers: (m,) int64: code of the key * `clock.width` + number of the effective time, ascending.
        events: (m,) int64 microseconds.
        places: (m,) int64: places among the values.
    """

    clock: "_Clock"
    numbers: np.ndarray
    events: np.ndarray
    places: np.ndarray

    def answers(self, codes: np.ndarray, moments: np.ndarray, ttl_us: int | None) -> np.ndarray:
        """Place of the answer of each asked row, or -1."""
        ticks, width = self.clock.ticks(moments), self.clock.width
        needles = np.where((codes < 0) | (ticks < 0), -1, codes * width + ticks)
        # Sorted needles make the binary search run through memory from front to back.
        order = np.argsort(needles)
        needles = needles[order]
        found = np.searchsorted(self.numbers, needles, side="right") - 1
        hit = (found >= 0) & (self.numbers[found] // width == needles // width)
        if ttl_us is not None:
            hit &= self.events[found] >= moments[order] - ttl_us
        answers = np.empty_like(found)
        answers[order] = np.where(hit, self.places[found], -1)
        return answers


@dataclass(frozen=True)
class _Clock:
    """Numbers the times of values: microseconds since the first, or where those are too many, ranks.

    Attributes:
        first, last: The first event, and the last effective time.
        moments: (2m,) int64, ascending: all times of values, when ranks are needed.
    """

    first: int
    last: int
    moments: np.ndarray | None

    @property
    def width(self) -> int:
        return self.last - self.first + 1 if self.moments is None else len(self.moments)

    def ticks(self, times: np.ndarray) -> np.ndarray:
        """Number of the last time of a value that is not later; -1 before the first."""
        if self.moments is None:
            return np.where(times < self.first, -1, np.minimum(times, self.last) - self.first)
        return np.searchsorted(self.moments, times, side="right") - 1


def _timeline(codes: np.ndarray, event: np.ndarray, known: np.ndarray, only_known: bool) -> _Timeline:
    usable = (codes >= 0) & (event != _NEVER) & ((known != _NEVER) | (not only_known))
    places = np.flatnonzero(usable)
    codes, event, known = codes[places], event[places], known[places]
    effective = np.maximum(event, known) if only_known else event
    clock = _clock(codes, event, effective)
    by_effective = codes * clock.width + clock.ticks(effective)
    by_event = codes * clock.width + clock.ticks(event)
    order = _possible(by_effective, by_event, known)
    return _Timeline(clock, by_effective[order], event[order], places[order])


def _possible(by_effective: np.ndarray, by_event: np.ndarray, known: np.ndarray) -> np.ndarray:
    """Places of the values that are not superseded when they appear, by key and `effective`, best last."""
    order = np.argsort(by_effective, kind="stable")
    numbers = by_effective[order]
    tied = numbers[1:] == numbers[:-1]
    if tied.any():  # few, as a rule: only they are sorted by more
        runs = np.append(tied, False) | np.append(False, tied)
        some = order[runs]
        order[runs] = some[np.lexsort((known[some], by_event[some], by_effective[some]))]
    events = by_event[order]
    # Codes come first in these numbers, so the greatest so far is one of the same key.
    return order[events == np.maximum.accumulate(events)]


def _clock(codes: np.ndarray, event: np.ndarray, effective: np.ndarray) -> _Clock:
    if not len(codes):
        return _Clock(0, 0, None)
    first, last = int(event.min()), int(effective.max())
    if (int(codes.max()) + 1) * (last - first + 1) < 2**63:
        return _Clock(first, last, None)
    return _Clock(first, last, np.sort(np.concatenate([event, effective])))


def _dictionaries(keys: Sequence[pa.ChunkedArray]) -> list[pa.Array]:
    """The distinct values of the first key, of the second, of both together, of the third, of all so far, ..."""
    dictionaries: list[pa.Array] = []
    for i, key in enumerate(keys):
        dictionaries.append(pc.unique(_comparable(key)).drop_null())
        if i:
            together = _together(dictionaries[:-1], dictionaries[-1], keys[:i], key)
            dictionaries.append(pc.unique(together).drop_null())
    return dictionaries


def _codes(dictionaries: Sequence[pa.Array], keys: Sequence[pa.ChunkedArray]) -> np.ndarray:
    """(n,) int32: number of each row's keys, from 0; -1 where one is null or not among the values."""
    if len(keys) == 1:
        return _looked_up(keys[0], dictionaries[0])
    return _looked_up(_together(dictionaries[:-2], dictionaries[-2], keys[:-1], keys[-1]), dictionaries[-1])


def _together(
    before: Sequence[pa.Array], own: pa.Array, keys: Sequence[pa.ChunkedArray], key: pa.ChunkedArray
) -> pa.ChunkedArray:
    """One integer for all keys up to this one; null where one of them is null."""
    codes, part = _codes(before, keys).astype(np.int64), _looked_up(key, own)
    return pa.chunked_array([pa.array(codes * len(own) + part, mask=(codes < 0) | (part < 0))])


def _looked_up(key: pa.ChunkedArray, dictionary: pa.Array) -> np.ndarray:
    found = pc.index_in(_comparable(key).cast(dictionary.type), value_set=dictionary)
    return found.fill_null(-1).to_numpy()


def _comparable(key: pa.ChunkedArray) -> pa.ChunkedArray:
    """Keys of one type, however wide they are stored."""
    kind = key.type.value_type if pa.types.is_dictionary(key.type) else key.type
    if pa.types.is_integer(kind):
        return key.cast(pa.int64())
    return key.cast(pa.large_string() if pa.types.is_string(kind) else kind)


def _integers(times: pa.ChunkedArray) -> np.ndarray:
    return times.fill_null(_NEVER).to_numpy() if times.null_count else times.to_numpy()
