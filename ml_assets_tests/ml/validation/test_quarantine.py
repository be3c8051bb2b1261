"""Which rows break which rules, which are set aside, and what is judged afterwards."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter

from ml_assets.ml.validation.quarantine import Examined, broken_rows, examine
from ml_assets.spec import ValidationRule
from ml_assets_tests.ml.plain_gx import plain_broken_rows

RULE = TypeAdapter(ValidationRule)


def rules(*said: dict) -> list[ValidationRule]:
    return [RULE.validate_python(rule) for rule in said]


ROW_RULES = rules(
    {"kind": "not_null", "column": "a"},
    {"kind": "not_null", "column": "s"},
    {"kind": "between", "column": "a", "low": -1},
    {"kind": "between", "column": "a", "low": -1, "high": 1},
    {"kind": "between", "column": "n", "high": 1},
    {"kind": "in_set", "column": "s", "values": ["x", "y"]},
    {"kind": "in_set", "column": "n", "values": [0, 1]},
    {"kind": "unique_together", "columns": ["s"]},
    {"kind": "unique_together", "columns": ["a", "n"]},
    {"kind": "ordered", "lower": "a", "upper": "n"},
    {"kind": "ordered", "lower": "n", "upper": "a"},
)


@st.composite
def frames(draw: st.DrawFn) -> pd.DataFrame:
    rows = draw(st.integers(1, 15))
    numbers = st.sampled_from([None, -2.0, -1.0, 0.0, 0.5, 1.0, 2.0, float("inf")])
    values = {"a": numbers, "n": st.integers(-1, 2), "s": st.sampled_from([None, "x", "y", "z"])}
    columns = {name: draw(st.lists(each, min_size=rows, max_size=rows)) for name, each in values.items()}
    return pd.DataFrame(columns).astype({"a": float, "s": object}).set_index(np.arange(rows)[::-1])


@pytest.mark.slow
@settings(max_examples=20, deadline=None)
@given(frames())
def test_the_rows_that_break_a_rule_are_those_that_great_expectations_names(frame: pd.DataFrame) -> None:
    for rule, plain in zip(ROW_RULES, plain_broken_rows(frame, ROW_RULES), strict=True):
        assert np.flatnonzero(broken_rows(frame, rule)).tolist() == plain, rule


@pytest.fixture
def frame() -> pd.DataFrame:
    """Ten rows; one amount of 2000, one of -5, two shops without a name."""
    return pd.DataFrame(
        {"amount": [1.0, 2, 3, 4, 5, 6, 7, 8, 2000, -5], "shop": ["a", "b", "c", "d", "e", "f", "g", None, None, "h"]},
        index=range(100, 110),
    )


RANGE = {"kind": "between", "column": "amount", "low": 0, "high": 100}
NAMED = {"kind": "not_null", "column": "shop"}


def reasons(examined: Examined) -> dict[int, str]:
    return {int(at): str(examined.reasons[at]) for at in examined.quarantined}


def test_a_failed_rule_puts_its_rows_into_quarantine_and_takes_none_out(frame: pd.DataFrame) -> None:
    examined = examine(frame, rules(RANGE))
    assert examined.blocked
    assert examined.kept.all()
    assert reasons(examined) == {8: "amount between 0 and 100", 9: "amount between 0 and 100"}


def test_a_row_names_every_failed_rule_that_it_broke_and_how_grave_it_is(frame: pd.DataFrame) -> None:
    examined = examine(frame, rules({**NAMED, "severity": "warning"}, RANGE))
    assert reasons(examined) == {
        7: "shop not null (warning)",
        8: "shop not null (warning); amount between 0 and 100",
        9: "amount between 0 and 100",
    }


def test_rows_that_break_a_rule_within_mostly_are_data_and_stay(frame: pd.DataFrame) -> None:
    examined = examine(frame, rules({**RANGE, "mostly": 0.8}))
    assert not examined.blocked
    assert (reasons(examined), examined.set_aside) == ({}, 0)


def test_a_rule_that_may_set_rows_aside_does_so_even_where_mostly_would_forgive_them(frame: pd.DataFrame) -> None:
    examined = examine(frame, rules({**RANGE, "mostly": 0.8, "max_quarantined": 0.2}))
    assert not examined.blocked
    assert examined.kept.tolist() == [True] * 8 + [False] * 2
    [result] = examined.results
    assert (result.status, result.set_aside, result.unexpected_share) == ("passed", 2, 0.0)


@pytest.mark.parametrize(("allowed", "blocked"), [(0.2, False), (0.19, True)], ids=["as-many", "one-too-many"])
def test_more_rows_than_may_be_set_aside_stay_and_make_the_rule_fail(
    frame: pd.DataFrame, allowed: float, blocked: bool
) -> None:
    examined = examine(frame, rules({**RANGE, "max_quarantined": allowed}))
    assert (examined.blocked, examined.set_aside) == (blocked, 0 if blocked else 2)
    assert len(examined.quarantined) == 2


def test_rules_on_the_set_are_judged_on_what_is_left(frame: pd.DataFrame) -> None:
    count = {"kind": "row_count", "low": 9}
    upper = {"kind": "quantile_between", "column": "amount", "quantile": 0.99, "low": 0, "high": 10}
    examined = examine(frame, rules({**RANGE, "max_quarantined": 0.2}, count, upper))
    assert [(each.status, each.observed) for each in examined.results[1:]] == [("failed", 8), ("passed", 8.0)]


def test_other_rules_put_only_rows_that_were_left_into_quarantine_and_name_both_reasons(frame: pd.DataFrame) -> None:
    examined = examine(frame, rules({**RANGE, "max_quarantined": 0.2}, NAMED))
    assert examined.blocked
    assert reasons(examined) == {7: "shop not null", 8: "amount between 0 and 100", 9: "amount between 0 and 100"}


@pytest.mark.parametrize(
    "rule", [{**RANGE, "column": "lost"}, {**RANGE, "column": "shop"}], ids=["missing-column", "text"]
)
def test_a_rule_that_cannot_be_judged_sets_nothing_aside_and_blocks(frame: pd.DataFrame, rule: dict) -> None:
    examined = examine(frame, rules({**rule, "max_quarantined": 0.5}))
    assert examined.blocked
    assert (examined.results[0].status, examined.set_aside, reasons(examined)) == ("errored", 0, {})


def test_rows_that_share_a_key_are_all_set_aside() -> None:
    frame = pd.DataFrame({"k": [1, 1, 2, 3, 4, 5, 6, 7, 8, 9]})
    examined = examine(frame, rules({"kind": "unique_together", "columns": ["k"], "max_quarantined": 0.2}))
    assert examined.kept.tolist() == [False, False, *[True] * 8]


def test_examining_leaves_the_frame_as_it_was(frame: pd.DataFrame) -> None:
    before = frame.copy()
    examine(frame, rules({**RANGE, "max_quarantined": 0.2}, NAMED))
    pd.testing.assert_frame_equal(frame, before)
