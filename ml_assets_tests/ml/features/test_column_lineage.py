"""Column lineage against the data: a source column is changed, and what changes with it must name it."""

from collections.abc import Callable, Iterator, Mapping
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from ml_assets.components.catalogue import find_problem
from ml_assets.ml.features.column_lineage import (
    DELIVERED,
    EVENT,
    KNOWN,
    Lineage,
    label_lineage,
    rows_lineage,
    source_lineage,
    view_lineage,
)
from ml_assets.ml.features.query import connect
from ml_assets.ml.features.sql_lineage import Origin
from ml_assets.ml.landing.window import land
from ml_assets.ml.windows import Window, window_of
from ml_assets.resources.readers import read_window
from ml_assets.spec import FeatureSet, FeatureView, Label, Problem, Rows
from ml_assets_tests.conftest import WEEK
from ml_assets_tests.flights import Deliveries, flights

DEFS = Path(__file__).parents[3] / "ml_assets" / "defs"
MONTHS = ("2010-01-01", "2010-02-01", "2010-03-01", "2010-04-01")
RETAIL = ("customer_activity", "customer_spend", "customer_basket")
Tables = Mapping[str, pa.Table]


@cache
def problem_of(name: str) -> Problem:
    """A shipped problem."""
    return find_problem(DEFS, name)


@pytest.fixture(scope="module")
def lines() -> pa.Table:
    """Four months of the shop, landed, every tenth customer."""
    problem = problem_of("churn")
    [source] = problem.sources
    parts = []
    for key in MONTHS:
        window = window_of(problem.cadence, key)
        delivered = read_window(source, window, DEFS / "retail", Path("unused"))
        parts.append(land(source, window, delivered, {}).table)
    table = pa.concat_tables(parts)
    return table.filter(pa.array(table["customer_id"].to_numpy() % 10 == 0))


def run(sql: str, tables: Tables, window: Window) -> pd.DataFrame:
    """What a declared SELECT returns of these tables."""
    con = connect()
    try:
        for name, table in tables.items():
            con.register(name, table)
        for name, moment in (("start", window.start), ("end", window.end), ("last", window.last)):
            con.execute(f"SET VARIABLE window_{name} = TIMESTAMPTZ '{moment.isoformat()}'")
        return con.sql(f"SELECT * FROM ({sql.rstrip().rstrip(';')}\n) ORDER BY ALL").df()
    finally:
        con.close()


def changes(tables: Tables) -> Iterator[tuple[str, str, Tables]]:
    """(table, column, tables) with that column empty, and with its values in other rows."""
    for name, table in tables.items():
        for place, column in enumerate(table.column_names):
            shuffled = table[column].take(pa.array(np.random.default_rng(7).permutation(table.num_rows)))
            for values in (pa.nulls(table.num_rows, table[column].type), shuffled):
                changed = table.set_column(place, table.schema.field(column), values)
                yield name, column, {**tables, name: changed}


def disagreements(
    lineage: Lineage,
    compute: Callable[[Tables], pd.DataFrame],
    tables: Tables,
    key: list[str],
    *,
    row_by_row: bool = False,
) -> str:
    """Columns whose values changed with a source column that their lineage does not name; prints what it overdoes.

    Where a SELECT gives a row for a row, another key is another name of the row, and no change of its values.
    """
    before = compute(tables).drop_duplicates(key)
    names = {source for each in key for source in lineage.columns[each].values} if row_by_row else set()
    missed, felt = [], set()
    for name, column, changed in changes(tables):
        if (name, column) in names:
            continue
        after = compute(changed).drop_duplicates(key)
        source = (name, column)
        both = before.merge(after, on=key, how="outer", suffixes=("", "__after"), indicator="where")
        gone = (both["where"] != "both").any()
        if gone and not any(source in lineage.columns[each].all for each in key):
            missed.append(f"rows <- {source}")
        both = both[both["where"] == "both"]
        for each in set(before.columns) - set(key):
            if differ(both[each], both[f"{each}__after"]):
                felt.add((each, source))
                if source not in lineage.columns[each].all:
                    missed.append(f"{each} <- {source}")
    named = {(each, source) for each in set(before.columns) - set(key) for source in lineage.columns[each].all}
    print(f"named {len(named)}, felt {len(felt)}; named but not felt: {sorted(named - felt)}")
    return "; ".join(dict.fromkeys(missed))


def differ(mine: pd.Series, theirs: pd.Series) -> bool:
    """Whether some value differs; sums may, in their last digits, by the order of their rows."""
    if pd.api.types.is_float_dtype(mine) and pd.api.types.is_float_dtype(theirs):
        return not np.allclose(mine, theirs, rtol=1e-9, atol=1e-9, equal_nan=True)
    return not ((mine == theirs) | (mine.isna() & theirs.isna())).all()


