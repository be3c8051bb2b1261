"""Readers: the same table through every kind of place lands the same; what cannot be read is named."""

import subprocess
import sys
from collections.abc import Callable
from datetime import date, datetime
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from ml_assets import errors
from ml_assets.ml.landing.window import land
from ml_assets.ml.windows import all_windows, window_of
from ml_assets.resources.readers import read_window, rows_in_no_window
from ml_assets.spec import Cadence, Csv, DuckDb, Parquet, Python
from ml_assets.spec.reading import Whole
from ml_assets_tests.resources.orders_table import APRIL, MONTHS, ORDERS, april, orders_source

RETAIL = Path(__file__).parents[2] / "ml_assets" / "defs" / "retail" / "data" / "online_retail_ii.parquet"
LOADER = """
import pandas as pd

def load(window):
    table = pd.read_parquet(r"{path}")
    local = table["placed_at"].dt.tz_localize("Europe/London")
    return table[(local >= window.start) & (local < window.end)]
"""


def _parquet(folder: Path) -> Parquet:
    pq.write_table(ORDERS, folder / "orders.parquet")
    return Parquet(kind="parquet", path="orders.parquet")


def _parquet_glob(folder: Path) -> Parquet:
    for row in range(ORDERS.num_rows):
        pq.write_table(ORDERS.slice(row, 1), folder / f"orders_{row}.parquet")
    return Parquet(kind="parquet", path="orders_*.parquet")


def _csv(folder: Path, encoding: str, delimiter: str = ",", form: str | None = None) -> Csv:
    frame = ORDERS.to_pandas()
    frame["id"] = frame["id"].astype("Int64")
    frame.to_csv(
        folder / "orders.csv", index=False, encoding=encoding, sep=delimiter, date_format=form or "%Y-%m-%d %H:%M:%S"
    )
    return Csv(kind="csv", path="orders.csv", encoding=encoding, delimiter=delimiter, timestamp_format=form)


def _duckdb(folder: Path) -> DuckDb:
    with duckdb.connect(str(folder / "shop.duckdb")) as con:
        con.register("given", ORDERS)
        con.execute("CREATE TABLE orders AS FROM given")
    return DuckDb(kind="duckdb", path="shop.duckdb", query="SELECT * FROM orders -- all\n;")


def _python(folder: Path) -> Python:
    pq.write_table(ORDERS, folder / "orders.parquet")
    (folder / "loaders.py").write_text(LOADER.format(path=folder / "orders.parquet"))
    return Python(kind="python", function="loaders.py:load")


PLACES: dict[str, Callable[[Path], object]] = {
    "parquet": _parquet,
    "a glob of parquet files": _parquet_glob,
    "csv": lambda folder: _csv(folder, "utf-8"),
    "csv in latin-1 with semicolons": lambda folder: _csv(folder, "latin-1", ";"),
    "csv in utf-16 with a time format": lambda folder: _csv(folder, "utf-16", "\t", "%d/%m/%Y %H:%M:%S"),
    "duckdb": _duckdb,
    "python": _python,
}


@pytest.mark.parametrize("place", PLACES.values(), ids=list(PLACES))
def test_a_window_reads_its_own_rows_wherever_they_are(place: Callable[[Path], object], tmp_path: Path) -> None:
    assert april(orders_source(place(tmp_path)), tmp_path).equals(APRIL)


@pytest.mark.parametrize("place", PLACES.values(), ids=list(PLACES))
def test_rows_that_no_window_reads_are_counted(place: Callable[[Path], object], tmp_path: Path) -> None:
    source = orders_source(place(tmp_path))
    counted = None if isinstance(source.read, Python) else 2  # one without a time, one a hundred years off
    assert rows_in_no_window(source, MONTHS, tmp_path) == counted


@pytest.mark.parametrize("place", PLACES.values(), ids=list(PLACES))
def test_the_windows_share_the_rows_out(place: Callable[[Path], object], tmp_path: Path) -> None:
    source = orders_source(place(tmp_path), cleaning={"empty_windows": True})
    read = [read_window(source, window, tmp_path, tmp_path).num_rows for window in all_windows(MONTHS)]
    assert read == [0, 0, 1, 2, 0, 0, 0, 0, 0, 0, 0, 0]


