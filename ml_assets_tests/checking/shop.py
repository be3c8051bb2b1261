"""A small shop in a folder of the test's own: 12 months of orders, and a problem on them that holds.

Tests change the declaration (its text, so that lines are real) or the data, and look at what is said.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

DEFS_YAML = """\
type: ml_assets.components.ModelProblem

attributes:
  name: returns
  description: Which orders come back.
  task: binary
  cadence: {kind: monthly, start: 2024-01-01, end: 2025-01-01}
  sources:
    - name: orders
      read: {kind: parquet, path: data/orders.parquet}
      columns:
        order_id: string
        customer_id: int64
        ordered_at: timestamp
        amount: float64
        channel: string
        returned: bool
        closed_at: timestamp
      key: [order_id]
      event_time: ordered_at
      row_known_at: ordered_at
      known_at: {returned: closed_at, closed_at: closed_at}
  feature_views:
    - name: customer_orders
      entities: [customer_id]
      sql: customer_orders.sql
      features: {last_amount: float, orders_so_far: int}
  rows:
    key: [order_id]
    features: {amount: float, channel: string}
  label:
    name: returned
    lookahead_days: 20
  split: {test_windows: 2, validation_windows: 2}
  validation:
    - {kind: row_count, low: 100}
    - {kind: between, column: amount, low: 0}
  search:
    space:
      eta: {kind: loguniform, low: 0.03, high: 0.3}
    max_trials: 3
  quality: {max_ratio: 1.5}
  retraining: {bad_windows: 2, of_last: 3}
"""

CUSTOMER_ORDERS = """\
SELECT
    customer_id, ordered_at AS event_timestamp, ordered_at AS known_at, amount AS last_amount,
    row_number() OVER (PARTITION BY customer_id ORDER BY ordered_at) AS orders_so_far
FROM orders
"""

WINDOWS, ORDERS_A_MONTH, CUSTOMERS = 12, 60, 20


@dataclass(frozen=True)
class Shop:
    """The folder of the declaration."""

    folder: Path

    @property
    def file(self) -> Path:
        """The declaration."""
        return self.folder / "defs.yaml"

    @property
    def orders(self) -> pd.DataFrame:
        """The data."""
        return pq.read_table(self._data).to_pandas()

    def write(self, text: str) -> None:
        """Declare it otherwise."""
        self.file.write_text(text)

    def change(self, old: str, new: str) -> int:
        """Replace a text that is there once; its line."""
        text = self.file.read_text()
        assert text.count(old) == 1, old
        self.write(text.replace(old, new))
        return text[: text.index(old)].count("\n") + 1

    def deliver(self, orders: pd.DataFrame | pa.Table) -> None:
        """Put other data in place."""
        table = orders if isinstance(orders, pa.Table) else pa.Table.from_pandas(orders, preserve_index=False)
        self._data.parent.mkdir(exist_ok=True)
        pq.write_table(table, self._data, coerce_timestamps="us", allow_truncated_timestamps=True)

    @property
    def _data(self) -> Path:
        return self.folder / "data" / "orders.parquet"


def open_shop(folder: Path, text: str = DEFS_YAML) -> Shop:
    """A shop whose declaration holds."""
    folder.mkdir(parents=True, exist_ok=True)
    shop = Shop(folder)
    shop.write(text)
    (folder / "customer_orders.sql").write_text(CUSTOMER_ORDERS)
    shop.deliver(orders())
    return shop


def orders() -> pd.DataFrame:
    """The orders of a year, no two at the same time."""
    rng = np.random.default_rng(7)
    starts = pd.date_range("2024-01-01", periods=WINDOWS, freq="MS", tz="UTC")
    hours = np.sort(rng.choice(27 * 24, size=ORDERS_A_MONTH, replace=False))
    at = pd.DatetimeIndex([start + pd.Timedelta(hours=int(hour)) for start in starts for hour in hours])
    n = len(at)
    return pd.DataFrame(
        {
            "order_id": [f"o{i}" for i in range(n)],
            "customer_id": rng.integers(1, CUSTOMERS + 1, n),
            "ordered_at": at,
            "amount": rng.lognormal(3, 1, n).round(2),
            "channel": rng.choice(["web", "shop"], n),
            "returned": rng.random(n) < 0.3,
            "closed_at": at + pd.to_timedelta(rng.integers(1, 19, n), unit="D"),
        }
    )
