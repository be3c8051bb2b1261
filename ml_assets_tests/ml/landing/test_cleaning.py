"""Dirt: each kind is refused by name where nothing is tolerated, counted where it is, and never passes unseen."""

from collections.abc import Mapping
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from ml_assets import errors
from ml_assets.components.declaration import read_feature_set
from ml_assets.ml.landing.findings import Landed
from ml_assets.ml.landing.window import land
from ml_assets.ml.windows import Window, window_of
from ml_assets.spec import Cadence, Source

RETAIL = Path(__file__).parents[3] / "ml_assets" / "defs" / "retail"
MONTHS = Cadence(kind="monthly", start=date(2020, 1, 1), timezone="Europe/London")
OCTOBER = window_of(MONTHS, "2020-10-01")
MARCH = window_of(MONTHS, "2020-03-01")
NOON = datetime(2020, 10, 5, 12, tzinfo=UTC)
COLUMNS = {"id": "int64", "at": "timestamp", "price": "float64", "code": "string", "paid": "bool"}


def _source(cleaning: Mapping[str, Any] | None = None, **changes: object) -> Source:
    given = {"name": "lines", "columns": COLUMNS, "key": ["id"], "event_time": "at", "timezone": "Europe/London"}
    return Source.model_validate(given | {"cleaning": cleaning or {}} | changes)


def _table(rows: int = 10, **columns: list) -> pa.Table:
    """Clean rows, in which some columns (of at most that many values) are replaced from the top."""
    table = {
        "id": list(range(rows)),
        "at": [NOON] * rows,
        "price": [1.5] * rows,
        "code": [f"c{row}" for row in range(rows)],
        "paid": [True] * rows,
    }
    for name, values in columns.items():
        table[name] = [*values, *table.get(name, [None] * rows)[len(values) :]]
    return pa.table(table)


def _land(source: Source, table: pa.Table, window: Window = OCTOBER) -> Landed:
    return land(source, window, table, {})


def _as_text(table: pa.Table) -> pa.Table:
    return pa.table(
        {name: [None if v is None else str(v) for v in table.column(name).to_pylist()] for name in table.column_names}
    )


def _twice(table: pa.Table, rows: int) -> pa.Table:
    return pa.concat_tables([table, table.slice(0, rows)])


LATE = datetime(2119, 10, 5, tzinfo=UTC)
DIRT = {
    "exact duplicates": (
        {"exact_duplicates": 0.2},
        lambda n: _twice(_table(10 - n), n),
        "dropped_exact_duplicates",
        errors.DuplicateRowsError,
        "id=0, at=2020-10-05 12:00:00",
    ),
    "missing keys": (
        {"null_keys": 0.2},
        lambda n: _table(id=[None] * n),
        "dropped_null_keys",
        errors.ToleranceError,
        "id=None, at=2020-10-05",
    ),
    "rows years off": (
        {"outside_window": 0.2},
        lambda n: _table(at=[LATE] * n),
        "dropped_outside_window",
        errors.OutsideWindowError,
        "2119-10-05",
    ),
    "rows without a time": (
        {"outside_window": 0.2},
        lambda n: _table(at=[None] * n),
        "dropped_outside_window",
        errors.OutsideWindowError,
        "no time|without a time",
    ),
    "infinite values": (
        {"infinite": 0.2},
        lambda n: _table(price=[float("-inf")] * n),
        "emptied_infinite",
        errors.ToleranceError,
        "-inf",
    ),
    "numbers that are none": (
        {"unparsable": 0.2, "text_numbers": True},
        lambda n: _as_text(_table()).set_column(2, "price", pa.array(["n/a"] * n + ["1.5"] * (10 - n))),
        "emptied_unparsable",
        errors.ToleranceError,
        "'n/a'",
    ),
    "times that are none": (
        {"unparsable": 0.2, "outside_window": 1, "text_numbers": True},
        lambda n: _as_text(_table()).set_column(1, "at", pa.array(["32 Oct"] * n + ["2020-10-05"] * (10 - n))),
        "emptied_unparsable",
        errors.ToleranceError,
        "'32 Oct'",
    ),
    "a declared reason": (
        {"drop": {"test_rows": {"where": "code = 'test'", "max_share": 0.2}}},
        lambda n: _table(code=["test"] * n),
        "dropped_test_rows",
        errors.ToleranceError,
        "id=0, at=2020-10-05",
    ),
}


