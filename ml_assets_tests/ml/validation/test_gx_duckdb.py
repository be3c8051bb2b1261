"""Counts by DuckDB find what Great Expectations' own pandas engine finds, whatever the frame holds."""

from dataclasses import asdict
from decimal import Decimal

import numpy as np
import pandas as pd
import pytest
from great_expectations.execution_engine import PandasExecutionEngine
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter

from ml_assets.ml.validation import counting
from ml_assets.ml.validation.expectations import RuleResult, judge
from ml_assets.spec import ValidationRule
from ml_assets_tests.ml.plain_gx import plain_results

pytestmark = pytest.mark.slow
RULE = TypeAdapter(ValidationRule)
PARTS = {"shares": [0.5, 0.5], "max_divergence": 0.2}
DAY = {"edges": [0, 6, 12, 24], "shares": [0.25, 0.25, 0.5], "max_divergence": 0.2, "hour_of_day": True}

SAID = [
    {"kind": "row_count", "low": 2, "high": 9},
    *({"kind": "not_null", "column": column, "mostly": 0.5} for column in "fsto"),
    *({"kind": "of_type", "column": column, "type": kind} for column in "fns" for kind in ("int", "string")),
    *({"kind": "between", "column": column, "low": -1.5, "high": 2, "mostly": 0.7} for column in "fnsto"),
    {"kind": "between", "column": "f", "low": 0},
    {"kind": "between", "column": "n", "high": 0},
    *({"kind": "in_set", "column": column, "values": ["a", "b"]} for column in "fnsto"),
    *({"kind": "in_set", "column": column, "values": [1, 2], "mostly": 0.5} for column in "fnsto"),
    *(
        {"kind": "unique_together", "columns": list(columns), "mostly": 0.5}
        for columns in ("s", "fs", "nt", "o", "fnst")
    ),
    *(
        {"kind": "ordered", "lower": pair[0], "upper": pair[1], "mostly": 0.6}
        for pair in ("fn", "nf", "tf", "so", "to")
    ),
    *({"kind": "quantile_between", "column": column, "quantile": 0.4, "low": -1, "high": 1} for column in "fns"),
    *({"kind": "distribution", "column": column, "values": ["a", "b"], **PARTS} for column in "sfo"),
    *({"kind": "distribution", "column": column, "values": [1, 2], **PARTS} for column in "n"),
    *({"kind": "distribution", "column": column, "edges": [-1, 0, 2], **PARTS} for column in "fns"),
    {"kind": "distribution", "column": "t", **DAY},
    {"kind": "distribution", "column": "f", **DAY},
    {"kind": "not_null", "column": "lost"},
    {"kind": "unique_together", "columns": ["lost", "s"]},
    {"kind": "distribution", "column": "lost", "edges": [-1, 0, 2], **PARTS},
]
RULES = [RULE.validate_python(rule) for rule in SAID]

numbers = st.sampled_from([None, -2.0, -1.5, -1.0, 0.0, 0.5, 1.0, 2.0, 2.5, float("inf"), float("-inf")])
whole = st.sampled_from([-2, -1, 0, 1, 2, 3])
texts = st.sampled_from([None, "a", "b", "c", "", "A"])
times = st.sampled_from([None, *pd.to_datetime(["2020-01-01 05:59", "2020-01-01 06:00", "2020-06-01 23:59"], utc=True)])
objects = st.sampled_from([None, "a", 1, 2.5, True, Decimal(1)])


@st.composite
def frames(draw: st.DrawFn) -> pd.DataFrame:
    rows = draw(st.integers(0, 12))
    columns = {
        name: draw(st.lists(values, min_size=rows, max_size=rows))
        for name, values in {"f": numbers, "n": whole, "s": texts, "t": times, "o": objects}.items()
    }
    frame = pd.DataFrame(columns)
    made = frame.astype({"f": float, "n": "int64"}).assign(
        t=pd.to_datetime(frame.t, utc=True), o=frame.o.astype(object)
    )
    return made.assign(s=frame.s.astype(object).where(frame.s.notna(), None)).set_index(np.arange(rows) * 2)


