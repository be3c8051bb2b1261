"""The data of the point-in-time benchmark: two histories of feature values, and the rows asked for.

A year of values of 10,000 customers. Every value becomes known some hours after its event; 2% of the values are
corrected days later. A customer's values come at random moments, so do the rows asked for.
"""

from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

VIEWS = {"spend": [f"s{i}" for i in range(10)], "visits": [f"v{i}" for i in range(10)]}
KEY, EVENT, KNOWN, PLACE = "customer_id", "event_timestamp", "known_at", "row_id"
TTL_DAYS = 90
CUSTOMERS = 10_000
_YEAR_US = 365 * 86_400_000_000
_START_US = 1_356_998_400_000_000  # 2013-01-01
_HOUR_US = 3_600_000_000
_CORRECTED = 0.02
_CHUNK = 1_000_000


def history_file(folder: Path, view: str) -> Path:
    """Where a view's values are: one file, as Feast's own stores want it, in a folder of its own, as ours does."""
    return folder / view / "2013-01-01.parquet"


def asked_file(folder: Path) -> Path:
    """Where the rows asked for are."""
    return folder / "asked.parquet"


def write_history(folder: Path, rows: int, *, late: bool, seed: int) -> None:
    """Write about `rows` values per view, ordered by event as a lake is.

    Args:
        folder: It gets a file per view: key, event, known, ten float64 columns with 1% nulls.
        rows: Values per view before corrections.
        late: Whether values become known after their event; else at it, and none is corrected.
        seed: Of the generator.
    """
    for number, view in enumerate(VIEWS):
        rng = np.random.default_rng([seed, number])
        chunks = -(-rows // _CHUNK)
        history_file(folder, view).parent.mkdir(parents=True, exist_ok=True)
        with pq.ParquetWriter(history_file(folder, view), _schema(view), compression="zstd") as writer:
            for chunk in range(chunks):
                size = min(_CHUNK, rows - chunk * _CHUNK)
                span = (chunk * _YEAR_US // chunks, (chunk + 1) * _YEAR_US // chunks)
                writer.write_table(_values(rng, view, size, span, late=late), row_group_size=122_880)


def write_asked(folder: Path, rows: int, *, seed: int) -> None:
    """Write `asked.parquet`: key, prediction time, a running number; in no order."""
    rng = np.random.default_rng([seed, 99])
    moments = pa.array(_START_US + rng.integers(0, _YEAR_US, rows)).cast(_MOMENT)
    table = pa.table({KEY: rng.integers(0, CUSTOMERS, rows), EVENT: moments, PLACE: np.arange(rows)})
    pq.write_table(table, asked_file(folder))


def asked_frame(folder: Path) -> pd.DataFrame:
    """The rows asked for, as every contestant is given them."""
    return pd.read_parquet(asked_file(folder))


_MOMENT = pa.timestamp("us", tz="UTC")


def _schema(view: str) -> pa.Schema:
    times = [(EVENT, _MOMENT), (KNOWN, _MOMENT)]
    return pa.schema([(KEY, pa.int64()), *times, *((name, pa.float64()) for name in VIEWS[view])])


def _values(rng: np.random.Generator, view: str, rows: int, span: tuple[int, int], *, late: bool) -> pa.Table:
    event = _START_US + rng.integers(*span, rows)
    customer = rng.integers(0, CUSTOMERS, rows)
    known = event.copy()
    if late:
        known = event + (rng.exponential(6, rows) * _HOUR_US).astype("int64")
        again = rng.random(rows) < _CORRECTED
        corrected = known[again] + (rng.exponential(72, again.sum()) * _HOUR_US).astype("int64")
        event = np.concatenate([event, event[again]])
        customer, known = np.concatenate([customer, customer[again]]), np.concatenate([known, corrected])
    order = np.argsort(event, kind="stable")
    columns = [pa.array(customer[order]), *(pa.array(x[order]).cast(_MOMENT) for x in (event, known))]
    for _ in VIEWS[view]:
        columns.append(pa.array(np.round(rng.normal(size=len(event)), 6), mask=rng.random(len(event)) < 0.01))
    return pa.table(columns, schema=_schema(view))
