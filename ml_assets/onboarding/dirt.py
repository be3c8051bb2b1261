"""The dirt that a table has, and how much of it a window may have from now on."""

from collections.abc import Sequence
from typing import Any

from ml_assets.ml.landing.parsing import identifier
from ml_assets.onboarding.keys import RowKey
from ml_assets.onboarding.profile import UNPARSABLE, TableProfile
from ml_assets.onboarding.table import HASH, TYPED, FlatTable
from ml_assets.onboarding.windows import UNITS, Grid

_STEPS = (0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.5, 0.75, 1.0)
_MARGIN = 1.5
"""A tolerance is the least of the steps that is so many times what the worst window had. Conventions."""


def tolerances(
    table: FlatTable, profile: TableProfile, columns: Sequence[str], key: RowKey, time: str, grid: Grid
) -> dict[str, Any]:
    """Fields of `cleaning` for the dirt that the declared columns have; those without dirt are left out.

    Args:
        table: The table, typed.
        profile: Its columns.
        columns: The declared columns.
        key: What identifies a row.
        time: The time column.
        grid: The windows; shares are of their rows.
    """
    needed = sorted({*key.delivered, *key.joins} & set(profile.columns) - {time})
    worst = _worst_shares(table, profile, columns, needed, time, grid)
    found: dict[str, Any] = {name: tolerance(share) for name, share in worst.items() if share}
    if any(profile.columns[name].parsed for name in columns) and not _is_text_file(table):
        found["text_numbers"] = True
    if 0 in grid.rows:
        found["empty_windows"] = True
    # Only a declared key is watched for missing values; without one they are dropped by name.
    if needed and not set(needed) <= set(key.delivered) and "null_keys" in found:
        missing = " OR ".join(f"{identifier(name)} IS NULL" for name in needed)
        found["drop"] = {"no_key": {"where": missing, "max_share": found.pop("null_keys")}}
    return found


def tolerance(share: float) -> float:
    """A round share somewhat above what was seen."""
    return next((step for step in _STEPS if step >= _MARGIN * share), 1.0)


def _worst_shares(
    table: FlatTable, profile: TableProfile, columns: Sequence[str], needed: Sequence[str], time: str, grid: Grid
) -> dict[str, float]:
    """Dirt -> its largest share of a window's rows."""
    infinite = [name for name in columns if profile.columns[name].infinite]
    unparsable = [name for name in columns if profile.columns[name].unparsable]
    missing = " OR ".join(f"{identifier(name)} IS NULL" for name in needed) or "false"
    bad = [f"count(*) FILTER ({identifier(UNPARSABLE + name)})" for name in unparsable]
    endless = [f"count(*) FILTER (isinf({identifier(name)}))" for name in infinite]
    start, end = (f"TIMESTAMPTZ '{moment}'" for moment in (grid.cadence.start, grid.cadence.end))
    counts = [
        f"count(*) - count(DISTINCT {HASH})",
        f"count(*) FILTER ({missing})",
        f"greatest(0, {', '.join(bad)})" if bad else "0",
        f"greatest(0, {', '.join(endless)})" if endless else "0",
    ]
    shares = ", ".join(f"({count}) / count(*) AS s{i}" for i, count in enumerate(counts))
    found = table.one(
        f"SELECT max(s0), max(s1), max(s2), max(s3) FROM (SELECT {shares} FROM {TYPED} "
        f"WHERE {identifier(time)} >= {start} AND {identifier(time)} < {end} "
        f"GROUP BY date_trunc('{UNITS[grid.kind]}', {identifier(time)}))"
    )
    names = ("exact_duplicates", "null_keys", "unparsable", "infinite")
    return {name: float(share or 0) for name, share in zip(names, found, strict=True)}


def _is_text_file(table: FlatTable) -> bool:
    return table.reading.kind == "csv"