def comparable(result: RuleResult) -> dict:
    """Without the wording of an error, and without the last digits of sums in another order."""
    found = asdict(result)
    if result.status == "errored":
        found["observed"] = None
    share = found["unexpected_share"]
    found["unexpected_share"] = None if share is None else round(share, 12)
    if isinstance(found["observed"], float):
        found["observed"] = round(found["observed"], 12)
    return found


def assert_alike(frame: pd.DataFrame) -> None:
    for ours, plain in zip(judge(frame, RULES), plain_results(frame, RULES), strict=True):
        assert comparable(ours) == comparable(plain)


@settings(max_examples=6, deadline=None)
@given(frames())
def test_every_rule_finds_what_it_finds_in_pandas(frame: pd.DataFrame) -> None:
    assert_alike(frame)


@pytest.mark.parametrize(
    "change",
    [
        pytest.param({}, id="plain"),
        pytest.param({"n": pd.array([1, None, 2, 3], "Int64")}, id="nullable-integers"),
        pytest.param({"s": [1, "a", None, 2.5]}, id="mixed-objects"),
        pytest.param({"s": ["a", np.nan, None, pd.NA]}, id="all-sorts-of-missing"),
        pytest.param({"s": pd.Categorical(["a", "b", "a", None])}, id="categories"),
        pytest.param({"s": [True, False, True, True]}, id="booleans"),
        pytest.param({"s": [None] * 4}, id="all-missing-objects"),
        pytest.param({"f": [np.nan] * 4}, id="all-missing-numbers"),
        pytest.param({"n": np.array([1, 2, 3, 4], "uint8")}, id="small-integers"),
        pytest.param({"f": np.array([0.1, 1, 2, np.nan], "float32")}, id="single-precision"),
        pytest.param({"n": [2**53, 2**53 + 1, -(2**62), 1]}, id="integers-beyond-doubles"),
        pytest.param(
            {"t": pd.to_datetime(["2020-01-01 05:59", None, "2020-01-01 12:00", "2021-01-01 00:00"])}, id="naive-times"
        ),
        pytest.param({"s": ['"', "a'b", "; DROP TABLE t", "a"]}, id="quotes-in-values"),
    ],
)
def test_odd_columns_are_judged_as_pandas_judges_them(change: dict) -> None:
    moments = pd.to_datetime(["2020-01-01 05:59", None, "2020-01-01 12:00", "2021-01-01 00:00"], utc=True)
    frame = pd.DataFrame(
        {"f": [0.5, np.nan, 2, -3], "n": [1, 2, 2, 0], "s": ["a", "b", None, "c"], "t": moments, "o": [1, "a", None, 2]}
    )
    assert_alike(frame.assign(**change))


def test_a_frame_without_rows_is_judged_as_pandas_judges_it() -> None:
    frame = pd.DataFrame({"f": [1.0], "n": [1], "s": ["a"], "t": pd.to_datetime(["2020-01-01"], utc=True), "o": ["a"]})
    assert_alike(frame.iloc[:0])


def test_counts_of_all_rules_are_one_query(monkeypatch: pytest.MonkeyPatch) -> None:
    queries = []
    ask = counting.Counting.ask

    def counted(self, select, parameters=()):
        queries.append(select)
        return ask(self, select, parameters)

    monkeypatch.setattr(counting.Counting, "ask", counted)
    frame = pd.DataFrame({"f": [1.0, 2.0], "n": [1, 2], "s": ["a", "b"]})
    said = [rule for rule in SAID if rule["kind"] in {"not_null", "between", "in_set", "ordered", "unique_together"}]
    judge(
        frame,
        [
            RULE.validate_python(rule)
            for rule in said
            if not {"t", "o", "lost"}
            & {rule.get("column"), rule.get("lower"), rule.get("upper"), *rule.get("columns", ())}
        ],
    )
    assert len(queries) == 1


@pytest.mark.timeout(60)
def test_what_pandas_cannot_show_ends_as_an_error_of_its_rule(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(self, domain_kwargs):
        raise RuntimeError("no such rows")

    monkeypatch.setattr(PandasExecutionEngine, "get_domain_records", broken)
    [result] = judge(
        pd.DataFrame({"f": [-9.0, 1.0]}), [RULE.validate_python({"kind": "between", "column": "f", "low": 0})]
    )
    assert (result.status, result.observed) == ("errored", "no such rows")
