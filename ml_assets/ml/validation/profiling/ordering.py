"""Pairs of columns of which one is at most the other, row by row, though it need not be so by their ranges."""

from collections.abc import Mapping, Sequence
from itertools import permutations

import numpy as np
from numpy.typing import NDArray

from ml_assets.ml.validation.profiling.columns import Kind
from ml_assets.ml.validation.profiling.shown import percent
from ml_assets.ml.validation.profiling.tolerance import most_share, share_down
from ml_assets.spec import Ordered

MOST_PAIRS = 20
_SAMPLED_ROWS = 20_000
_LEAST_ROWS = 100
_BROKEN_BY_CHANCE = 0.05
"""Share of rows that would break the order if the two columns had nothing to do with each other, at least."""
_MOST_BROKEN, _MOST_ALLOWED = 0.05, 0.25
_NEVER_BROKEN = 0.001
_CLEARLY, _BY_CHANCE = 2, 1.5
"""So many times the rows that may break the order are strictly in order, or the opposite would pass as well; and
would be broken by chance, or unrelated columns would."""


def order_rules(
    values: Mapping[str, NDArray[np.float64]], kinds: Mapping[str, Kind], parts: NDArray[np.int64], over: str
) -> list[Ordered]:
    """Pairs that are in order in (nearly) every row and would not be by chance; those that follow are left out.

    Args:
        values: Column -> (n,) numbers, or times in seconds, NaN where missing.
        kinds: What each is; times are compared with times, numbers with numbers.
        parts: (n,) part of each row.
        over: What the reference is, for the notes.

    Returns:
        At most 20 rules, those that chance would break most first.
    """
    step = max(1, len(parts) // _SAMPLED_ROWS)
    sample = {name: column[::step] for name, column in values.items()}
    found: dict[tuple[str, str], float] = {}
    for lower, upper in permutations(sample, 2):
        if (kinds[lower] == "time") == (kinds[upper] == "time"):
            chance = _non_trivial(sample[lower], sample[upper])
            found |= {} if chance is None else {(lower, upper): chance}
    kept = _without_consequences(found)
    rules: list[Ordered] = []
    for lower, upper in sorted(kept, key=lambda pair: (-found[pair], pair)):
        if len(rules) < MOST_PAIRS and (rule := _rule(lower, upper, values, parts, over, found[lower, upper])):
            rules.append(rule)
    return rules


def _non_trivial(lower: NDArray[np.float64], upper: NDArray[np.float64]) -> float | None:
    """How often chance would break the order, where the rows keep it and would not keep the opposite."""
    both = ~(np.isnan(lower) | np.isnan(upper))
    a, b = lower[both], upper[both]
    if len(a) < _LEAST_ROWS or np.mean(a > b) > _MOST_BROKEN or np.mean(a < b) < _CLEARLY * _MOST_BROKEN:
        return None
    below = np.searchsorted(np.sort(b), a, side="left")
    chance = float(below.mean() / len(b))
    return chance if chance >= _BROKEN_BY_CHANCE else None


def _without_consequences(pairs: Mapping[tuple[str, str], float]) -> list[tuple[str, str]]:
    """Pairs that do not follow from two others: a <= c follows from a <= b and b <= c."""
    names = {name for pair in pairs for name in pair}
    return [
        (a, c)
        for a, c in pairs
        if not any((a, b) in pairs and (b, c) in pairs and (c, a) not in pairs for b in names - {a, c})
    ]


def _rule(
    lower: str,
    upper: str,
    values: Mapping[str, NDArray[np.float64]],
    parts: NDArray[np.int64],
    over: str,
    chance: float,
) -> Ordered | None:
    a, b = values[lower], values[upper]
    both = ~(np.isnan(a) | np.isnan(b))
    broken = (a > b) & both
    sizes = np.bincount(parts[both], minlength=int(parts.max()) + 1)
    shares = np.bincount(parts[broken], minlength=len(sizes))[sizes > 0] / sizes[sizes > 0]
    if not broken.any():
        notes = f"In all {int(both.sum()):,} rows of {over} that have both."
        return Ordered(kind="ordered", lower=lower, upper=upper, mostly=1 - _NEVER_BROKEN, notes=notes)
    limit = most_share(shares, sizes[sizes > 0], _NEVER_BROKEN)
    strictly = float(np.median(np.bincount(parts[both & (a < b)], minlength=len(sizes))[sizes > 0] / sizes[sizes > 0]))
    if limit > _MOST_ALLOWED or strictly < _CLEARLY * limit or chance < _BY_CHANCE * limit:
        return None
    notes = f"Broken in {percent(float(broken.sum() / both.sum()))} of the rows, at most {_at_most(shares)} of a part."
    return Ordered(
        kind="ordered", lower=lower, upper=upper, mostly=share_down(1 - limit), severity="warning", notes=notes
    )


def _at_most(shares: Sequence[float] | NDArray[np.float64]) -> str:
    return percent(float(np.max(shares)))
