"""Readers: where the rows of a source come from, one file per kind of place. `read_window` knows them all."""

from contextlib import AbstractContextManager
from pathlib import Path

import pyarrow as pa

from ml_assets.ml.windows import Window
from ml_assets.resources.readers import csv_files, duckdb_file, parquet_files, postgresql
from ml_assets.resources.readers.deliveries import read_delivery
from ml_assets.resources.readers.python_function import read_function
from ml_assets.resources.readers.whole_table import (
    ALL_WINDOWS,
    Scan,
    count_in_no_window,
    rows_of_window,
    time_column,
)
from ml_assets.spec import Cadence, Csv, Deliveries, DuckDb, Parquet, PostgreSql, Python, Source

__all__ = ["read_window", "rows_in_no_window"]


def read_window(source: Source, window: Window, folder: Path, delivery: Path) -> pa.Table:
    """The rows of a window as they are delivered: all columns, nothing parsed, nothing dropped.

    Args:
        source: The declaration.
        window: The window; a whole table is asked for no more than its rows.
        folder: Folder of the declaration, where relative paths start.
        delivery: Where a delivered file of the window is expected.

    Raises:
        DeliveryError: There is nothing, or it cannot be read; the subclass says what.
        FunctionError: A function that loads the window is not there, or fails.
    """
    read = source.read
    if isinstance(read, Deliveries):
        return read_delivery(source, window, delivery)
    if isinstance(read, Python):
        return read_function(source, read, window, folder)
    if isinstance(read, PostgreSql):
        return postgresql.read_query(source, read, window)
    with _opened(source, read, window.key, folder) as scan:
        return rows_of_window(scan, source, window)


def rows_in_no_window(source: Source, cadence: Cadence, folder: Path) -> int | None:
    """How many rows of a whole table no window reads: their time is missing, or outside the cadence.

    None where that is no question: the source is delivered window by window, or a snapshot.

    Raises:
        As `read_window`.
    """
    read, column = source.read, time_column(source)
    if column is None or isinstance(read, Deliveries | Python):
        return None
    if isinstance(read, PostgreSql):
        return postgresql.count_in_no_window(source, read, cadence, column)
    with _opened(source, read, ALL_WINDOWS, folder) as scan:
        return count_in_no_window(scan, source, cadence, column)


def _opened(source: Source, read: Parquet | Csv | DuckDb, window: str, folder: Path) -> AbstractContextManager[Scan]:
    if isinstance(read, Parquet):
        return parquet_files.opened(source, read, window, folder)
    if isinstance(read, Csv):
        return csv_files.opened(source, read, window, folder)
    return duckdb_file.opened(source, read, window, folder)
