"""One file as a table that can be asked: its columns under the names of a declaration.

Here belongs how the file becomes relations in DuckDB. What is asked of them belongs to the modules that ask.
"""

import re
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
from pydantic import TypeAdapter, ValidationError

from ml_assets.errors import UnreadableSourceError, UnreadableTableError
from ml_assets.ml.landing.parsing import identifier, literal
from ml_assets.resources.readers import csv_files
from ml_assets.spec import Column, Csv, Parquet, Source

RAW, TYPED, SAMPLE = "raw", "typed", "sample"
"""Relations: as stored, in declared types, and some thousand rows as stored."""
SAMPLE_ROWS = 20_000
MAX_NAME = 63
ORDINAL = "__row"
"""Number of a row in its file, a column of `raw` and `typed`."""
HASH = "__hash"
"""Hash over all columns of the file, declared or not, a column of `raw` and `typed`: equal rows have equal ones."""
_NAME: TypeAdapter[str] = TypeAdapter(Column)
_THREADS = 2
_LINES = "lines"
_NUMBER = {"csv": "rowid", "parquet": "file_row_number"}
"""DuckDB's own columns that number rows."""


class FlatTable:
    """A file, its columns, and a DuckDB connection that has it as `raw` and as `sample`.

    Attributes:
        path: The file.
        reading: How it is read.
        timezone: Time zone of times without an offset, and of the connection.
        rows: Rows in it.
        stored: Declared name -> type as stored; text throughout for delimited text.
        renamed: Declared name -> name in the file, where they differ.
        unnamed: Names in the file that a declaration cannot hold; those columns are not in the relations.
    """

    def __init__(
        self, path: Path, reading: Parquet | Csv, timezone: str, con: duckdb.DuckDBPyConnection, *, mend_names: bool
    ) -> None:
        self.path, self.reading, self.timezone, self._con = path, reading, timezone, con
        relation = _load(path, reading, con)
        found: pa.Schema = con.sql(f"FROM {relation} LIMIT 0").to_arrow_table().schema
        names = declared_names(found.names, mend=mend_names)
        self.stored = {names[field.name]: field.type for field in found if field.name in names}
        self.renamed = {new: old for old, new in names.items() if new != old}
        self.unnamed = tuple(name for name in found.names if name not in names)
        columns = [f"{identifier(old)} AS {identifier(new)}" for old, new in names.items()]
        columns += [f"{_NUMBER[reading.kind]} AS {ORDINAL}"]
        columns += [f"hash({', '.join(map(identifier, found.names))}) AS {HASH}"]
        # Text is read once; parquet is read column by column as it is asked for.
        kind = "TABLE" if isinstance(reading, Csv) else "VIEW"
        con.execute(f"CREATE TEMP {kind} {RAW} AS SELECT {', '.join(columns)} FROM {relation}")
        con.execute(f"DROP TABLE IF EXISTS {_LINES}")
        self.rows = int(self.one(f"SELECT count(*) FROM {RAW}")[0])
        step = max(1, self.rows // SAMPLE_ROWS)
        con.execute(f"CREATE TEMP TABLE {SAMPLE} AS SELECT * FROM {RAW} WHERE {ORDINAL} % {step} = 0")

    def add_nulls(self, texts: Sequence[str]) -> None:
        """Let these texts of delimited text mean no value, in every column, as its declaration will."""
        if not texts or not isinstance(self.reading, Csv):
            return
        self.reading = self.reading.model_copy(update={"nulls": (*self.reading.nulls, *texts)})
        listed = ", ".join(map(literal, texts))
        for relation in (RAW, SAMPLE):
            for name in map(identifier, self.stored):
                self._con.execute(f"UPDATE {relation} SET {name} = NULL WHERE {name} IN ({listed})")

    def type_columns(self, columns: Mapping[str, str], read: str, *, keep: bool) -> None:
        """Make `typed`: column -> SQL over the relation `read`; kept in memory where that is dear."""
        named = ", ".join(f"{sql} AS {identifier(name)}" for name, sql in columns.items())
        kind = "TABLE" if keep else "VIEW"
        self._con.execute(f"CREATE TEMP {kind} {TYPED} AS SELECT {named}, {ORDINAL}, {HASH} FROM {read}")

    def all(self, sql: str) -> list[tuple[Any, ...]]:
        """Every row of a query."""
        return self._con.execute(sql).fetchall()

    def one(self, sql: str) -> tuple[Any, ...]:
        """The only row of an aggregate."""
        row: tuple[Any, ...] | None = self._con.execute(sql).fetchone()
        return row or ()


def _load(path: Path, reading: Parquet | Csv, con: duckdb.DuckDBPyConnection) -> str:
    """What a FROM clause names the file by; delimited text is loaded by the reader that will land it."""
    if isinstance(reading, Parquet):
        return f"read_parquet({literal(str(path))})"
    source = Source.model_validate({"name": "table", "read": reading, "columns": {"unknown": "string"}})
    with csv_files.opened(source, reading, "any", Path()) as scan:
        for lines, _ in scan.tables:
            con.register("stream", scan.con.sql(f"FROM {lines}").to_arrow_reader())
            con.execute(f"CREATE TEMP TABLE {_LINES} AS FROM stream")
            con.unregister("stream")
    return _LINES


@contextmanager
def open_table(path: Path, reading: Parquet | Csv, *, timezone: str, mend_names: bool) -> Iterator[FlatTable]:
    """The table of a file, closed at the end.

    Args:
        path: The file.
        reading: How it is read, from `sniff`.
        timezone: Time zone of times without an offset.
        mend_names: Whether columns whose names no declaration can hold get another name.

    Raises:
        UnreadableTableError: It cannot be read, or has no rows.
    """
    with tempfile.TemporaryDirectory(prefix="ml_assets_new_") as folder:
        config: dict[str, Any] = {
            "autoinstall_known_extensions": "false",
            "temp_directory": folder,
            "threads": _THREADS,
        }
        con = duckdb.connect(":memory:", config=config)
        try:
            con.execute(f"SET TimeZone = {literal(timezone)}")
            table = FlatTable(path, reading, timezone, con, mend_names=mend_names)
            if table.rows == 0:
                raise UnreadableTableError(path, "it has no rows; fill it first")
            yield table
        except UnreadableSourceError as error:
            raise UnreadableTableError(path, f"{str(error.__cause__).splitlines()[0]}; mend the file") from error
        except (duckdb.IOException, duckdb.InvalidInputException) as error:
            raise UnreadableTableError(path, f"{str(error).splitlines()[0]}; mend the file") from error
        finally:
            con.close()


def declared_names(found: Sequence[str], *, mend: bool) -> dict[str, str]:
    """Name in the file -> name in the declaration, in the order of the file; names that cannot be declared are
    missing, unless they are mended."""
    names = {name: name for name in found if _is_name(name)}
    taken = {name.casefold() for name in names} | {ORDINAL, HASH}
    for name in found if mend else ():
        if name not in names:
            stem = _mended(name)
            numbered = (f"{stem[: MAX_NAME - 5]}_{number}" for number in range(2, len(found) + 2))
            names[name] = next(new for new in (stem, *numbered) if new.casefold() not in taken)
            taken.add(names[name].casefold())
    return {name: names[name] for name in found if name in names}


def _is_name(name: str) -> bool:
    try:
        _NAME.validate_python(name)
    except ValidationError:
        return False
    return True


def _mended(name: str) -> str:
    words = re.sub(r"[^A-Za-z0-9_ ]+", "_", name).strip("_ ")[:MAX_NAME]
    return words if _is_name(words) else f"column_{words}"[:MAX_NAME].rstrip("_ ")