@pytest.mark.parametrize("place", [_parquet, lambda f: _csv(f, "utf-8"), _duckdb], ids=["parquet", "csv", "duckdb"])
def test_a_snapshot_is_read_whole_by_every_window(place: Callable[[Path], object], tmp_path: Path) -> None:
    source = orders_source(place(tmp_path), event_time=None)
    assert april(source, tmp_path).num_rows == ORDERS.num_rows
    assert rows_in_no_window(source, MONTHS, tmp_path) is None


def test_another_column_than_the_event_time_can_tell_the_window(tmp_path: Path) -> None:
    booked = pa.array([datetime(2020, 5, 1)] * 5, pa.timestamp("us", tz="UTC"))
    pq.write_table(ORDERS.append_column("booked_at", booked), tmp_path / "orders.parquet")
    source = orders_source({"kind": "parquet", "path": "orders.parquet", "time": "booked_at"}, event_time=None)
    windows = [window_of(MONTHS, key) for key in ("2020-04-01", "2020-05-01")]
    assert [read_window(source, window, tmp_path, tmp_path).num_rows for window in windows] == [0, 5]


def test_a_column_that_appears_half_way_is_empty_before(tmp_path: Path) -> None:
    pq.write_table(ORDERS.slice(0, 1).drop_columns(["note"]), tmp_path / "a.parquet")
    pq.write_table(ORDERS.slice(1), tmp_path / "b.parquet")
    source = orders_source({"kind": "parquet", "path": "*.parquet"})
    march = window_of(MONTHS, "2020-03-01")
    assert read_window(source, march, tmp_path, tmp_path).column("note").to_pylist() == [None]
    assert april(source, tmp_path).equals(APRIL)