def _flight_tables(landed: Deliveries, *names: str) -> Tables:
    weeks = {"flights": ("2013-01-28", WEEK), "weather": (WEEK,)}
    files = {
        name: [landed.lake.source(landed.problem, name, week) for week in weeks.get(name, (WEEK,))] for name in names
    }
    tables = {name: pa.concat_tables([pq.read_table(file) for file in found]) for name, found in files.items()}
    # A sixth of the flights: each SELECT runs 50 times.
    return {name: table.slice(0, table.num_rows // 6) if name == "flights" else table for name, table in tables.items()}


@pytest.mark.parametrize("name", [view.name for view in flights().feature_views])
def test_a_flight_feature_that_changes_with_a_source_column_names_it(landed: Deliveries, name: str) -> None:
    view = flights().view(name)
    window = landed.window("2013-01-28")
    lineage = view_lineage(flights(), view)
    assert lineage.note == ""
    tables = _flight_tables(landed, *view.sources)
    found = disagreements(
        lineage,
        lambda t: run(str(view.sql), t, window),
        tables,
        [*view.entities, EVENT],
        row_by_row=name == "weather",
    )
    assert found == ""


@pytest.mark.parametrize("name", RETAIL)
def test_a_customer_feature_that_changes_with_a_source_column_names_it(lines: pa.Table, name: str) -> None:
    problem = problem_of("churn")
    view = problem.view(name)
    lineage = view_lineage(problem, view)
    assert lineage.note == ""
    window = window_of(problem.cadence, MONTHS[2])
    found = disagreements(lineage, lambda t: run(str(view.sql), t, window), {"lines": lines}, [*view.entities, EVENT])
    assert found == ""


@pytest.mark.parametrize("part", ["rows", "label"])
@pytest.mark.parametrize("name", ["flights", "churn", "lifetime_value"])
def test_rows_and_labels_that_change_with_a_source_column_name_it(
    landed: Deliveries, lines: pa.Table, name: str, part: str
) -> None:
    problem = problem_of(name)
    declared: Rows | Label = getattr(problem, part)
    lineage = rows_lineage(problem) if part == "rows" else label_lineage(problem)
    assert lineage.note == ""
    tables = _flight_tables(landed, "flights") if name == "flights" else {"lines": lines}
    window = window_of(problem.cadence, "2013-01-28" if name == "flights" else MONTHS[2])
    found = disagreements(
        lineage,
        lambda t: run(str(declared.sql), t, window),
        tables,
        list(problem.rows.key),
        row_by_row=name == "flights",
    )
    assert found == ""


@pytest.mark.parametrize("name", ["flights", "weather"])
def test_a_landed_column_that_changes_with_a_delivered_one_names_it(landed: Deliveries, name: str) -> None:
    source = flights().source(name)
    window = landed.window(WEEK)
    delivered = pq.read_table(landed.file(name, WEEK)).select(list(source.columns)).slice(0, 400)
    others = _flight_tables(landed, "airports") if name == "flights" else {}
    lineage = source_lineage(flights(), source)
    assert lineage.note == ""
    # Nothing but its number identifies what lands of a changed row.
    numbered = {DELIVERED: delivered.append_column("_row", pa.array(range(delivered.num_rows))), **others}
    known = Lineage({**lineage.columns, "_row": Origin(frozenset({(DELIVERED, "_row")}))})
    found = disagreements(known, lambda t: run(str(source.sql), t, window), numbered, ["_row"], row_by_row=True)
    assert found == ""


def _with_view(problem: Problem, **changes: object) -> tuple[FeatureSet, FeatureView]:
    view = problem.view("weather").model_copy(update=changes)
    views = tuple(view if each.name == "weather" else each for each in problem.feature_views)
    return problem.model_copy(update={"feature_views": views}), view


def test_a_plain_view_is_one_to_one() -> None:
    features, view = _with_view(flights(), sql=None, features={"temp": "float", "visib": "float"})
    columns = view_lineage(features, view).columns
    assert columns["temp"].all == {("weather", "temp")}
    assert columns[EVENT].all == {("weather", "time_hour")}
    assert columns[KNOWN].all == {("weather", "known_at")}


def test_a_function_names_all_columns_of_its_sources_and_says_so() -> None:
    features, view = _with_view(flights(), sql=None, function="f.py:weather")
    lineage = view_lineage(features, view)
    assert lineage.note == (
        "What the function f.py:weather reads cannot be seen: all columns of its sources are named."
    )
    landed_columns = {*flights().source("weather").columns, "known_at"}
    assert lineage.columns["temp_f"].all == {("weather", column) for column in landed_columns}


@pytest.mark.parametrize(
    ("sql", "reason"),
    [
        ("SELEC 1", "is not understood"),
        ("SELECT temp AS temp_f FROM 'other.parquet'", "is a column of no source"),
        ("SELECT count(*) AS temp_f FROM 'other.parquet'", "reads 'other.parquet', which is no declared source"),
        ("SELECT COLUMNS('t.*') FROM weather", "COLUMNS"),
        ("PIVOT weather ON origin USING sum(temp)", ""),
        ("SELECT temp AS temp_f FROM weather; SELECT 1", "more than one statement"),
    ],
    ids=["no SQL", "a file", "rows of a file", "COLUMNS", "PIVOT", "two statements"],
)
def test_sql_that_cannot_be_read_names_all_columns_and_says_why(sql: str, reason: str) -> None:
    features, view = _with_view(flights(), sql=sql)
    lineage = view_lineage(features, view)
    assert reason in lineage.note
    assert lineage.note.startswith("The SQL of feature view 'weather'")
    assert lineage.note.endswith("all columns are named.")
    assert "\n" not in lineage.note
    assert all(("weather", "temp") in origin.all for origin in lineage.columns.values())
