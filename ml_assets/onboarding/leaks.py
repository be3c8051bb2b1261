"""Columns that give the label away: copies of it, and consequences that are near one to one with it.

What a column means nobody can see in a file; this finds only what no honest feature looks like.
"""

import math
from collections import defaultdict
from collections.abc import Sequence

from ml_assets.ml.landing.parsing import identifier
from ml_assets.onboarding.profile import ColumnProfile, TableProfile
from ml_assets.onboarding.table import ORDINAL, TYPED, FlatTable
from ml_assets.spec import Task

LIMIT = 0.99
"""Correlation, or association of categories, from which a column counts as a leak. A convention."""
_RANKED_ROWS = 20_000
_ROWS_PER_VALUE = 20
"""Fewer rows per value, and chance alone ties values to labels."""


def find_leaks(
    table: FlatTable,
    profile: TableProfile,
    label: ColumnProfile,
    task: Task,
    positive: str | None,
    names: Sequence[str],
) -> dict[str, str]:
    """Columns among `names` that give the label away -> how.

    Four looks: correlation of values and of ranks with a numeric label, whether a value is missing just where
    a binary label is 1 (or 0), and whether each value goes with one class.
    """
    truth = _truth(label, task, positive)
    numbers = [c for name in names if (c := profile.columns[name]).type in ("int64", "float64", "bool")]
    found: dict[str, str] = {}
    if truth:
        found |= _correlated(table, [c.name for c in numbers if c.distinct > 1], truth)
        found |= _ranked_alike(table, [c.name for c in numbers if c.distinct > 1 and c.name not in found], truth)
    if truth and task == "binary":
        gaps = [name for name in names if 0 < profile.columns[name].nulls < profile.rows and name not in found]
        found |= _missing_alike(table, gaps, truth)
    if task != "regression":
        left = [profile.columns[name] for name in names if name not in found]
        few = [c.name for c in left if len(c.values) > 1 and c.known >= _ROWS_PER_VALUE * c.distinct]
        found |= {name: text for name in few if (text := _one_to_one(table, name, label.name))}
    return {name: found[name] for name in names if name in found}


def _truth(label: ColumnProfile, task: Task, positive: str | None) -> str | None:
    """The label as a number, where it is one."""
    column = identifier(label.name)
    if task == "regression":
        return f"(CASE WHEN isfinite({column}::DOUBLE) THEN {column}::DOUBLE END)"
    if task == "binary" and positive is not None:
        value = positive.replace("'", "''")
        return f"(CASE WHEN {column} IS NOT NULL THEN ({column}::VARCHAR = '{value}')::DOUBLE END)"
    return f"{column}::DOUBLE" if task == "binary" else None


def _correlated(table: FlatTable, names: Sequence[str], truth: str) -> dict[str, str]:
    values = [f"CASE WHEN isfinite({identifier(name)}::DOUBLE) THEN {identifier(name)}::DOUBLE END" for name in names]
    return _strong(table, names, [f"corr({value}, {truth})" for value in values], f"FROM {TYPED}", "correlates")


def _ranked_alike(table: FlatTable, names: Sequence[str], truth: str) -> dict[str, str]:
    """Ranks see through a logarithm or a change of unit; they are taken of some thousand rows."""
    step = max(1, table.rows // _RANKED_ROWS)
    found: dict[str, str] = {}
    for name in names:
        pairs = f"SELECT {identifier(name)}::DOUBLE AS x, {truth} AS y FROM {TYPED} WHERE {ORDINAL} % {step} = 0"
        both = f"FROM ({pairs}) WHERE x IS NOT NULL AND y IS NOT NULL"
        ranks = f"SELECT rank() OVER (ORDER BY x) AS x, rank() OVER (ORDER BY y) AS y {both}"
        found |= _strong(table, [name], ["corr(x, y)"], f"FROM ({ranks})", "has a rank that correlates")
    return found


def _missing_alike(table: FlatTable, names: Sequence[str], truth: str) -> dict[str, str]:
    gaps = [f"corr(({identifier(name)} IS NULL)::DOUBLE, {truth})" for name in names]
    return _strong(table, names, gaps, f"FROM {TYPED}", "is empty in a way that correlates")


def _strong(table: FlatTable, names: Sequence[str], measures: Sequence[str], rows: str, what: str) -> dict[str, str]:
    if not names:
        return {}
    values = table.one(f"SELECT {', '.join(measures)} {rows}")
    pairs = zip(names, values, strict=True)
    strong = {n: v for n, v in pairs if v is not None and not math.isnan(v) and abs(v) > LIMIT}
    return {name: f"{what} with the label ({value:+.3f})" for name, value in strong.items()}


def _one_to_one(table: FlatTable, name: str, label: str) -> str:
    """How closely each value goes with one class, if too closely: Cramer's V, 0 (independent) to 1 (determined)."""
    pairs = table.all(
        f"SELECT {identifier(name)}, {identifier(label)}, count(*) FROM {TYPED} "
        f"WHERE {identifier(name)} IS NOT NULL AND {identifier(label)} IS NOT NULL GROUP BY 1, 2"
    )
    of_value: dict[object, int] = defaultdict(int)
    of_class: dict[object, int] = defaultdict(int)
    for value, kind, rows in pairs:
        of_value[value] += rows
        of_class[kind] += rows
    smaller = min(len(of_value), len(of_class)) - 1
    if smaller < 1 or len(of_value) < len(of_class):
        return ""
    # chi2 / n = sum of n_ij^2 / (n_i n_j) over the cells, minus 1
    squared = (sum(rows**2 / (of_value[value] * of_class[kind]) for value, kind, rows in pairs) - 1) / smaller
    strength = math.sqrt(max(squared, 0.0))
    return f"says which class it is (Cramer's V {strength:.3f})" if strength > LIMIT else ""
