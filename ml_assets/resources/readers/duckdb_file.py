"""A query on a DuckDB database file, which is opened read-only."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb

from ml_assets.errors import UnreadableSourceError
from ml_assets.resources.readers.files import matching_files
from ml_assets.resources.readers.whole_table import Scan, schema_of
from ml_assets.spec import DuckDb, Source


@contextmanager
def opened(source: Source, read: DuckDb, window: str, folder: Path) -> Iterator[Scan]:
    """The query's result as a table; the window's condition is pushed down into the query.

    Raises:
        MissingSourceFileError: There is no file.
        UnreadableSourceError: It is no database, another process writes to it, or the query does not run.
    """
    [file] = matching_files(source, window, read.path, folder)[:1]
    table = f"({read.query.rstrip().rstrip(';')}\n)"
    con = None
    try:
        con = duckdb.connect(str(file), read_only=True, config={"autoinstall_known_extensions": "false"})
        con.execute("SET TimeZone = 'UTC'")
        yield Scan(con, [(table, schema_of(con, table))])
    except duckdb.Error as error:
        reason = str(error).splitlines()[0]
        raise UnreadableSourceError(source.name, window, f"the query on '{file.name}'", reason) from error
    finally:
        if con is not None:
            con.close()
