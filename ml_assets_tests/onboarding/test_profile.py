"""Types, gaps and dirt of columns, planted one by one."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from ml_assets_tests.onboarding.tables import profiled, to_csv, to_parquet

N = 200


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([str(n) for n in range(N)], "int64"),
        ([f" {n} " for n in range(N)], "int64"),
        ([f"{n}.5" for n in range(N)], "float64"),
        (["1", "2", "2.5", "3"] * (N // 4), "float64"),
        ([f"{n:05d}" for n in range(N)], "string"),
        ([str(10**18 + n) for n in range(N)], "string"),
        (["true", "false"] * (N // 2), "bool"),
        (["yes", "No"] * (N // 2), "bool"),
        (["2024-03-01", "2024-03-31 02:30:00"] * (N // 2), "timestamp"),
        (["2024-03-31T01:30:00+01:00", "2024-03-31T01:30:00Z"] * (N // 2), "timestamp"),
        (["red", "blue"] * (N // 2), "string"),
        ([None] * N, "string"),
    ],
    ids=[
        "integers",
        "blanks",
        "decimals",
        "fractions",
        "zeros",
        "digits",
        "truths",
        "answers",
        "times",
        "offsets",
        "words",
        "empty",
    ],
)
def test_text_is_taken_for_what_it_says(tmp_path: Path, values: list[str | None], expected: str) -> None:
    frame = pd.DataFrame({"x": pd.Series(values, dtype="string"), "y": 1})
    assert profiled(to_parquet(frame, tmp_path)).columns["x"].type == expected


@pytest.mark.parametrize(("bad", "expected"), [(4, "int64"), (16, "string")], ids=["2 percent", "8 percent"])
def test_a_few_unparsable_texts_are_dirt_and_many_are_words(tmp_path: Path, bad: int, expected: str) -> None:
    frame = pd.DataFrame({"amount": ["oops"] * bad + [str(n) for n in range(N - bad)]})
    column = profiled(to_parquet(frame, tmp_path)).columns["amount"]
    assert (column.type, column.unparsable, column.nulls) == (
        expected,
        *((bad, bad) if expected == "int64" else (0, 0)),
    )


def test_identifiers_stored_as_text_stay_text(tmp_path: Path) -> None:
    frame = pd.DataFrame({"customer_id": [str(n) for n in range(N)], "Invoice": ["C1", *map(str, range(N - 1))]})
    columns = profiled(to_parquet(frame, tmp_path)).columns
    assert [columns[name].type for name in frame] == ["string", "string"]


@pytest.mark.parametrize(
    ("form", "doubtful"),
    [("%d/%m/%Y %H:%M", False), ("%m/%d/%Y", False), ("%d.%m.%Y", False), ("%m/%d/%Y %I:%M %p", False)],
)
def test_the_format_of_times_in_text_is_found(tmp_path: Path, form: str, doubtful: bool) -> None:
    days = pd.date_range("2024-01-01 10:30", periods=N, freq="D")
    column = profiled(to_csv(pd.DataFrame({"when": days.strftime(form), "x": 1}), tmp_path)).columns["when"]
    assert (column.type, column.time_format, column.doubtful_format) == ("timestamp", form, doubtful)


def test_days_and_months_that_could_be_swapped_are_doubtful(tmp_path: Path) -> None:
    days = pd.to_datetime([f"2024-{month:02d}-{day:02d}" for month in range(1, 13) for day in range(1, 13)])
    frame = pd.DataFrame({"when": days.strftime("%d/%m/%Y"), "x": 1})
    assert profiled(to_csv(frame, tmp_path)).columns["when"].doubtful_format
    told = profiled(to_csv(frame, tmp_path), time_format="%m/%d/%Y").columns["when"]
    assert (told.time_format, told.doubtful_format) == ("%m/%d/%Y", False)


def test_texts_that_mean_no_value_are_nulls_and_not_dirt(tmp_path: Path) -> None:
    frame = pd.DataFrame({"a": [*map(str, range(N - 30)), *["n/a"] * 10, *["NULL"] * 10, *["-"] * 10]})
    column = profiled(to_csv(frame.assign(b=1), tmp_path)).columns["a"]
    assert (column.type, column.nulls, column.unparsable) == ("int64", 30, 0)


def test_infinities_and_nan_are_counted_apart_and_kept_out_of_the_range(tmp_path: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    values = [*np.linspace(0, 10, N - 5), np.inf, -np.inf, np.inf, np.nan, None]
    pq.write_table(pa.table({"x": pa.array(values, pa.float64(), from_pandas=False)}), tmp_path / "t.parquet")
    column = profiled(tmp_path / "t.parquet").columns["x"]
    assert (column.infinite, column.nulls, column.low, column.high) == (3, 2, 0.0, 10.0)


def test_distinct_values_are_exact_where_they_are_few_and_where_all_differ(tmp_path: Path) -> None:
    n = 50_000
    frame = pd.DataFrame({"few": np.arange(n) % 150, "all": np.arange(n), "nearly": np.r_[0, np.arange(n - 1)]})
    columns = profiled(to_parquet(frame, tmp_path)).columns
    assert [columns[name].distinct for name in frame] == [150, n, n - 1]
    assert columns["few"].values[3] == len(frame[frame["few"] == 3])
    assert columns["all"].unique
    assert not columns["nearly"].unique


def test_columns_that_no_declaration_can_hold_are_told_apart(tmp_path: Path) -> None:
    frame = pd.DataFrame({"a/b": [1, 2], "ok": [1, 2], "list": [[1], [2]], "out": [1, 2]})
    found = profiled(to_parquet(frame, tmp_path), exclude=frozenset({"out"}))
    assert list(found.columns) == ["ok"]
    assert set(found.unfit) == {"a/b", "list", "out"}


@pytest.mark.parametrize("kind", ["date32", "decimal", "dictionary", "nanoseconds", "uint8"])
def test_types_of_other_tools_find_their_declared_type(tmp_path: Path, kind: str) -> None:
    import datetime
    import decimal

    import pyarrow as pa
    import pyarrow.parquet as pq

    arrays = {
        "date32": (pa.array([datetime.date(2024, 1, 1)] * 3), "timestamp"),
        "decimal": (pa.array([decimal.Decimal("1.50")] * 3), "float64"),
        "dictionary": (pa.array(["a", "b", "a"]).dictionary_encode(), "string"),
        "nanoseconds": (pa.array([1, 2, 3], pa.timestamp("ns")), "timestamp"),
        "uint8": (pa.array([1, 2, 3], pa.uint8()), "int64"),
    }
    array, expected = arrays[kind]
    pq.write_table(pa.table({"x": array}), tmp_path / "t.parquet")
    assert profiled(tmp_path / "t.parquet").columns["x"].type == expected