def test_csv_files_may_have_their_columns_in_another_order_and_lack_some(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("note,id,placed_at\nfirst,1,2020-04-02\n")
    (tmp_path / "b.csv").write_text("id,placed_at,amount\n2,2020-04-03,7\n")
    source = orders_source(
        {"kind": "csv", "path": "*.csv"}, columns={"id": "int64", "placed_at": "timestamp", "note": "string"}
    )
    assert april(source, tmp_path).select(["id", "note"]).to_pylist() == [
        {"id": 1, "note": "first"},
        {"id": 2, "note": None},
    ]


def test_only_the_window_is_taken_out_of_a_million_rows() -> None:
    source = orders_source(
        {"kind": "parquet", "path": RETAIL.name, "time": "InvoiceDate"}, columns={"Invoice": "string"}, event_time=None
    )
    months = Cadence(kind="monthly", start=date(2009, 12, 1), end=date(2012, 1, 1), timezone="Europe/London")
    read = [read_window(source, window, RETAIL.parent, RETAIL).num_rows for window in all_windows(months)]
    assert (len(read), sum(read), min(read), max(read)) == (25, 1_067_371, 25_526, 84_711)
    assert rows_in_no_window(source, months, RETAIL.parent) == 0
    first_half = months.model_copy(update={"end": date(2010, 12, 1)})
    assert rows_in_no_window(source, first_half, RETAIL.parent) == sum(read[12:])


# What cannot be read


def _spoilt_csv(folder: Path, text: bytes) -> Csv:
    (folder / "orders.csv").write_bytes(text)
    return Csv(kind="csv", path="orders.csv")


def _write_database(folder: Path) -> DuckDb:
    (folder / "shop.duckdb").write_bytes(b"no database at all, whatever its name says")
    return DuckDb(kind="duckdb", path="shop.duckdb", query="SELECT 1")


@pytest.mark.parametrize(
    ("place", "error", "says"),
    [
        pytest.param(
            lambda f: _parquet(f) and Parquet(kind="parquet", path="order.parquet"),
            errors.MissingSourceFileError,
            r"'order.parquet' matches no file in .* \(there are orders.parquet\)",
            id="no such file",
        ),
        pytest.param(
            lambda f: Parquet(kind="parquet", path="data/*.parquet"),
            errors.MissingSourceFileError,
            r"'data/\*.parquet' matches no file .*it is empty or absent",
            id="a glob that matches nothing",
        ),
        pytest.param(
            lambda f: (
                (f / "orders.parquet").write_bytes(b"PAR1 cut off") and Parquet(kind="parquet", path="orders.parquet")
            ),
            errors.UnreadableSourceError,
            "'orders.parquet' cannot be read",
            id="a truncated parquet file",
        ),
        pytest.param(
            lambda f: _spoilt_csv(f, b"id,placed_at\n1,2020-04-01\n2\n"),
            errors.UnreadableSourceError,
            "Expected 2 columns, got 1",
            id="a line with too few values",
        ),
        pytest.param(
            lambda f: _spoilt_csv(f, "id,placed_at,note\n1,2020-04-01,Zoë\n".encode("latin-1")),
            errors.UnreadableSourceError,
            r"'orders.csv' \(utf-8\) cannot be read: .*invalid UTF8",
            id="another encoding",
        ),
        pytest.param(lambda f: _spoilt_csv(f, b""), errors.UnreadableSourceError, "Empty CSV", id="an empty text file"),
        pytest.param(_write_database, errors.UnreadableSourceError, "not a valid DuckDB", id="no database file"),
        pytest.param(
            lambda f: _duckdb(f).model_copy(update={"query": "SELECT * FROM order_lines"}),
            errors.UnreadableSourceError,
            "order_lines",
            id="a query on an unknown table",
        ),
        pytest.param(
            lambda f: _parquet(f).model_copy(update={"time": "place_at"}),
            errors.TimeColumnError,
            r"'place_at', which is not there \(perhaps 'placed_at' for 'place_at'\)",
            id="a time column that is not there",
        ),
        pytest.param(
            lambda f: _parquet(f).model_copy(update={"time": "amount"}),
            errors.TimeColumnError,
            "'amount', which is double and no time",
            id="a time column that holds no times",
        ),
        pytest.param(
            lambda f: _parquet(f).model_copy(update={"time": "note"}),
            errors.TimeColumnError,
            "'note', which is text: cast it where it comes from",
            id="a time column of text",
        ),
    ],
)
def test_what_cannot_be_read_is_named(
    place: Callable[[Path], Whole], error: type[Exception], says: str, tmp_path: Path
) -> None:
    with pytest.raises(error, match=says):
        april(orders_source(place(tmp_path)), tmp_path)


def test_a_window_without_rows_is_refused_unless_it_may_be_empty(tmp_path: Path) -> None:
    source = orders_source(_parquet(tmp_path))
    june = window_of(MONTHS, "2020-06-01")
    delivered = read_window(source, june, tmp_path, tmp_path)
    with pytest.raises(errors.EmptyDeliveryError, match=r"set `cleaning\.empty_windows`"):
        land(source, june, delivered, {})
    landed = land(orders_source(source.read, cleaning={"empty_windows": True}), june, delivered, {})
    assert landed.table.schema == APRIL.schema
    assert landed.table.num_rows == 0


def test_a_database_file_that_others_read_is_read_too_and_one_that_others_write_is_refused(tmp_path: Path) -> None:
    source = orders_source(_duckdb(tmp_path))
    text = (
        "import duckdb, sys; con = duckdb.connect(sys.argv[1], read_only=sys.argv[2] == 'r'); print(); sys.stdin.read()"
    )
    for how in ("r", "w"):
        other = subprocess.Popen(
            [sys.executable, "-c", text, str(tmp_path / "shop.duckdb"), how],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        with other:
            assert other.stdout is not None
            other.stdout.readline()  # it is open there
            if how == "r":
                assert april(source, tmp_path).equals(APRIL)
            else:
                with pytest.raises(errors.UnreadableSourceError, match="lock"):
                    april(source, tmp_path)


def test_whole_numbers_in_a_frame_with_gaps_are_integers_and_halves_are_not(tmp_path: Path) -> None:
    text = "import pandas as pd\ndef load(window):\n    return pd.DataFrame({'id': [1.0, None, %s]})\n"
    source = orders_source({"kind": "python", "function": "f.py:load"}, columns={"id": "int64"}, event_time=None)
    (tmp_path / "f.py").write_text(text % "3.0")
    assert april(source, tmp_path).column("id").to_pylist() == [1, 3, None]
    (tmp_path / "f.py").write_text(text % "3.5")
    with pytest.raises(errors.ChangedTypeError, match="'id' is double, declared as int64"):
        april(source, tmp_path)
