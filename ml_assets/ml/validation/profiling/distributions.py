"""How values are spread: over categories, over ranges of numbers, over the hours of the day."""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ml_assets.ml.validation.hours import hour_of_day
from ml_assets.ml.validation.profiling.columns import ReferenceColumn
from ml_assets.ml.validation.profiling.ranges import SPAN_MARGIN
from ml_assets.ml.validation.profiling.shown import shown
from ml_assets.ml.validation.profiling.tolerance import outward, reach, rounded_shares, three_digits, two_digits_up
from ml_assets.ml.validation.profiling.values import is_code
from ml_assets.spec import DistributionNear

MOST_CATEGORIES = 20
_BINS = 8
_LEAST_SHARE = 0.001
"""Share that a category or range counts as at least: one that the reference never shows is rare, not impossible."""
_LEAST_DIVERGENCE, _MOST_DIVERGENCE = 0.02, 2.0
_LEAST_ROWS = 200
_HOURS, _WRONG_HOURS = 24, (5, -5, 12)


def distribution_rule(column: ReferenceColumn, over: str, timezone: str = "UTC") -> DistributionNear | None:
    """The shares of a column's values, and how far those of the next part may be from them.

    Numbers are binned by quantiles, times by the hour of their day. None where the parts differ so much that
    nothing would be refused, or where there is nothing to compare.

    Args:
        column: Any column.
        over: What the reference is, for the notes.
        timezone: Where the hours of times are read, unless parts are more alike in UTC: those of people shift there
            with summer time, those of machines do not.
    """
    if len(column.values) < _LEAST_ROWS or not len(column.usable):
        return None
    if column.kind == "time":
        found = [_of_hours(column, zone, over) for zone in dict.fromkeys((timezone, "UTC"))]
        return min((rule for rule in found if rule), key=lambda rule: rule.max_divergence, default=None)
    if is_code(column):
        return _of_categories(column, over)
    if column.kind in ("int", "float") and len(column.finite):
        return _of_numbers(column, over)
    return None


def divergence(counts: NDArray[np.float64], shares: NDArray[np.float64]) -> float:
    """Kullback-Leibler divergence of observed counts from reference shares, in nats, >= 0.

    Source: Kullback & Leibler (1951), "On Information and Sufficiency"; sum over p ln(p / q) with p observed.
    """
    observed = counts / max(counts.sum(), 1)
    seen = observed > 0
    return float(max((observed[seen] * np.log(observed[seen] / shares[seen])).sum(), 0.0))


def _of_categories(column: ReferenceColumn, over: str) -> DistributionNear | None:
    distinct = column.codes[1]
    if not 2 <= len(distinct) <= MOST_CATEGORIES or column.kind == "bool":
        return None
    table = column.table()
    limit = _limit(table)
    if limit is None:
        return None
    values = tuple(str(v) if column.kind == "string" else int(v) for v in distinct)
    return DistributionNear(
        kind="distribution",
        column=column.name,
        values=values,
        shares=rounded_shares(np.bincount(column.codes[0]) / len(column.codes[0]), _LEAST_SHARE),
        max_divergence=limit,
        severity="warning",
        notes=_notes(table, over),
    )


def _of_numbers(column: ReferenceColumn, over: str) -> DistributionNear | None:
    inner = np.unique(np.quantile(column.finite, np.linspace(0, 1, _BINS + 1)))
    if len(inner) < 3:
        return None
    # What lies beyond the range is the business of its rule; near it, it belongs to the outermost part here.
    margin = SPAN_MARGIN * float(inner[-1] - inner[0])
    low, high = outward(float(inner[0]) - margin, float(inner[-1]) + margin)
    low = max(low, 0.0) if inner[0] >= 0 else low
    rounded = [three_digits(edge, inner[-2] - inner[1]) for edge in inner[1:-1]]
    edges = np.unique([low, *(edge for edge in rounded if low < edge < high), high])
    return _of_edges(column, column.values, edges, over) if len(edges) > 2 else None


def _of_hours(column: ReferenceColumn, timezone: str, over: str) -> DistributionNear | None:
    times = pd.Series(np.round(column.values * 1e6).astype("datetime64[us]"))
    hours = hour_of_day(times, timezone).to_numpy()
    return _of_edges(column, hours, np.arange(_HOURS + 1.0), over, hours_in=timezone)


def _of_edges(
    column: ReferenceColumn,
    values: NDArray[np.float64],
    edges: NDArray[np.float64],
    over: str,
    *,
    hours_in: str | None = None,
) -> DistributionNear | None:
    bins = np.clip(np.searchsorted(edges, values, side="right") - 1, 0, len(edges) - 2)
    flat = np.bincount(column.parts * (len(edges) - 1) + bins, minlength=len(column.rows) * (len(edges) - 1))
    whole = flat.reshape(len(column.rows), -1)
    table = whole[column.usable]
    limit = _limit(table, most=_most_of_a_clock(table) if hours_in else _MOST_DIVERGENCE)
    if limit is None:
        return None
    return DistributionNear(
        kind="distribution",
        column=column.name,
        edges=tuple(float(edge) for edge in edges),
        shares=rounded_shares(whole.sum(axis=0) / max(whole.sum(), 1), _LEAST_SHARE),
        max_divergence=limit,
        hour_of_day=hours_in is not None,
        timezone=hours_in or "UTC",
        severity="warning",
        notes=(f"By hour, {hours_in}. " if hours_in else "") + _notes(table, over),
    )


def _most_of_a_clock(table: NDArray[np.int64]) -> float:
    """The divergence of a clock that goes 5 or 12 hours wrong: a limit above that would refuse nothing.

    Where all times of a part are one hour (snapshots), parts may differ widely and a wrong clock is still far off.
    """
    shares = np.asarray(rounded_shares(table.sum(axis=0) / max(table.sum(), 1), _LEAST_SHARE))
    wrong = [divergence(np.roll(part, shift).astype(np.float64), shares) for part in table for shift in _WRONG_HOURS]
    return float(np.median(wrong))


def _limit(table: NDArray[np.int64], most: float = _MOST_DIVERGENCE) -> float | None:
    """The divergence that a next part may show: twice the greatest of a part from the others, and what chance makes."""
    parts, bins = table.shape
    chance = (bins - 1 + 4 * np.sqrt(2 * (bins - 1))) / (2 * max(float(np.median(table.sum(axis=1))), 1.0))
    limit = max(2 * reach(parts) * max(_between(table), default=0.0), 2 * chance, _LEAST_DIVERGENCE)
    return two_digits_up(limit) if limit <= most else None


def _between(table: NDArray[np.int64]) -> list[float]:
    """(k,) divergence of each part from all others together."""
    if len(table) < 2:
        return []
    others = table.sum(axis=0) - table
    return [
        divergence(part.astype(np.float64), np.asarray(rounded_shares(rest / max(rest.sum(), 1), _LEAST_SHARE)))
        for part, rest in zip(table, others, strict=True)
    ]


def _notes(table: NDArray[np.int64], over: str) -> str:
    found = _between(table)
    if not found:
        return f"Learned from {over}; nothing to compare with."
    return f"Parts diverge from the others by {shown(min(found))} to {shown(max(found))} in {over}."
