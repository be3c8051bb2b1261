"""One small table of orders, what April of it is, and how a source of it is read: for the tests of readers."""

from datetime import UTC, date, datetime
from pathlib import Path

import pyarrow as pa

from ml_assets.ml.landing.window import land
from ml_assets.ml.windows import window_of
from ml_assets.resources.readers import read_window
from ml_assets.spec import Cadence, Source

MONTHS = Cadence(kind="monthly", start=date(2020, 1, 1), end=date(2021, 1, 1), timezone="Europe/London")
COLUMNS = {"id": "int64", "placed_at": "timestamp", "amount": "float64", "note": "string", "paid": "bool"}

# London's clock: the second row is on 1 April there, though still in March by UTC. The last two are in no window.
ORDERS = pa.table(
    {
        "id": pa.array([1, 2, 3, None, 5], pa.int64()),
        "placed_at": pa.array(
            [
                datetime(2020, 3, 31, 23, 59),
                datetime(2020, 4, 1, 0, 30),
                datetime(2020, 4, 30, 23, 59, 59),
                None,
                datetime(2119, 4, 1),
            ],
            pa.timestamp("us"),
        ),
        "amount": [1.5, 2.0, 1e6, 0.0, 4.0],
        "note": ["a", 'says "C%"; Zoë, £5', None, "x\ny", "e"],
        "paid": [True, False, None, True, True],
    }
)
APRIL = pa.table(
    {
        "id": pa.array([2, 3], pa.int64()),
        "placed_at": pa.array(
            [datetime(2020, 3, 31, 23, 30, tzinfo=UTC), datetime(2020, 4, 30, 22, 59, 59, tzinfo=UTC)],
            pa.timestamp("us", tz="UTC"),
        ),
        "amount": [2.0, 1e6],
        "note": ['says "C%"; Zoë, £5', None],
        "paid": [False, None],
    }
)


def orders_source(read: object, **changes: object) -> Source:
    return Source.model_validate(
        {"name": "orders", "read": read, "columns": COLUMNS, "event_time": "placed_at", "timezone": "Europe/London"}
        | changes
    )


def april(source: Source, folder: Path) -> pa.Table:
    window = window_of(MONTHS, "2020-04-01")
    return land(source, window, read_window(source, window, folder, folder / "absent"), {}).table
