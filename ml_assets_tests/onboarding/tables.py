"""Tables that the tests of `ml-assets new` look at: generated ones with dirt to plant, and real ones with a time."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from ml_assets.onboarding.interview import Said, interview
from ml_assets.onboarding.plan import Plan
from ml_assets.onboarding.profile import TableProfile, profile
from ml_assets.onboarding.questions import Questions
from ml_assets.onboarding.sniffing import sniff
from ml_assets.onboarding.table import FlatTable, open_table

TAKE_ALL = Questions(terminal=False, take_all=True)
REPOSITORY = Path(__file__).parents[2]
FLIGHTS = REPOSITORY / "ml_assets/defs/flights/data/flights.parquet"


def shops(days: int = 400, shops: int = 8) -> pd.DataFrame:
    """A panel: each shop once a day, with what was sold."""
    rng = np.random.default_rng(7)
    n = days * shops
    visitors = rng.poisson(80, n)
    temperature = rng.normal(12, 8, n).round(1)
    temperature[rng.random(n) < 0.03] = np.nan
    return pd.DataFrame(
        {
            "shop_id": np.tile(np.arange(100, 100 + shops), days),
            "day": np.repeat(pd.date_range("2022-01-03", periods=days, freq="D"), shops),
            "region": np.tile(np.array(["north", "south", "east", "west"]), n // 4),
            "visitors": visitors,
            "temperature_c": temperature,
            "promo": rng.random(n) < 0.2,
            "sold": (visitors * 2.5 + rng.normal(0, 30, n)).round(2),
        }
    )


def visits(rows: int = 3000) -> pd.DataFrame:
    """Customers who come now and then, whether they come again; each visit has an id."""
    rng = np.random.default_rng(11)
    age = rng.integers(18, 90, rows)
    churned = rng.random(rows) < (age - 10) / 200
    return pd.DataFrame(
        {
            "visit_id": [f"v{number:06d}" for number in range(rows)],
            "customer_id": rng.integers(1, 400, rows),
            "visited_at": pd.Timestamp("2023-01-02")
            + pd.to_timedelta(np.sort(rng.integers(0, 300 * 86_400, rows)), "s"),
            "age": age,
            "plan": rng.choice(["basic", "plus", "gold"], rows),
            "churned": np.where(churned, "yes", "no"),
        }
    )


def to_parquet(frame: pd.DataFrame, folder: Path, name: str = "table.parquet") -> Path:
    """Write it as parquet."""
    path = folder / name
    frame.to_parquet(path, index=False)
    return path


def to_csv(frame: pd.DataFrame, folder: Path, **how: Any) -> Path:
    """Write it as delimited text."""
    path = folder / "table.csv"
    frame.to_csv(path, index=False, **how)
    return path


@contextmanager
def opened(path: Path, *, timezone: str = "UTC", mend_names: bool = False) -> Iterator[FlatTable]:
    """The file as a table."""
    with open_table(path, sniff(path), timezone=timezone, mend_names=mend_names) as table:
        yield table


def profiled(path: Path, **how: Any) -> TableProfile:
    """The file's profile."""
    with opened(path) as table:
        return profile(table, **how)


def planned(path: Path, *, timezone: str = "UTC", **said: Any) -> Plan:
    """What is proposed for the file, every proposal taken."""
    with opened(path, timezone=timezone) as table:
        return interview("problem", table, Said(**said), TAKE_ALL)
