"""Ranges and quantile bands of a column of numbers. Distances between distributions are in `distributions.py`."""

import numpy as np
from numpy.typing import NDArray

from ml_assets.ml.validation.profiling.columns import ReferenceColumn
from ml_assets.ml.validation.profiling.shown import percent, shown
from ml_assets.ml.validation.profiling.tolerance import band, outward, reach, severity_over, share_down
from ml_assets.spec import Between, QuantileBetween

SPAN_MARGIN = 0.1
"""Part of the span that values may lie beyond the reference's range. A convention."""

END_MARGIN = 0.5
"""Part of the spread between the parts' own least (greatest) values that the next may lie beyond all of them."""

QUANTILES = {0.05: 0.03, 0.5: 0.05, 0.95: 0.03}
"""Quantile -> how far beside it the reference is looked at: where few rows decide, a quantile jumps."""

_LEAST_OUTSIDE, _MOST_OUTSIDE = 0.001, 0.2
_HARD_BOUND_PARTS = 5


def range_rule(column: ReferenceColumn, over: str) -> Between | None:
    """The range that the reference keeps, with a margin; None where its parts go far beyond each other.

    A bound that every part touches is taken as hard (a share ends at 1), and what is never negative stays so.

    Args:
        column: Numbers.
        over: What the reference is, for the notes, e.g. "40 weeks".
    """
    values = column.finite
    if not len(values):
        return None
    least, greatest = float(values.min()), float(values.max())
    if least == greatest:
        return _constant(column, least, over)
    parts = [kept for part in column.by_part() if len(kept := part[np.isfinite(part)])]
    ends = np.array([(part.min(), part.max()) for part in parts]).reshape(-1, 2)
    hard_low, hard_high = _is_hard(ends[:, 0]), _is_hard(ends[:, 1])
    margin = SPAN_MARGIN * reach(len(parts)) * (greatest - least)
    low, high = outward(*_limits(ends, least, greatest, margin))
    low = least if hard_low else max(low, 0.0) if least >= 0 else low
    high = greatest if hard_high else min(high, 0.0) if greatest <= 0 else high
    outside = _largest_share_outside(parts, ends, margin)
    inf = 1 - len(values) / len(column.values)
    allowed = max(2 * outside, 2 * inf, _LEAST_OUTSIDE, 3 / max(float(np.median(column.counts)), 1.0))
    if allowed > _MOST_OUTSIDE:
        return None
    reasons = [f"Least {shown(least)}, greatest {shown(greatest)} in {over}"]
    if hard_low or hard_high:
        which = "both ends" if hard_low and hard_high else "the least" if hard_low else "the greatest"
        reasons.append(f"{which} in every part")
    if not (hard_low and hard_high):
        reasons.append(f"{_margins(low, high, least, greatest)} allowed")
    notes = "; ".join(reasons) + "."
    return Between(
        kind="between",
        column=column.name,
        low=low,
        high=high,
        mostly=share_down(1 - allowed),
        severity=severity_over(len(parts)),
        notes=notes,
    )


def quantile_rules(column: ReferenceColumn, over: str) -> list[QuantileBetween]:
    """Bands for three quantiles; none where a band would hold whatever comes.

    Args:
        column: Numbers with more than two distinct values.
        over: What the reference is, for the notes.
    """
    values = column.finite
    parts = [kept for part in column.by_part() if len(kept := part[np.isfinite(part)])]
    if not parts or len(np.unique(values[:10_000])) <= 2:
        return []
    scale = float(np.subtract(*np.quantile(values, [0.95, 0.05])))
    least, greatest = float(values.min()), float(values.max())
    rules = []
    for quantile, beside in QUANTILES.items():
        found = np.array([np.quantile(part, [quantile - beside, quantile, quantile + beside]) for part in parts])
        low, high = outward(*_band(found, SPAN_MARGIN * scale))
        if least >= 0:
            low = max(low, 0.0)
        if low >= high or (low <= least and high >= greatest):
            continue
        middle = found[:, 1]
        notes = f"{shown(float(middle.min()))} to {shown(float(middle.max()))} in {over}."
        rules.append(
            QuantileBetween(
                kind="quantile_between",
                column=column.name,
                quantile=quantile,
                low=low,
                high=high,
                severity="warning",
                notes=notes,
            )
        )
    return rules


def _band(found: NDArray[np.float64], least: float) -> tuple[float, float]:
    """From the quantile below it, as a part has it, to the one above; and the spread between parts beyond them."""
    low, high = band(found[:, 1], least)
    margin = high - float(found[:, 1].max())
    return min(low, float(found[:, 0].min()) - margin / 2), max(high, float(found[:, 2].max()) + margin / 2)


def _limits(ends: NDArray[np.float64], least: float, greatest: float, margin: float) -> tuple[float, float]:
    """Beyond the reference by half of what its parts' own ends differ, and by the margin at least."""
    if not len(ends):
        return least - margin, greatest + margin
    below, above = END_MARGIN * np.ptp(ends, axis=0)
    return least - max(margin, float(below)), greatest + max(margin, float(above))


def _margins(low: float, high: float, least: float, greatest: float) -> str:
    below, above = least - low, high - greatest
    said = [f"{_short(below)} below" if below > 0 else "", f"{_short(above)} above" if above > 0 else ""]
    return " and ".join(part for part in said if part) or "nothing beyond"


def _short(margin: float) -> str:
    return shown(round(margin) if margin >= 100 else float(f"{margin:.3g}"))


def _constant(column: ReferenceColumn, value: float, over: str) -> Between:
    margin = SPAN_MARGIN * abs(value)
    low, high = outward(value - margin, value + margin)
    notes = f"Constant {shown(value)} in {over}; ±{percent(SPAN_MARGIN)} allowed." if value else f"Always 0 in {over}."
    return Between(kind="between", column=column.name, low=low, high=high, severity="warning", notes=notes)


def _is_hard(ends: NDArray[np.float64]) -> bool:
    return len(ends) >= _HARD_BOUND_PARTS and bool(np.all(ends == ends[0]))


def _largest_share_outside(parts: list[NDArray[np.float64]], ends: NDArray[np.float64], margin: float) -> float:
    """Of any part, the greatest share outside the range that the others would give: what a next one may show."""
    shares = [0.0]
    for position, part in enumerate(parts):
        others = np.delete(ends, position, axis=0)
        if len(others):
            low, high = _limits(others, float(others[:, 0].min()), float(others[:, 1].max()), margin)
            shares.append(1 - float(((part >= low) & (part <= high)).mean()))
    return max(shares)