@pytest.mark.parametrize(("cleaning", "dirty", "metric", "_error", "example"), DIRT.values(), ids=list(DIRT))
def test_tolerated_dirt_is_counted_with_an_example(
    cleaning: dict, dirty: Any, metric: str, _error: type[Exception], example: str
) -> None:
    landed = _land(_source(cleaning), dirty(2))
    assert landed.delivered_rows == 10
    assert landed.counts()[metric] == 2
    [finding] = [each for each in landed.findings if each.metric == metric and each.count]
    assert finding.share == 0.2
    assert any(part in finding.example for part in example.split("|"))
    gone = 2 if metric.startswith("dropped") or "outside_window" in cleaning else 0
    assert landed.table.num_rows == 10 - gone


@pytest.mark.parametrize(("cleaning", "dirty", "metric", "_error", "example"), DIRT.values(), ids=list(DIRT))
def test_one_row_more_than_tolerated_refuses_the_window(
    cleaning: dict, dirty: Any, metric: str, _error: type[Exception], example: str
) -> None:
    with pytest.raises(
        errors.ToleranceError, match=r"window 2020-10-01: .*3 of 10 \(30.000%; tolerated 20.000%\)"
    ) as caught:
        _land(_source(cleaning), dirty(3))
    assert "lines" in str(caught.value)
    assert any(part in str(caught.value) for part in example.split("|"))
    assert "raise `cleaning." in str(caught.value)


@pytest.mark.parametrize(("cleaning", "dirty", "_metric", "error", "_example"), DIRT.values(), ids=list(DIRT))
def test_where_nothing_is_tolerated_the_first_one_refuses(
    cleaning: dict, dirty: Any, _metric: str, error: type[Exception], _example: str
) -> None:
    strict = {"text_numbers": cleaning.get("text_numbers", False)}
    if "drop" in cleaning:
        strict["drop"] = {"test_rows": {"where": "code = 'test'", "max_share": 0}}
    with pytest.raises(error):
        _land(_source(strict), dirty(1))


@pytest.mark.parametrize("table", [_table(), _as_text(_table())], ids=["typed", "text"])
def test_clean_rows_land_as_they_are(table: pa.Table) -> None:
    landed = _land(_source({"text_numbers": True}), table)
    assert landed.table.equals(_table().cast(landed.table.schema))
    assert landed.markdown() == "Nothing was dropped or mended."
    assert sum(landed.counts().values()) == 0


def test_the_landed_schema_is_the_declared_one_whatever_came() -> None:
    nothing = pa.table({name: pa.nulls(3) for name in COLUMNS}).set_column(0, "id", pa.array([1, 2, 3], pa.int8()))
    landed = _land(_source(event_time=None), nothing)
    assert landed.table.schema == _land(_source(), _table()).table.schema
    assert [column.null_count for column in landed.table.columns] == [0, 3, 3, 3, 3]
    empty = _land(_source({"empty_windows": True}), _table(0))
    assert (empty.table.schema, empty.table.num_rows) == (landed.table.schema, 0)
    assert "dropped_null_keys" not in empty.counts()


def test_a_column_that_is_absent_in_some_windows_lands_empty_and_is_counted() -> None:
    source = _source({"optional_columns": ["paid"]})
    without = _land(source, _table().drop_columns(["paid"]))
    assert without.table.schema == _land(source, _table()).table.schema
    assert without.counts()["absent_columns"] == 10
    assert _land(source, _table()).counts()["absent_columns"] == 0


def test_a_missing_column_is_named_with_the_nearest_one() -> None:
    with pytest.raises(errors.MissingColumnError, match=r"column\(s\) paid missing; .* \(perhaps 'Paid' for 'paid'\)"):
        _land(_source(), _table().rename_columns(["id", "at", "price", "code", "Paid"]))


def test_columns_that_sql_cannot_tell_apart_are_refused() -> None:
    with pytest.raises(errors.AmbiguousColumnError, match="price, Price cannot be told apart"):
        _land(_source(), _table().append_column("Price", pa.array([1.0] * 10)))


def test_text_is_a_changed_type_unless_it_may_be_parsed() -> None:
    with pytest.raises(errors.ChangedTypeError, match=r"'id' is string, declared as int64.*`cleaning\.text_numbers`"):
        _land(_source(), _as_text(_table()))


def test_integers_stored_as_text_land_as_integers() -> None:
    table = _table(4).set_column(0, "id", pa.array(["1234", " 7 ", "1e3", "1.0"]))
    landed = _land(_source({"text_numbers": True}), table)
    assert sorted(landed.table.column("id").to_pylist()) == [1, 7, 1000, 1234]


# Clocks


