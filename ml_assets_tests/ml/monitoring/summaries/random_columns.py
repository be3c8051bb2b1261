"""Pairs of columns of every kind, and what Evidently itself says about them, all rows given."""

import numpy as np
import pandas as pd
from hypothesis import strategies as st

from ml_assets.ml.monitoring.summaries import ColumnSummary, summarise_categories, summarise_numbers
from ml_assets.telemetry import disable_telemetry

NUMBERS = {
    "normal": lambda rng, n: rng.normal(size=n),
    "far from zero": lambda rng, n: 1.7e9 + rng.normal(size=n),
    "ties": lambda rng, n: np.round(rng.normal(100, 30, n)),
    "many ties": lambda rng, n: np.round(rng.normal(100, 30, n), 2),
    "constant": lambda rng, n: np.full(n, 0.1),
    "two values": lambda rng, n: rng.integers(0, 2, n).astype(float),
    "five values": lambda rng, n: rng.integers(0, 5, n).astype(float),
    "six values": lambda rng, n: rng.integers(0, 6, n).astype(float),
    "mostly zero": lambda rng, n: np.where(rng.random(n) < 0.8, 0.0, rng.exponential(size=n)),
    "heavy tails": lambda rng, n: rng.standard_cauchy(n),
    "heavier tails": lambda rng, n: rng.lognormal(0, 4, n),
    "one outlier": lambda rng, n: np.append(rng.normal(size=n - 1), 1e4),
    "two hills": lambda rng, n: rng.normal(size=n) + 1e3 * rng.integers(0, 2, n),
    "tiny": lambda rng, n: rng.normal(size=n) * 1e-7,
    "huge": lambda rng, n: rng.normal(size=n) * 1e30,
}
CATEGORIES = {
    "one": lambda rng, n: np.full(n, "a", dtype=object),
    "two": lambda rng, n: rng.choice(np.array(["a", "b"], dtype=object), n),
    "uneven": lambda rng, n: np.array([f"c{k}" for k in rng.geometric(0.2, n)], dtype=object),
    "names": lambda rng, n: np.array([f"n{k}" for k in rng.integers(0, 800, n)], dtype=object),
    "keys": lambda rng, n: np.array([f"k{k}" for k in rng.integers(0, 30_000, n)], dtype=object),
}
SIZES = st.sampled_from([2, 30, 900, 1000, 1001, 3000, 20_000])
SHIFTS = st.sampled_from([0.0, 0.02, 0.09, 0.1, 0.11, 0.5, 3.0])
MISSING = st.sampled_from([0.0, 0.3])
SEEDS = st.integers(0, 10_000)


def numbers(kind: str, seed: int, rows: int, *, shift: float = 0.0, missing: float = 0.0) -> np.ndarray:
    """(rows,) float64; shifted by so many standard deviations."""
    rng = np.random.default_rng(seed)
    values = NUMBERS[kind](rng, rows)
    values = values + shift * (np.std(values) if kind not in ("two values", "five values") else round(shift))
    return np.where(np.append(False, rng.random(rows - 1) < missing), rng.choice([np.nan, np.inf, -np.inf]), values)


def categories(kind: str, seed: int, rows: int, *, shift: float = 0.0, missing: float = 0.0) -> np.ndarray:
    """(rows,) objects; a share of them replaced by a new category."""
    rng = np.random.default_rng(seed)
    values = CATEGORIES[kind](rng, rows)
    values[rng.random(rows) < shift / 4] = "new"
    values[np.append(False, rng.random(rows - 1) < missing)] = None
    return values


def summary(column: np.ndarray) -> ColumnSummary:
    """Of either kind."""
    if column.dtype == float:
        return summarise_numbers(column)
    counts = pd.Series(column).value_counts()
    return summarise_categories(counts.index, counts, int(pd.isna(column).sum()))


def said_by_evidently(reference: np.ndarray, current: np.ndarray) -> tuple[str, float, bool]:
    """Its default method, score and verdict on all rows."""
    disable_telemetry()
    from evidently.legacy.calculations.stattests import get_stattest
    from evidently.legacy.core import ColumnType

    kind = ColumnType.Numerical if reference.dtype == float else ColumnType.Categorical
    # As `get_one_column_drift` cleans them.
    sides = [pd.Series(side).replace([-np.inf, np.inf], np.nan).dropna() for side in (reference, current)]
    test = get_stattest(*sides, kind, None)
    result = test(*sides, kind, None)
    return test.name, float(result.drift_score), bool(result.drifted)
