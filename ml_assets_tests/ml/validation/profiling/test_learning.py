"""Rules learned from references of every shape: what is learned, with which margin, what is left alone."""

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

from ml_assets.errors import TwoColumnsOfANameError
from ml_assets.ml.validation.expectations import judge
from ml_assets.ml.validation.profiling import Roles, learn_rules
from ml_assets.spec import ValidationRule
from ml_assets.spec.validation import columns_of

ROWS, PARTS = 4000, 10


def reference(seed: int = 1) -> pd.DataFrame:
    """Ten weeks of a shop, whose level differs from week to week."""
    rng = np.random.default_rng(seed)
    week = np.repeat(np.arange(PARTS), ROWS // PARTS)
    amount = rng.lognormal(3 + 0.1 * np.sin(week), 0.5, ROWS)
    at = pd.Timestamp("2024-01-01", tz="UTC") + pd.to_timedelta(week * 7, unit="D")
    at += pd.to_timedelta(rng.integers(0, 7, ROWS) * 24 + rng.integers(8, 20, ROWS), unit="h")
    return pd.DataFrame(
        {
            "order_id": [f"o{seed}-{i}" for i in range(ROWS)],
            "at": at,
            "paid_at": at + pd.to_timedelta(rng.integers(1, 400, ROWS), unit="min"),
            "amount": amount,
            "largest": amount * rng.uniform(1, 2, ROWS),
            "items": pd.array(np.where(rng.random(ROWS) < 0.1, pd.NA, rng.poisson(3, ROWS) + 1), dtype="Int64"),
            "share": rng.beta(2, 2, ROWS),
            "channel": rng.choice(["web", "shop", "phone"], ROWS, p=[0.6, 0.3, 0.1]),
            "weekday": at.dayofweek,
            "is_new": rng.random(ROWS) < 0.2,
            "comment": [f"please ring {i} times" for i in rng.permutation(ROWS)],
            "currency": "GBP",
            "always_7": 7.0,
            "nothing": np.nan,
        }
    )


def _weeks(frame: pd.DataFrame) -> np.ndarray:
    return ((frame["at"] - frame["at"].min().normalize()) // pd.Timedelta(days=7)).to_numpy()


@pytest.fixture(scope="module")
def rules() -> tuple[ValidationRule, ...]:
    frame = reference()
    return learn_rules(frame, parts=_weeks(frame), roles=Roles(key=("order_id",), required=("at",), part="weeks"))


def _of(rules: tuple[ValidationRule, ...], column: str) -> dict[str, ValidationRule]:
    return {rule.kind: rule for rule in rules if columns_of(rule) == (column,)}


def test_each_rule_has_a_reason_and_a_severity_by_what_it_claims(rules: tuple[ValidationRule, ...]) -> None:
    assert all(rule.notes.endswith(".") for rule in rules)
    warnings = [rule for rule in rules if rule.severity == "warning" and columns_of(rule) != ("always_7",)]
    assert {rule.kind for rule in warnings} == {"quantile_between", "distribution"}


def test_a_number_gets_type_range_quantiles_and_shares(rules: tuple[ValidationRule, ...]) -> None:
    amount = _of(rules, "amount")
    assert set(amount) == {"of_type", "not_null", "between", "quantile_between", "distribution"}
    frame = reference()
    assert amount["between"].low == 0
    assert frame["amount"].max() * 1.05 < amount["between"].high < 10 * frame["amount"].max()
    assert amount["between"].notes.startswith("Least ")
    assert "in 10 weeks" in amount["between"].notes


def test_a_margin_grows_with_what_the_parts_differ_by() -> None:
    rng = np.random.default_rng(3)
    week = np.repeat(np.arange(10), 400)
    alike, unlike = rng.normal(0, 1, 4000), rng.normal(0, 1, 4000) + np.sin(week)
    widths = []
    for values in (alike, unlike):
        found = learn_rules(pd.DataFrame({"x": values}), parts=week)
        [median] = [r for r in found if r.kind == "quantile_between" and r.quantile == 0.5]
        widths.append(median.high - median.low)
    assert widths[1] > 3 * widths[0]


def test_few_values_become_a_list_and_many_do_not(rules: tuple[ValidationRule, ...]) -> None:
    assert _of(rules, "channel")["in_set"].values == ("phone", "shop", "web")
    assert _of(rules, "weekday")["in_set"].values == (0, 1, 2, 3, 4, 5, 6)
    assert _of(rules, "is_new")["in_set"].values == (0, 1)
    assert _of(rules, "currency")["in_set"].values == ("GBP",)
    for text in ("order_id", "comment"):
        assert set(_of(rules, text)) <= {"of_type", "not_null", "unique_together"}
    assert "in_set" not in _of(rules, "items"), "a count may go on"


def test_rare_values_leave_room_for_new_ones() -> None:
    rng = np.random.default_rng(5)
    names = np.array([f"c{i}" for i in range(40)])
    shares = 1 / np.arange(1, 41) ** 1.5
    frame = pd.DataFrame({"country": rng.choice(names, 8000, p=shares / shares.sum())})
    [rule] = [r for r in learn_rules(frame, parts=np.repeat(np.arange(8), 1000)) if r.kind == "in_set"]
    assert 0.98 <= rule.mostly < 1
    assert "may be new" in rule.notes


def test_missing_values_are_tolerated_as_far_as_they_were(rules: tuple[ValidationRule, ...]) -> None:
    assert _of(rules, "order_id")["not_null"].mostly == 1
    assert _of(rules, "at")["not_null"].mostly == 1
    assert _of(rules, "amount")["not_null"].mostly == 0.99
    assert 0.75 < _of(rules, "items")["not_null"].mostly < 0.9


def test_constant_and_empty_columns_are_no_trouble(rules: tuple[ValidationRule, ...]) -> None:
    constant = _of(rules, "always_7")["between"]
    assert (constant.low, constant.high) == (6.3, 7.7)
    assert _of(rules, "nothing") == {}


def test_orders_are_found_where_they_are_not_trivial(rules: tuple[ValidationRule, ...]) -> None:
    pairs = {(r.lower, r.upper) for r in rules if r.kind == "ordered"}
    assert pairs == {("amount", "largest"), ("at", "paid_at")}


def test_an_order_that_follows_from_two_others_is_left_out() -> None:
    rng = np.random.default_rng(9)
    a = rng.normal(0, 1, 1000)
    frame = pd.DataFrame({"a": a, "b": a + rng.uniform(0, 1, 1000), "c": a + 1 + rng.uniform(0, 1, 1000)})
    assert [(r.lower, r.upper) for r in learn_rules(frame) if r.kind == "ordered"] == [("a", "b"), ("b", "c")]


def test_uniqueness_is_found_where_chance_would_have_broken_it() -> None:
    rng = np.random.default_rng(2)
    grid = pd.DataFrame({"place": np.repeat(np.arange(20), 50), "hour": np.tile(np.arange(50), 20)})
    grid["noise"] = rng.integers(0, 10**9, 1000).astype(float)
    assert [r.columns for r in learn_rules(grid) if r.kind == "unique_together"] == [("place", "hour")]
    repeated = pd.concat([grid, grid.iloc[:1]], ignore_index=True)
    assert [r for r in learn_rules(repeated) if r.kind == "unique_together"] == []


def test_a_clock_is_judged_by_its_hours(rules: tuple[ValidationRule, ...]) -> None:
    clock = _of(rules, "at")["distribution"]
    assert clock.hour_of_day
    assert len(clock.shares) == 24
    assert sum(clock.shares) == pytest.approx(1, abs=1e-9)


@pytest.mark.parametrize("timezone", ["America/New_York", "UTC"])
def test_a_clock_an_hour_late_is_told_from_summer_time_where_the_place_is_known(timezone: str) -> None:
    local = pd.Series(pd.date_range("2020-02-02", periods=12 * 7 * 96, freq="15min"))
    at = local[local.dt.hour.between(6, 21)].dt.tz_localize("America/New_York").dt.tz_convert("UTC")
    frame = pd.DataFrame({"at": at.reset_index(drop=True)})
    weeks = (np.arange(len(frame)) // (7 * 64)).astype(int)
    roles = Roles(required=("at",), part="weeks", per_part=True, timezone=timezone)
    [clock] = [r for r in learn_rules(frame, parts=weeks, roles=roles) if r.kind == "distribution"]
    late = frame[weeks == 11] + pd.Timedelta(hours=1)
    assert [r.status for r in judge(late, [clock])] == ["passed" if timezone == "UTC" else "failed"]
    assert [r.status for r in judge(frame[weeks == 11], [clock])] == ["passed"]


def test_rules_hold_on_their_own_reference_and_are_the_same_twice(rules: tuple[ValidationRule, ...]) -> None:
    frame = reference()
    roles = Roles(key=("order_id",), required=("at",), part="weeks")
    assert learn_rules(frame, parts=_weeks(frame), roles=roles) == rules
    assert [r for r in judge(frame, rules) if r.status != "passed"] == []


TYPES: dict[str, Callable[[pd.DataFrame], pd.Series]] = {
    "Float64": lambda f: f["amount"].astype("Float64"),
    "int8": lambda f: f["weekday"].astype("int8"),
    "string": lambda f: f["channel"].astype("string"),
    "category": lambda f: f["channel"].astype("category"),
    "boolean with gaps": lambda f: f["is_new"].astype("boolean").mask(f.index % 7 == 0),
    "times without a zone": lambda f: f["at"].dt.tz_localize(None),
    "times with gaps": lambda f: f["at"].mask(f.index % 7 == 0),
    "numbers as objects": lambda f: f["amount"].astype(object).mask(f.index % 7 == 0, None),
    "lists": lambda f: pd.Series([[1, 2]] * len(f), index=f.index),
    "infinities": lambda f: f["amount"].mask(f.index % 500 == 0, np.inf),
    "all infinite": lambda f: pd.Series(np.inf, index=f.index),
    "huge": lambda f: f["amount"] * 1e300,
    "tiny": lambda f: f["amount"] * 1e-300,
    "negative": lambda f: -f["amount"],
    "None only": lambda f: pd.Series([None] * len(f), index=f.index, dtype=object),
}


@pytest.mark.parametrize("make", TYPES.values(), ids=TYPES)
def test_any_type_of_pandas_is_learned_without_an_error(make: Callable[[pd.DataFrame], pd.Series]) -> None:
    frame = reference()
    found = learn_rules(pd.DataFrame({"x": make(frame)}), parts=_weeks(frame))
    assert found[0].kind == "row_count"
    for rule in found:
        assert rule.model_validate(rule.model_dump()) == rule


@pytest.mark.parametrize("rows", [0, 1, 2, 99])
def test_of_a_tiny_table_only_structure_is_learned_and_it_is_said(rows: int) -> None:
    found = learn_rules(reference().head(rows), roles=Roles(key=("order_id",)))
    assert {r.kind for r in found} <= {"row_count", "unique_together", "of_type", "not_null"}
    if rows:
        [missing] = [r for r in found if r.kind == "not_null"]
        assert f"{rows} rows, too few for ranges" in missing.notes


def test_a_hundred_rows_without_parts_are_enough_for_ranges() -> None:
    assert "between" in {r.kind for r in learn_rules(reference().head(100))}


def test_columns_that_no_rule_can_name_are_left_out() -> None:
    found = learn_rules(pd.DataFrame({"a-b": range(200), "ok": range(200), 3: range(200)}))
    assert {c for r in found for c in columns_of(r)} == {"ok"}


def test_two_columns_of_a_name_are_an_error() -> None:
    frame = pd.DataFrame(np.zeros((5, 2)), columns=["x", "x"])
    with pytest.raises(TwoColumnsOfANameError, match="two columns 'x'"):
        learn_rules(frame)


def test_windows_of_a_view_are_counted_one_by_one() -> None:
    frame = reference()
    weeks = _weeks(frame)
    [whole] = [r for r in learn_rules(frame, parts=weeks) if r.kind == "row_count"]
    [single] = [r for r in learn_rules(frame, parts=weeks, roles=Roles(per_part=True)) if r.kind == "row_count"]
    assert (whole.low, whole.high) == (2000, None)
    assert 200 < single.low < 400 < single.high < 600