def test_times_with_mixed_offsets_become_instants() -> None:
    texts = ["2020-03-29T01:30:00+01:00", "2020-03-29T00:30:00Z", "2020-03-28T20:30:00-0400", "2020-03-29T00:30:00"]
    table = _as_text(_table(4)).set_column(1, "at", pa.array(texts))
    landed = _land(_source({"text_numbers": True}), table, MARCH)
    assert set(landed.table.column("at").to_pylist()) == {datetime(2020, 3, 29, 0, 30, tzinfo=UTC)}


@pytest.mark.parametrize("text", [False, True], ids=["timestamps", "text"])
@pytest.mark.parametrize(
    ("window", "clock", "metric", "instant"),
    [
        pytest.param(
            OCTOBER,
            datetime(2020, 10, 25, 1, 30),
            "ambiguous_times",
            datetime(2020, 10, 25, 0, 30, tzinfo=UTC),
            id="autumn",
        ),
        pytest.param(
            MARCH,
            datetime(2020, 3, 29, 1, 30),
            "nonexistent_times",
            datetime(2020, 3, 29, 1, 30, tzinfo=UTC),
            id="spring",
        ),
    ],
)
def test_odd_hours_of_the_clock_are_counted(
    window: Window, clock: datetime, metric: str, instant: datetime, text: bool
) -> None:
    clocks = pa.array([clock, clock.replace(day=10), clock.replace(hour=3)], pa.timestamp("us"))
    table = _table(3).set_column(1, "at", clocks.cast(pa.string()) if text else clocks)
    landed = _land(_source({"text_numbers": text}), table, window)
    assert {name: count for name, count in landed.counts().items() if count} == {metric: 1}
    assert instant in landed.table.column("at").to_pylist()
    assert f"{clock}" in landed.markdown()


def test_no_hour_is_odd_by_the_clock_of_utc() -> None:
    clocks = pa.array([datetime(2020, 10, 25, 1, 30)] * 3, pa.timestamp("us"))
    landed = _land(_source(timezone="UTC"), _table(3).set_column(1, "at", clocks))
    assert "ambiguous_times" not in landed.counts()


def test_a_window_begins_at_local_midnight() -> None:
    clocks = [
        datetime(2020, 9, 30, 23, 59),
        datetime(2020, 10, 1),
        datetime(2020, 10, 31, 23, 59),
        datetime(2020, 11, 1),
    ]
    table = _table(4).set_column(1, "at", pa.array(clocks, pa.timestamp("us")))
    assert _land(_source({"outside_window": 0.5}), table).table.column("id").to_pylist() == [1, 2]


# Reasons


def test_a_row_counts_for_the_first_reason_that_fits() -> None:
    drop = {"free": {"where": "price = 0"}, "returned": {"where": "code LIKE 'R%'"}}
    table = _table(price=[0, 0], code=["R1", "x", "R2"])
    assert _land(_source({"drop": drop}), table).counts() == {"dropped_free": 2, "dropped_returned": 1}
    other_way = _land(_source({"drop": dict(reversed(drop.items()))}), table).counts()
    assert (other_way["dropped_returned"], other_way["dropped_free"]) == (2, 1)


def test_a_reason_may_look_at_what_is_not_declared_and_at_parsed_values() -> None:
    table = _as_text(_table(price=[0, 0.5])).append_column("branch", pa.array(["test"] * 3 + ["main"] * 7))
    drop = {"cheap": {"where": "price < 1"}, "test_branch": {"where": "branch = 'test' -- not ours"}}
    landed = _land(_source({"drop": drop, "text_numbers": True}), table)
    assert (landed.counts()["dropped_cheap"], landed.counts()["dropped_test_branch"]) == (2, 1)
    assert landed.table.column_names == list(COLUMNS)


def test_what_a_reason_drops_is_no_other_dirt() -> None:
    dirty = _as_text(_table()).set_column(2, "price", pa.array(["total"] + ["1"] * 9))
    dirty = _twice(dirty.set_column(3, "code", pa.array(["TOTAL"] + ["x"] * 9)), 1)
    landed = _land(_source({"text_numbers": True, "drop": {"footers": {"where": "code = 'TOTAL'"}}}), dirty)
    assert (landed.counts()["dropped_footers"], landed.table.num_rows) == (2, 9)


def test_a_condition_without_an_answer_drops_nothing() -> None:
    landed = _land(_source({"drop": {"cheap": {"where": "price < 1"}}}), _table(price=[None, 0]))
    assert landed.counts()["dropped_cheap"] == 1


@pytest.mark.parametrize("where", ["prise < 1", "price <", "price = 'free'"])
def test_a_condition_that_does_not_run_is_named(where: str) -> None:
    drop = {"good": {"where": "price < 0"}, "bad": {"where": where}}
    with pytest.raises(errors.QueryError, match=r"source 'lines', `cleaning\.drop\.bad\.where`, fails"):
        _land(_source({"drop": drop}), _table())


