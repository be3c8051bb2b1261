"""Summaries of tables: the same from files, arrow and pandas; kept as JSON; merged from days to months."""

import json
from decimal import Decimal
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from ml_assets.errors import DriftColumnsError, FeatureTypeError, SummariesDifferError, SummaryFormatError
from ml_assets.ml.monitoring.preflight import summarise_frame
from ml_assets.ml.monitoring.summaries import (
    CategorySummary,
    NumberSummary,
    TableSummary,
    merge,
    reading,
    summarise_files,
    summarise_table,
)
from ml_assets.spec import FeatureType

TYPES: dict[str, FeatureType] = {"wind": "float", "seats": "int", "carrier": "string", "code": "string", "late": "int"}


def rows(seed: int, n: int = 6000) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    return pd.DataFrame(
        {
            "wind": np.where(rng.random(n) < 0.1, np.nan, rng.normal(10, 4, n)),
            "seats": rng.integers(50, 300, n),
            "carrier": pd.Series(rng.choice(["AA", "B6", None], n), dtype=object),
            "code": np.where(rng.random(n) < 0.1, np.nan, rng.integers(0, 4, n)),
            "late": rng.random(n) < 0.3,
            "unused": "x",
        }
    )


def files(folder: Path, frames: list[pd.DataFrame]) -> list[Path]:
    paths = [folder / f"{position}.parquet" for position in range(len(frames))]
    for path, frame in zip(paths, frames, strict=True):
        pq.write_table(pa.Table.from_pandas(frame, preserve_index=False), path, row_group_size=1000)
    return paths


def test_files_arrow_and_pandas_give_the_same_bytes(tmp_path: Path) -> None:
    frames = [rows(0), rows(1, 100)]
    paths, frame = files(tmp_path, frames), pd.concat(frames, ignore_index=True)
    expected = summarise_frame(frame, TYPES).to_json()
    assert summarise_files(paths, TYPES).to_json() == expected
    assert summarise_files(paths, TYPES, threads=1).to_json() == expected
    assert summarise_table(pa.Table.from_pandas(frame), TYPES).to_json() == expected


def test_rows_read_in_several_parts_give_the_same_within_the_bound(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    frame = rows(0, 40_000)
    paths = files(tmp_path, [frame])
    whole = summarise_files(paths, TYPES)
    monkeypatch.setattr(reading, "_VALUES_AT_ONCE", 7000)
    parts = summarise_files(paths, TYPES)
    for name in ("seats", "late", "carrier", "code"):
        assert json.dumps(parts.columns[name].as_plain()["counts"]) == json.dumps(
            whole.columns[name].as_plain()["counts"]
        )
    wind = parts.columns["wind"]
    assert isinstance(wind, NumberSummary)
    assert (wind.rows, wind.missing) == (40_000, int(frame["wind"].isna().sum()))
    assert 0 < wind.points.error < 0.002 * wind.std


def test_a_summary_survives_json() -> None:
    summary = summarise_frame(rows(0), TYPES)
    again = TableSummary.from_json(summary.to_json())
    assert again.to_json() == summary.to_json()
    assert again.rows == 6000
    assert {name: type(column) for name, column in again.columns.items()} == {
        "wind": NumberSummary,
        "seats": NumberSummary,
        "carrier": CategorySummary,
        "code": CategorySummary,
        "late": NumberSummary,
    }


def test_too_many_categories_survive_json() -> None:
    names = pd.DataFrame({"carrier": [f"n{number}" for number in range(9000)]})
    summary = summarise_frame(names, {"carrier": "string"})
    again = TableSummary.from_json(summary.to_json()).columns["carrier"]
    assert isinstance(again, CategorySummary)
    assert again.rest.sum() + sum(again.counts.values()) == 9000


def test_days_merge_to_what_their_rows_together_give() -> None:
    days = [rows(seed) for seed in range(5)]
    merged = merge([summarise_frame(day, TYPES) for day in days])
    whole = summarise_frame(pd.concat(days, ignore_index=True), TYPES)
    assert merged.rows == whole.rows == 30_000
    for name in ("carrier", "code"):
        assert merged.columns[name].as_plain() == whole.columns[name].as_plain()
    for name in ("seats", "late"):
        assert merged.columns[name].as_plain()["counts"] == whole.columns[name].as_plain()["counts"]


def test_no_files_are_no_rows() -> None:
    empty = summarise_files([], TYPES)
    assert empty.rows == 0
    assert {column.rows for column in empty.columns.values()} == {0}


def test_odd_types_are_numbers_and_texts(tmp_path: Path) -> None:
    table = pa.table(
        {
            "wind": pa.array([Decimal("1.5"), None]),
            "seats": pa.array([1, None], pa.int8()),
            "late": pa.nulls(2),
            "carrier": pa.array(["AA", None]).dictionary_encode(),
            "code": pa.array([True, None]),
        }
    )
    found = summarise_table(table, TYPES).columns
    assert [found[name].values for name in TYPES] == [1, 1, 1, 1, 0]
    assert isinstance(found["code"], CategorySummary)
    assert list(found["code"].counts) == ["True"]


def test_a_lost_column_is_named(tmp_path: Path) -> None:
    paths = files(tmp_path, [rows(0, 10), rows(1, 10).drop(columns="wind")])
    with pytest.raises(DriftColumnsError, match="The reference rows lack wind"):
        summarise_files(paths, TYPES, side="reference")
    with pytest.raises(DriftColumnsError, match="window rows lack wind"):
        summarise_table(pa.Table.from_pandas(rows(1, 10).drop(columns="wind")), TYPES)


@pytest.mark.parametrize(
    ("column", "values"),
    [
        ("wind", pa.array(["calm"])),
        ("wind", pa.array([0], pa.timestamp("us"))),
        ("carrier", pa.array([["AA"]])),
    ],
    ids=["text in a number", "a time in a number", "a list in a text"],
)
def test_a_wrong_type_is_named(column: str, values: pa.Array) -> None:
    with pytest.raises(FeatureTypeError, match=column):
        summarise_table(pa.table({column: values}), {column: TYPES[column]})


def test_summaries_of_other_columns_are_not_merged() -> None:
    number, text = summarise_frame(rows(0), {"code": "float"}), summarise_frame(rows(0), {"code": "string"})
    for other in (text, summarise_frame(rows(0), {"seats": "int", "code": "float"})):
        with pytest.raises(SummariesDifferError, match=r"code|seats"):
            merge([number, other])


@pytest.mark.parametrize("text", [b"", b"[]", b"{}", b'{"format": 99}'], ids=["empty", "a list", "no format", "newer"])
def test_another_format_is_refused(text: bytes) -> None:
    with pytest.raises(SummaryFormatError, match="1 is needed"):
        TableSummary.from_json(text)
