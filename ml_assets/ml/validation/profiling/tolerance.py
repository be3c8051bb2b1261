"""How far from a reference is still as before: margins from the spread between its parts, rounded for reading.

The parts (weeks, months) of a reference are never alike, since rows of one part share their weather, their season or
their campaign. How much they differ is what a next part may differ, too; rows drawn at random would show far less.
"""

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from ml_assets.spec import Severity

_FEW_PARTS = 4
_ENOUGH_PARTS = 5


def reach(parts: int) -> float:
    """How many spreads (greatest less least part) lie between the outermost part and the limit.

    One spread on either side, so that a trend may go on for as long again, and more where few parts tell little: with
    k parts alike, the next one lies outside their range with probability 2 / (k + 1). The 4 is a convention.
    """
    return 1 + _FEW_PARTS / max(parts, 1)


def severity_over(parts: int) -> Severity:
    """Of a rule on what values there may be: critical where enough parts (5, a convention) have shown it."""
    return "critical" if parts >= _ENOUGH_PARTS else "warning"


def band(by_part: ArrayLike, least: float) -> tuple[float, float]:
    """Limits for a statistic of the next part.

    Args:
        by_part: (k,) the statistic in each part, k >= 1.
        least: Smallest margin, for statistics that happened to be alike.

    Returns:
        (low, high), both beyond every part.
    """
    found = np.asarray(by_part, dtype=np.float64)
    low, high = float(found.min()), float(found.max())
    margin = max((high - low) * reach(len(found)), least)
    return low - margin, high + margin


def most_share(by_part: ArrayLike, rows: ArrayLike, least: float) -> float:
    """Upper limit for a share of rows, 0 to 1, in the next part.

    Where the shares of the parts reach far, the limit is halfway from the greatest share to 1.

    Args:
        by_part: (k,) share in each part.
        rows: (k,) rows of each, for the chance that lies in a small part: four standard errors.
        least: Smallest margin.
    """
    shares, sizes = np.asarray(by_part, dtype=np.float64), np.asarray(rows, dtype=np.float64)
    highest = float(shares.max())
    chance = 4 * math.sqrt(highest * (1 - highest) / max(float(np.median(sizes)), 1.0))
    _, high = band(shares, max(least, chance))
    return min(high, (1 + highest) / 2)


def outward(low: float, high: float) -> tuple[float, float]:
    """Limits rounded away from each other, to about a hundredth of what is between them."""
    span = high - low
    if span <= 0 or not math.isfinite(span):
        return low, high
    digits = 2 - math.floor(math.log10(span))
    return _to(low, digits, math.floor), _to(high, digits, math.ceil)


def share_down(share: float) -> float:
    """A least share rounded down: to thousandths near 1, else to hundredths."""
    return math.floor(share * 1000 + 1e-9) / 1000 if share > 0.99 else math.floor(share * 100 + 1e-9) / 100


def two_digits_up(value: float) -> float:
    """A positive limit rounded up to two digits."""
    digits = 1 - math.floor(math.log10(value))
    return _to(value, digits, math.ceil)


def three_digits(value: float, span: float) -> float:
    """A value rounded to about a thousandth of a span."""
    return value if span <= 0 else _to(value, 3 - math.floor(math.log10(span)), round)


def rounded_shares(shares: Sequence[float] | np.ndarray, least: float) -> tuple[float, ...]:
    """Shares to four decimals that still sum to 1, none below `least`: none seen is not never."""
    lifted = np.maximum(np.asarray(shares, dtype=np.float64), least)
    rounded = np.round(lifted / lifted.sum(), 4)
    rounded[int(rounded.argmax())] += 1 - rounded.sum()
    return tuple(float(round(share, 4)) for share in rounded)


def _to(value: float, digits: int, rounding: object) -> float:
    scale = 10.0 ** max(min(digits, 12), -300)
    cut = rounding(round(value * scale, 6)) / scale  # type: ignore[operator]
    return float(round(cut, max(digits, 0))) + 0.0