def test_nothing_left_is_an_empty_window() -> None:
    drop = {"all": {"where": "TRUE"}}
    with pytest.raises(errors.EmptyDeliveryError, match="none of 10 rows is left"):
        _land(_source({"drop": drop}), _table())
    assert _land(_source({"drop": drop, "empty_windows": True}), _table()).table.num_rows == 0


# Duplicates and keys


def test_rows_that_differ_in_an_undeclared_column_are_no_duplicates() -> None:
    table = _twice(_table(), 5).append_column("line", pa.array(range(15)))
    assert _land(_source(key=[]), table).table.num_rows == 15


def test_rows_that_share_a_key_but_differ_are_refused_though_duplicates_are_tolerated() -> None:
    with pytest.raises(errors.DuplicateRowsError, match=r"1 rows repeat the key \(id\), e.g. 1"):
        _land(_source({"exact_duplicates": 1}), _table(id=[1]))


def test_rows_without_a_key_are_told_apart_by_all_columns() -> None:
    with pytest.raises(errors.DuplicateRowsError, match="2 rows repeat another in all columns"):
        _land(_source(key=[]), _twice(_table(), 2))


def test_a_not_a_number_is_empty_and_counted() -> None:
    landed = _land(_source(), _table(price=[float("nan")] * 2))
    assert landed.table.column("price").null_count == 2
    assert landed.counts()["emptied_not_a_number"] == 2


# Landing SQL and other sources


def test_the_time_may_come_from_the_landing_sql_and_its_rows_may_lie_outside() -> None:
    sql = 'SELECT *, "at" + INTERVAL 1 MONTH * (id // 8)::INT AS due_at FROM delivered -- each its own'
    source = _source({"outside_window": 0.2}, sql=sql, event_time="due_at")
    landed = _land(source, _table())
    assert (landed.table.num_rows, landed.counts()["dropped_outside_window"]) == (8, 2)
    with pytest.raises(errors.OutsideWindowError, match="they span 2020-11-05"):
        _land(_source(sql=sql, event_time="due_at"), _table())


def test_a_reference_to_a_source_that_has_not_landed_is_named() -> None:
    source = _source(references=[{"column": "code", "source": "codes", "to": "code"}])
    with pytest.raises(errors.NotLandedError, match="Source 'codes', which 'lines' refers to,"):
        _land(source, _table())


def test_a_source_may_refer_to_itself() -> None:
    source = _source(
        references=[{"column": "parent", "source": "lines", "to": "id"}], columns=COLUMNS | {"parent": "int64"}
    )
    assert _land(source, _table(parent=[None, 0, 1])).table.num_rows == 10
    with pytest.raises(errors.UnknownReferenceError, match="parent 99 in 1 rows"):
        _land(source, _table(parent=[99]))


def test_equal_rows_in_any_order_land_in_the_same_one() -> None:
    table, source = _twice(_table(), 3), _source({"exact_duplicates": 1})
    shuffled = table.take([7, 3, 11, 0, 9, 2, 12, 5, 1, 10, 4, 8, 6])
    assert _land(source, shuffled).table.equals(_land(source, table).table)


# Online Retail II


@pytest.fixture(scope="module")
def lines() -> pa.Table:
    """All 1,067,371 lines."""
    return pq.read_table(RETAIL / "data" / "online_retail_ii.parquet")


ALL = Window(
    datetime(2009, 12, 1, tzinfo=UTC),
    datetime(2012, 1, 1, tzinfo=UTC),
    Cadence(kind="monthly", start=date(2009, 12, 1)),
)


@pytest.mark.parametrize(
    ("cleaning", "metric", "count"),
    [
        ({"exact_duplicates": 0.1}, "dropped_exact_duplicates", 34_335),
        ({"drop": {"no_customer": {"where": '"Customer ID" IS NULL'}}}, "dropped_no_customer", 243_007),
        ({"drop": {"cancelled": {"where": "Invoice LIKE 'C%'"}}}, "dropped_cancelled", 19_494),
    ],
    ids=["exact duplicates", "no customer", "cancelled"],
)
def test_the_known_dirt_of_a_million_real_lines_is_counted(
    lines: pa.Table, cleaning: dict, metric: str, count: int
) -> None:
    declared = read_feature_set(RETAIL / "defs.yaml").source("lines")
    tolerant = {"exact_duplicates": 1, **cleaning}
    source = declared.model_copy(
        update={"cleaning": _source(tolerant).cleaning, "sql": None, "event_time": "InvoiceDate"}
    )
    assert land(source, ALL, lines, {}).counts()[metric] == count
