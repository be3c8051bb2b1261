"""How much the champion's own time blocks differ from each other: the noise that a window's distance is held against.

Rows of an hour share their weather, rows of a week their season: tests that take rows for independent alarm at every
window. Here each block (a window of the cadence) is compared with all the others, and what comes out is what is no
news. Which distance makes a verdict is `verdicts.py`'s business.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from math import pi, sqrt
from typing import Any

import numpy as np

from ml_assets.ml.monitoring.summaries import (
    CategorySummary,
    ColumnSummary,
    NumberSummary,
    distinct,
    few_values,
    jensen_shannon,
    wasserstein_normed,
)
from ml_assets.ml.monitoring.summaries.categories import bucket
from ml_assets.ml.monitoring.summaries.compressing import Points
from ml_assets.ml.monitoring.summaries.distances import LEAST_NORM

MARGIN = 1.0
"""Numbers are out of range from so many ranges on, beyond its ends: another unit is, another season is not."""
FEWEST_VALUES = 0.25
"""Blocks with less than so much of the usual number of values are left out: a history that begins within a window."""
FEWEST_BLOCKS = 2
"""One block has nothing to differ from."""


@dataclass(frozen=True)
class ColumnNoise:
    """What the blocks say of one column.

    Attributes:
        distances: Evidently's name of the method -> (blocks,) distance of each block to all others, oldest first.
        values: Mean number of values of a block.
        missing: Least and largest share of missing values of a block, 0..1.
        unseen: Largest share of a block's values that no other block has, 0..1: categories, or numbers out of range.
    """

    distances: Mapping[str, tuple[float, ...]]
    values: float
    missing: tuple[float, float]
    unseen: float

    def as_plain(self) -> dict[str, Any]:
        """What JSON can hold."""
        short = {name: [float(f"{d:.6g}") for d in found] for name, found in self.distances.items()}
        return {"distances": short, "values": self.values, "missing": list(self.missing), "unseen": self.unseen}

    @classmethod
    def from_plain(cls, plain: Mapping[str, Any]) -> "ColumnNoise":
        """What `as_plain` gave."""
        distances = {name: tuple(found) for name, found in plain["distances"].items()}
        return cls(distances, plain["values"], (plain["missing"][0], plain["missing"][1]), plain["unseen"])


def column_noise(blocks: Sequence[ColumnSummary], whole: ColumnSummary) -> ColumnNoise:
    """Leave one block out: how far each is from all the others.

    Args:
        blocks: Of the same column, oldest first.
        whole: Their merged summary.
    """
    least = FEWEST_VALUES * whole.values / max(len(blocks), 1)
    there = [block for block in blocks if max(least, 1) <= block.values < whole.values]
    distances: dict[str, tuple[float, ...]] = {}
    if isinstance(whole, CategorySummary) or few_values(whole, whole):
        distances["jensenshannon"] = tuple(jensen_shannon(_without(whole, block), block).value for block in there)
    if isinstance(whole, NumberSummary):
        distances["wasserstein"] = tuple(_from_others(whole, block) for block in there)
    shares = [block.missing / block.rows for block in blocks if block.rows] or [0.0]
    values = sum(block.values for block in there) / len(there) if there else 0.0
    others = [(_without(whole, each) if isinstance(whole, CategorySummary) else _ends(there, each)) for each in there]
    unseen = max((unseen_share(other, each) for other, each in zip(others, there, strict=True)), default=0.0)
    return ColumnNoise(distances, values, (min(shares), max(shares)), unseen)


def usual_distance(noise: ColumnNoise, method: str, values: int) -> float | None:
    """What one more block is away from the others, as root mean square; None where blocks are too few.

    A window of fewer values than a block may be farther: its variance is taken to be larger by as much as it is
    smaller, as if a block were made of independent parts (days). That is more than sampling rows would add.

    Args:
        noise: Of the column.
        method: What the distance is measured by.
        values: Of the window, > 0.
    """
    found = np.array(noise.distances.get(method, ()))
    if len(found) < FEWEST_BLOCKS:
        return None
    smaller = max(noise.values / values, 1.0)
    return sqrt(float(np.square(found).mean()) * smaller * (1 + 1 / len(found)))


def p_value(distance: float, usual: float, blocks: int) -> float:
    """Probability that a further block is as far from the others, if nothing changed, 0..1.

    Blocks shift by chance, each way: distance / usual distance is the size of Student's t with as many degrees of
    freedom as blocks. Few blocks make it wide by themselves. (Distances of many small shifts at once scatter less than
    that of one; the test errs on the side of silence.)
    """
    from scipy.stats import t

    if not usual:
        return float(not distance)
    return float(2 * t.sf(distance / usual, blocks))


def critical_distance(usual: float, blocks: int, rate: float) -> float:
    """Distance of which `p_value` is `rate`."""
    from scipy.stats import t

    return float(t.isf(rate / 2, blocks)) * usual


def sampling(reference: ColumnSummary, n: float, m: float, method: str, categories: int | None = None) -> float:
    """Distance of two independent samples of n and m values of one distribution.

    Of categories sqrt((K - 1) / 8 * (1/n + 1/m)), from the chi-squared limit of the Jensen-Shannon divergence in nats.
    Of numbers the mean of the limit process, sqrt(2 / pi) * integral of sqrt(F (1 - F)) * sqrt(1/n + 1/m), in standard
    deviations (del Barrio, Giné & Matrán 1999).

    Args:
        reference: The distribution.
        n, m: Values, > 0.
        method: What the distance is measured by.
        categories: How many there are, when not those of the reference.
    """
    each = sqrt(1 / n + 1 / m)
    if method == "jensenshannon" or not isinstance(reference, NumberSummary):
        count = distinct(reference, reference) if categories is None else categories
        return sqrt(max(count - 1, 0) / 8) * each
    below = np.cumsum(reference.points.counts)[:-1] / max(reference.values, 1)
    spread = float(np.sqrt(below * (1 - below)) @ np.diff(reference.points.at))
    return sqrt(2 / pi) * spread * each / max(reference.std, LEAST_NORM * (reference.std == 0)) if spread else 0.0


def discoveries(p_values: Mapping[str, float], rate: float) -> frozenset[str]:
    """What is significant if at most a share `rate` of it may be chance (Benjamini & Hochberg 1995).

    Args:
        p_values: Name -> p-value; positively dependent ones are fine (Benjamini & Yekutieli 2001).
        rate: False discovery rate, 0..1.
    """
    ranked = sorted(p_values, key=lambda name: p_values[name])
    passing = [rank for rank, name in enumerate(ranked, 1) if p_values[name] <= rate * rank / len(ranked)]
    return frozenset(ranked[: max(passing, default=0)])


def unseen_share(reference: ColumnSummary, current: ColumnSummary) -> float:
    """Share of the current values that the reference has not: other categories, or numbers out of its range, 0..1."""
    if not current.values or not reference.values:
        return 0.0
    if isinstance(reference, NumberSummary) and isinstance(current, NumberSummary):
        margin = MARGIN * (reference.largest - reference.least)
        at = current.points.at
        outside = (at < reference.least - margin) | (at > reference.largest + margin)
        return float(current.points.counts[outside].sum() / current.values)
    if not isinstance(reference, CategorySummary) or not isinstance(current, CategorySummary):
        raise TypeError("a numeric column cannot be compared with categories")
    if not reference.exact:
        return 0.0  # which categories it has is not known
    return sum(count for name, count in current.counts.items() if name not in reference.counts) / current.values


def _ends(blocks: Sequence[ColumnSummary], left_out: ColumnSummary) -> ColumnSummary:
    """A summary that has the range of all blocks but one; all else is that of one of them."""
    others = [block for block in blocks if block is not left_out and isinstance(block, NumberSummary)]
    if not others:
        return left_out
    least, largest = min(each.least for each in others), max(each.largest for each in others)
    return replace(others[0], least=least, largest=largest)


def _from_others(whole: NumberSummary, block: NumberSummary | CategorySummary) -> float:
    """Distribution functions mix linearly, so the distance to all is the one to the others times their share."""
    if not isinstance(block, NumberSummary):
        raise TypeError("a numeric column cannot be compared with categories")
    norm = whole.std or LEAST_NORM
    others = 1 - block.values / whole.values
    return wasserstein_normed(whole, block, least_norm=norm).value / others


def _without(whole: ColumnSummary, block: ColumnSummary) -> ColumnSummary:
    """All rows but those of a block that is among them, counted value by value."""
    rows, missing = whole.rows - block.rows, whole.missing - block.missing
    if isinstance(whole, NumberSummary) and isinstance(block, NumberSummary):
        counts = whole.points.counts.copy()
        counts[np.searchsorted(whole.points.at, block.points.at)] -= block.points.counts
        left = counts > 0
        return replace(whole, rows=rows, missing=missing, points=Points(whole.points.at[left], counts[left]))
    if not isinstance(whole, CategorySummary) or not isinstance(block, CategorySummary):
        raise TypeError("a numeric column cannot be compared with categories")
    rest, each = whole.rest - block.rest, dict(whole.counts)
    for name, count in block.counts.items():
        if name in each:
            each[name] -= count
        else:
            rest[bucket(name)] -= count
    return replace(whole, rows=rows, missing=missing, counts={k: n for k, n in each.items() if n}, rest=rest)
