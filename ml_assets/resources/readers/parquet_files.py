"""Parquet files with all windows: DuckDB reads the row groups and columns that a window needs."""

import glob
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb

from ml_assets.errors import UnreadableSourceError
from ml_assets.ml.features.query import connect
from ml_assets.ml.landing.parsing import literal
from ml_assets.resources.readers.files import matching_files
from ml_assets.resources.readers.whole_table import Scan, schema_of
from ml_assets.spec import Parquet, Source


@contextmanager
def opened(source: Source, read: Parquet, window: str, folder: Path) -> Iterator[Scan]:
    """The files as one table; a column that some of them lack is empty there.

    Raises:
        MissingSourceFileError: There is no file.
        UnreadableSourceError: One of them is no parquet, or their columns do not fit each other.
    """
    files = matching_files(source, window, read.path, folder)
    table = f"read_parquet([{', '.join(literal(glob.escape(str(file))) for file in files)}], union_by_name = true)"
    con = connect()
    try:
        yield Scan(con, [(table, schema_of(con, table))])
    except duckdb.Error as error:
        raise UnreadableSourceError(source.name, window, f"'{read.path}'", str(error).splitlines()[0]) from error
    finally:
        con.close()
