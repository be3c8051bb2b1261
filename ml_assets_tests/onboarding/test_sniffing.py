"""A file is recognised by what is in it, and refused with a remedy where it is no table."""

from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from ml_assets.errors import UnreadableTableError
from ml_assets.onboarding.profile import profile
from ml_assets.onboarding.sniffing import sniff
from ml_assets_tests.onboarding.tables import opened

FRAME = pd.DataFrame({"name": ["Zoë", "Jürgen", "Ann"], "amount": [1.5, 2.0, 3.25], "note": ["a;b", 'say "x"', "c,d"]})


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"], ids=["comma", "semicolon", "tab", "bar"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "latin-1", "utf-16"])
def test_delimiter_and_encoding_are_found_and_read_back(tmp_path: Path, delimiter: str, encoding: str) -> None:
    path = tmp_path / "table.csv"
    FRAME.to_csv(path, index=False, sep=delimiter, encoding=encoding)
    reading = sniff(path)
    assert (reading.delimiter, reading.encoding) == (delimiter, encoding.removesuffix("-sig"))
    with opened(path) as table:
        assert table.all('SELECT name, note FROM raw ORDER BY "__row"') == list(
            FRAME[["name", "note"]].itertuples(index=False, name=None)
        )


def test_a_letter_of_latin_1_far_down_is_seen(tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    path.write_bytes(b"id,name\n" + b"1,Ann\n" * 300_000 + "2,Zoë\n".encode("latin-1"))
    assert sniff(path).encoding == "latin-1"


def test_parquet_is_known_by_its_content_and_not_by_its_name(tmp_path: Path) -> None:
    path = tmp_path / "table.data"
    FRAME.to_parquet(path)
    assert sniff(path).kind == "parquet"


def _write(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("table.csv", b"1,2,3\n4,5,6\n7,8,9\n", "no header line"),
        ("table.csv", b",id,amount\n0,2,3\n1,5,6\n", "without a name"),
        ("table.csv", b"A report\nof two lines\nid,amount\n1,2\n3,4\n5,6\n", "first 2 lines"),
        ("table.csv", b"id,Amount,amount\n1,2,3\n4,5,6\n", "Amount, amount apart"),
        ("table.xlsx", b"PK\x03\x04", "neither parquet nor"),
        ("table.parquet", b"PAR1 and then nothing", "truncated"),
        ("tables*.csv", b"id,amount\n1,2\n", "stand for patterns"),
    ],
    ids=["no header", "index of pandas", "title above", "twins", "excel", "truncated parquet", "pattern in name"],
)
def test_what_is_no_table_is_refused_with_its_reason(tmp_path: Path, name: str, content: bytes, reason: str) -> None:
    with pytest.raises(UnreadableTableError, match=reason):
        sniff(_write(tmp_path / name, content))


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UnreadableTableError, match="no such file"):
        sniff(tmp_path / "absent.parquet")


def test_a_table_without_rows_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "empty.parquet"
    pq.write_table(pa.table({"day": pa.array([], pa.timestamp("us")), "x": pa.array([], pa.float64())}), path)
    with pytest.raises(UnreadableTableError, match="no rows"), opened(path):
        pass


@pytest.mark.parametrize(
    ("content", "reason"),
    [(b"", "Empty CSV file"), (b"id,day\n", "no rows"), (b"1st column,2nd!\na,b\n", "none of its columns")],
    ids=["empty", "only a header", "no name"],
)
def test_a_file_without_a_table_in_it_is_refused(tmp_path: Path, content: bytes, reason: str) -> None:
    path = _write(tmp_path / "table.csv", content)
    with pytest.raises(UnreadableTableError, match=reason), opened(path) as table:
        profile(table)


def test_lines_with_too_many_values_far_down_are_an_error_and_not_skipped(tmp_path: Path) -> None:
    path = _write(tmp_path / "table.csv", b"id,day\n" + b"1,2024-01-01\n" * 50_000 + b"1,2,3\n")
    with pytest.raises(UnreadableTableError, match="Expected 2 columns, got 3"), opened(path):
        pass


def test_a_header_of_words_over_columns_of_words_is_a_header(tmp_path: Path) -> None:
    assert sniff(_write(tmp_path / "table.csv", b"name,city\nBob,Rome\nAnn,Paris\n")).kind == "csv"
