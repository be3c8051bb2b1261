"""How a file is read: parquet or delimited text, with its delimiter and encoding.

What is in it is not looked at here.
"""

import codecs
import csv
import re
import tempfile
from collections import Counter
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from ml_assets.errors import UnreadableTableError
from ml_assets.spec import Csv, Parquet

GLOB_SIGNS = "*?["
"""A reader would take a path with one of them for several files."""
PARQUET_MAGIC = b"PAR1"
TEXT_SUFFIXES = (".csv", ".tsv", ".txt")
_NUMBER = re.compile(r"[+-]?[0-9]+([.,][0-9]+)?")
_CHUNK_BYTES = 1 << 20
_SNIFFED_CHARACTERS = 1 << 18
_BYTE_ORDER_MARK = "\ufeff"
_QUOTES = ('"', "", "(empty)")


def sniff(path: Path) -> Parquet | Csv:
    """How the file is read; its path as given.

    Raises:
        UnreadableTableError: It is not there, no table, or has no header line.
    """
    if any(sign in str(path) for sign in GLOB_SIGNS):
        raise UnreadableTableError(
            path, f"its path has one of {' '.join(GLOB_SIGNS)}, which stand for patterns; rename it"
        )
    if not path.is_file():
        raise UnreadableTableError(path, "there is no such file; check `--from`")
    with path.open("rb") as file:
        start = file.read(len(PARQUET_MAGIC))
    if start == PARQUET_MAGIC:
        try:
            _refuse_twins(path, pq.read_schema(path).names)
        except (pa.ArrowInvalid, OSError) as error:
            raise UnreadableTableError(path, f"it is truncated or no parquet ({str(error).splitlines()[0]})") from error
        return Parquet(kind="parquet", path=str(path))
    if path.suffix.lower() not in TEXT_SUFFIXES:
        raise UnreadableTableError(path, "it is neither parquet nor *.csv, *.tsv or *.txt; save it as one of them")
    return _sniff_text(path)


def _sniff_text(path: Path) -> Csv:
    encoding = _encoding(path)
    with path.open(encoding=encoding, newline="") as file:
        start = file.read(_SNIFFED_CHARACTERS)
    delimiter, quote, skipped = _dialect(path, start)
    if skipped:
        reason = f"its first {skipped} lines have more or fewer values than the rest; drop what is above the header"
        raise UnreadableTableError(path, reason)
    if quote not in _QUOTES:
        raise UnreadableTableError(path, f"its values are quoted with {quote}; quote them with double quotes")
    names = next(csv.reader(start.removeprefix(_BYTE_ORDER_MARK).splitlines(), delimiter=delimiter), [])
    # A sniffer cannot tell a header over columns of text; but numbers are no names.
    if any(_NUMBER.fullmatch(name.strip()) for name in names):
        raise UnreadableTableError(path, "it has no header line; write the columns' names into its first line")
    if not all(name.strip() for name in names):
        raise UnreadableTableError(path, "its first line leaves a column without a name; give it one, or drop it")
    _refuse_twins(path, names)
    return Csv.model_validate({"kind": "csv", "path": str(path), "delimiter": delimiter, "encoding": encoding})


def _dialect(path: Path, start: str) -> tuple[str, str, int]:
    """Delimiter, quote and lines above the header, of the text's whole lines, whatever its encoding."""
    whole = start if len(start) < _SNIFFED_CHARACTERS else start[: start.rfind("\n") + 1]
    con = duckdb.connect(":memory:", config={"autoinstall_known_extensions": "false"})
    with tempfile.TemporaryDirectory(prefix="ml_assets_new_") as folder:
        sample = Path(folder, "sample.csv")
        sample.write_text(whole, encoding="utf-8", newline="")
        try:
            sql = "SELECT Delimiter, Quote, SkipRows FROM sniff_csv(?, all_varchar = true)"
            found = con.execute(sql, [str(sample)]).fetchone()
        except duckdb.Error as error:
            raise UnreadableTableError(path, "no delimiter cuts its lines into as many values each") from error
        finally:
            con.close()
    return found or (",", '"', 0)


def _encoding(path: Path) -> str:
    """utf-8 if the whole file is; utf-16 by its byte order mark; latin-1, which any bytes are, else."""
    with path.open("rb") as file:
        if file.read(2) in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE):
            return "utf-16"
        file.seek(0)
        decoder = codecs.getincrementaldecoder("utf-8")()
        try:
            while chunk := file.read(_CHUNK_BYTES):
                decoder.decode(chunk)
            decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            return "latin-1"
    return "utf-8"


def _refuse_twins(path: Path, names: list[str]) -> None:
    counted = Counter(name.casefold() for name in names)
    if twins := [name for name in names if counted[name.casefold()] > 1]:
        raise UnreadableTableError(path, f"SQL cannot tell its columns {', '.join(twins)} apart; rename one")
