"""Whether online values are the offline ones of the same keys, value for value.

Here belongs the comparison alone. Which keys are drawn, and how both sides are read, is in
`resources.online_parity`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc


@dataclass(frozen=True)
class Difference:
    """One value that is not the same online and offline.

    Attributes:
        view: Feature view.
        entity: Its keys, e.g. "origin=EWR, line=1".
        feature: Column; `<view>__known_at` and `<view>__event_time` in microseconds since 1970.
        online: Value online; None when there is none.
        offline: Value of the point-in-time join; likewise.
        moment: Event time, UTC, of the newer one of both rows.
        lost: Whether that is the online row: the lake does not hold it any more.
    """

    view: str
    entity: str
    feature: str
    online: object
    offline: object
    moment: datetime
    lost: bool


@dataclass(frozen=True)
class ViewParity:
    """What became of the drawn entities of one view.

    Attributes:
        view: Feature view.
        compared: Entities compared.
        different: Of those, entities with a difference.
        waiting: Entities left out: their online value is not known yet, and what it replaced is hidden.
        differences: One per entity and differing column.
    """

    view: str
    compared: int
    different: int
    waiting: int
    differences: tuple[Difference, ...]


def compare(
    view: str,
    event: str,
    keys: pa.Table,
    online: Mapping[str, pa.Array],
    offline: Mapping[str, pa.Array],
    waiting: pa.Array,
) -> ViewParity:
    """Compare every column of both sides; nulls are equal to nulls, and NaN counts as null.

    Args:
        view: Name of the feature view.
        event: Column of both sides with the event time, int64 microseconds since 1970.
        keys: (n,) join keys, for the texts.
        online: Column -> (n,) values.
        offline: Column -> (n,) values of the same columns and types.
        waiting: (n,) bool: entities to leave out.

    Returns:
        Counts and differences, in the order of the keys, then of the columns.
    """
    left_out = waiting.to_numpy(zero_copy_only=False)
    unequal = {name: _unequal(online[name], offline[name]) & ~left_out for name in offline}
    any_unequal = np.logical_or.reduce(list(unequal.values())) if unequal else np.zeros(keys.num_rows, bool)
    found: list[Difference] = []
    for row in np.flatnonzero(any_unequal):
        place = int(row)
        entity = ", ".join(f"{name}={keys[name][place].as_py()}" for name in keys.column_names)
        moments = [side[event][place].as_py() for side in (online, offline)]
        newer = max(moment for moment in moments if moment is not None)
        lost = moments[1] is None or moments[0] == newer != moments[1]
        for name in (name for name, differs in unequal.items() if differs[place]):
            values = online[name][place].as_py(), offline[name][place].as_py()
            moment = pa.scalar(newer, pa.timestamp("us", tz="UTC")).as_py()
            found.append(Difference(view, entity, name, *values, moment, lost))
    skipped = int(left_out.sum())
    return ViewParity(view, keys.num_rows - skipped, int(any_unequal.sum()), skipped, tuple(found))


def _unequal(one: pa.Array, other: pa.Array) -> np.ndarray:
    """(n,) bool: one is null and the other is not, or both are there and not equal."""
    one, other = _without_nan(one), _without_nan(other)
    differs = pc.or_kleene(pc.not_equal(one, other), pc.xor(pc.is_null(one), pc.is_null(other)))
    return pc.fill_null(differs, False).to_numpy(zero_copy_only=False)


def _without_nan(values: pa.Array) -> pa.Array:
    return pc.if_else(pc.is_nan(values), None, values) if pa.types.is_floating(values.type) else values
