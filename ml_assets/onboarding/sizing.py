"""Numbers of a declaration that follow from how many windows there are and how full they are. All are conventions."""

import math

from ml_assets.onboarding.windows import GOOD_WINDOWS

_LEAST_JUDGED, _ENOUGH_JUDGED = 20, 500


def split(windows: int) -> dict[str, int]:
    """Windows of the split's held-out parts."""
    held_out = 2 if windows >= GOOD_WINDOWS else 1
    return {"test_windows": held_out, "validation_windows": held_out}


def min_rows(typical: int) -> int:
    """Rows below which a window is not judged: half of what is usual, but neither a handful nor many."""
    return max(_LEAST_JUDGED, min(_ENOUGH_JUDGED, typical // 2))


def least_training_rows(typical: int, windows: int) -> int:
    """Rows below which a training set has lost something: half of the smallest one that the split allows."""
    least_windows = sum(split(windows).values()) + 1
    return max(1, _round_down(typical * least_windows / 2))


def share_seen(known: float) -> float:
    """A share of rows with a value somewhat below the one seen, 0.01 to 0.95."""
    return max(0.01, math.floor(known * 95) / 100)


def widened(low: float, high: float) -> tuple[float, float]:
    """A seen range with a tenth of it added at both ends, rounded outwards; what was never negative stays so."""
    margin = (high - low) / 10 or abs(high) / 10 or 1.0
    step = 10.0 ** math.floor(math.log10(margin))
    new_low = math.floor((low - margin) / step) * step
    new_high = math.ceil((high + margin) / step) * step
    return _plain(max(0.0, new_low) if low >= 0 else new_low), _plain(min(0.0, new_high) if high <= 0 else new_high)


def _plain(value: float) -> float:
    """Without the tail of digits that binary fractions have; whole numbers as such."""
    short = float(f"{value:.6g}")
    return int(short) if short.is_integer() and abs(short) < 1e15 else short


def _round_down(value: float) -> int:
    """To one leading digit: 1,730 -> 1,000."""
    if value < 1:
        return 0
    step = 10 ** math.floor(math.log10(value))
    return int(value // step * step)
