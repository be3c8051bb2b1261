"""Delimited text with all windows: every value is text until it is parsed as declared; rows stream past.

Arrow's reader and not DuckDB's: the latter skips lines that do not fit while it guesses the dialect, does not know
UTF-16 of the other byte order, and refuses some of latin-1.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.csv

from ml_assets.errors import UnreadableSourceError
from ml_assets.ml.features.query import connect
from ml_assets.resources.readers.files import matching_files
from ml_assets.resources.readers.whole_table import Scan
from ml_assets.spec import Csv, Source

_BLOCK_BYTES = 1 << 22
"""Read at a time. No value is longer: a quote that is never closed is an error and does not swallow the file."""


@contextmanager
def opened(source: Source, read: Csv, window: str, folder: Path) -> Iterator[Scan]:
    """The files one after the other; the first line of each names its columns.

    Raises:
        MissingSourceFileError: There is no file.
        UnreadableSourceError: A file is not in the declared encoding, or a line has too many or too few values.
    """
    files = matching_files(source, window, read.path, folder)
    con = connect()
    file = files[0]

    def tables() -> Iterator[tuple[str, pa.Schema]]:
        nonlocal file
        for file in files:
            lines = _lines(read, file)
            con.register("_lines", lines)
            yield "_lines", lines.schema

    try:
        yield Scan(con, tables())
    except (pa.ArrowInvalid, UnicodeError, duckdb.Error) as error:
        reason = str(error).splitlines()[0]
        raise UnreadableSourceError(source.name, window, f"'{file.name}' ({read.encoding})", reason) from error
    finally:
        con.close()


def _lines(read: Csv, file: Path) -> pa.RecordBatchReader:
    """The file as a stream of text columns."""
    with _reader(read, file, pa.csv.ConvertOptions()) as first_look:
        names = first_look.schema.names
    return _reader(
        read,
        file,
        pa.csv.ConvertOptions(
            column_types={name: pa.string() for name in names},
            null_values=list(read.nulls),
            strings_can_be_null=True,
            quoted_strings_can_be_null=True,
        ),
    )


def _reader(read: Csv, file: Path, convert: pa.csv.ConvertOptions) -> pa.csv.CSVStreamingReader:
    return pa.csv.open_csv(
        file,
        read_options=pa.csv.ReadOptions(encoding=read.encoding, block_size=_BLOCK_BYTES),
        parse_options=pa.csv.ParseOptions(delimiter=read.delimiter, newlines_in_values=True),
        convert_options=convert,
    )
