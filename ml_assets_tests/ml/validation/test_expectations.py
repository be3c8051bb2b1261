"""What each validation rule finds in good, bad and unjudgeable data."""

import numpy as np
import pandas as pd
import pytest

from ml_assets.ml.validation.expectations import RuleResult, expectation_suite, rule_text
from ml_assets.ml.validation.expectations import judge as judge_frame
from ml_assets.spec import (
    Between,
    DistributionNear,
    InSet,
    NotNull,
    OfType,
    Ordered,
    QuantileBetween,
    RowCount,
    UniqueTogether,
    ValidationRule,
)

DELAYS = NotNull(kind="not_null", column="delay", mostly=0.75)
RANGE = Between(kind="between", column="delay", low=-60, high=600)
ORIGIN = InSet(kind="in_set", column="origin", values=("EWR", "JFK"))
KEY = UniqueTogether(kind="unique_together", columns=("flight", "origin"))
MEDIAN = QuantileBetween(kind="quantile_between", column="delay", quantile=0.5, low=-10, high=30)
ROWS = RowCount(kind="row_count", low=3, high=4)


@pytest.fixture
def frame() -> pd.DataFrame:
    return pd.DataFrame(
        {"flight": [1, 1, 2, 3], "origin": ["EWR", "JFK", "JFK", None], "delay": [-5.0, 12.0, 40.0, np.nan]}
    )


def judge(frame: pd.DataFrame, *rules: ValidationRule) -> tuple[RuleResult, ...]:
    return judge_frame(frame, rules)


@pytest.mark.parametrize(
    ("rule", "damage", "observed", "share"),
    [
        pytest.param(DELAYS, {"delay": [np.nan, 1.0, 2.0, np.nan]}, 2, 0.5, id="too-many-nulls"),
        pytest.param(RANGE, {"delay": [-61.0, 1.0, 600.5, np.nan]}, "e.g. -61, 600.5", 2 / 3, id="out-of-range"),
        pytest.param(
            RANGE.model_copy(update={"low": None}),
            {"delay": [-9e9, 1.0, 601.0, np.nan]},
            "e.g. 601",
            1 / 3,
            id="above-an-upper-end-alone",
        ),
        pytest.param(ORIGIN, {"origin": ["EWR", "LGA", "LGA", None]}, "e.g. LGA", 2 / 3, id="unknown-value"),
        pytest.param(KEY, {"flight": [1, 2, 2, 3]}, "e.g. flight=2 origin=JFK", 0.5, id="shared-key"),
        pytest.param(MEDIAN, {"delay": [-5.0, 720.0, 2400.0, np.nan]}, 720.0, None, id="changed-unit"),
    ],
)
def test_a_rule_passes_on_good_data_and_fails_on_planted_bad_data(
    frame: pd.DataFrame,
    rule: ValidationRule,
    damage: dict[str, list[object]],
    observed: object,
    share: float | None,
) -> None:
    assert judge(frame, rule)[0].status == "passed"
    (result,) = judge(frame.assign(**damage), rule)
    assert (result.status, result.observed) == ("failed", observed)
    assert result.unexpected_share == (None if share is None else pytest.approx(share))


@pytest.mark.parametrize(
    ("rows", "status"),
    [(2, "failed"), (3, "passed"), (4, "passed"), (5, "failed")],
    ids=["too-few", "just-enough", "just-few-enough", "too-many"],
)
def test_the_ends_of_a_row_count_still_pass(frame: pd.DataFrame, rows: int, status: str) -> None:
    (result,) = judge(pd.concat([frame, frame]).head(rows), ROWS)
    assert (result.status, result.observed) == (status, rows)


@pytest.mark.parametrize(
    "rule", [DELAYS, RANGE.model_copy(update={"high": 30, "mostly": 2 / 3})], ids=["not_null", "between"]
)
def test_a_share_of_exactly_mostly_passes_and_one_row_less_fails(frame: pd.DataFrame, rule: NotNull | Between) -> None:
    assert judge(frame, rule)[0].status == "passed"
    stricter = rule.model_copy(update={"mostly": rule.mostly + 0.01})
    assert judge(frame, stricter)[0].status == "failed"


def test_results_come_in_the_order_of_the_rules_even_when_a_rule_stands_twice(frame: pd.DataFrame) -> None:
    warning = RANGE.model_copy(update={"severity": "warning", "notes": "why"})
    rules = (MEDIAN, RANGE, ROWS, KEY, warning, ORIGIN, DELAYS)
    results = judge(frame, *rules)
    assert [result.rule for result in results] == [rule_text(rule) for rule in rules]
    assert [result.severity for result in results] == [rule.severity for rule in rules]
    assert (results[1].notes, results[4].notes) == ("", "why")


@pytest.mark.parametrize(
    ("rule", "reason"),
    [
        pytest.param(NotNull(kind="not_null", column="lost"), '"lost"', id="missing-column"),
        pytest.param(KEY.model_copy(update={"columns": ("flight", "lost")}), '"lost"', id="missing-key-column"),
        pytest.param(MEDIAN.model_copy(update={"column": "origin"}), "float", id="text-instead-of-numbers"),
    ],
)
def test_a_rule_that_cannot_be_judged_is_errored_not_failed(
    frame: pd.DataFrame, rule: ValidationRule, reason: str
) -> None:
    broken, sound = judge(frame, rule, RANGE)
    assert (broken.status, sound.status) == ("errored", "passed")
    assert reason in str(broken.observed)


def test_results_hold_plain_python_values(frame: pd.DataFrame) -> None:
    rules = (MEDIAN, RANGE, ROWS, KEY, ORIGIN, DELAYS, MEDIAN.model_copy(update={"column": "flight"}))
    for result in judge(frame.astype({"flight": "Int64"}), *rules):
        assert type(result.observed) in {float, int, str, type(None)}
        assert type(result.unexpected_share) in {float, type(None)}


def test_a_column_without_values_has_no_quantile_and_breaks_no_range(frame: pd.DataFrame) -> None:
    quantile, span, nulls = judge(frame.assign(delay=np.nan), MEDIAN, RANGE, DELAYS)
    assert (quantile.status, quantile.observed) == ("failed", None)
    assert (span.status, span.unexpected_share) == ("passed", None)
    assert (nulls.status, nulls.unexpected_share) == ("failed", 1.0)


def test_two_rows_without_a_key_share_it(frame: pd.DataFrame) -> None:
    (result,) = judge(frame.assign(flight=[1, 2, None, None], origin=["EWR", "JFK", None, None]), KEY)
    assert (result.status, result.unexpected_share) == ("failed", 0.5)


def test_an_expectation_carries_severity_and_notes() -> None:
    rule = RANGE.model_copy(update={"severity": "warning", "notes": "Longer than a day: a wrong date."})
    (expectation,) = expectation_suite("rules", [rule]).expectations
    assert (expectation.severity, expectation.notes) == ("warning", rule.notes)


@pytest.mark.parametrize(
    ("rule", "text"),
    [
        (DELAYS, "delay not null (mostly 0.75)"),
        (RANGE, "delay between -60 and 600"),
        (RANGE.model_copy(update={"high": None, "mostly": 0.999}), "delay at least -60 (mostly 0.999)"),
        (
            InSet(kind="in_set", column="hour", values=tuple(range(24))),
            "hour in 0, 1, 2, 3, 4, 5 and 18 more",
        ),
        (KEY, "flight, origin unique together"),
        (MEDIAN, "quantile 0.5 of delay between -10 and 30"),
        (RowCount(kind="row_count", low=1_000_000), "rows at least 1000000"),
    ],
    ids=lambda value: value.kind if not isinstance(value, str) else None,
)
def test_a_rule_reads_as_one_short_phrase(rule: ValidationRule, text: str) -> None:
    assert rule_text(rule) == text


def shares(*values: str, near: float = 0.1, **changes: object) -> DistributionNear:
    rule = {"kind": "distribution", "column": "s", "values": values, "shares": [1 / len(values)] * len(values)}
    return DistributionNear.model_validate({**rule, "max_divergence": near, **changes})


@pytest.mark.parametrize(
    ("rule", "values", "status", "observed"),
    [
        pytest.param(shares("a", "b"), ["a"] * 50 + ["b"] * 50, "passed", 0.0, id="as-the-reference"),
        pytest.param(shares("a", "b"), ["a"] * 50 + ["b"] * 50 + [None] * 99, "passed", 0.0, id="nulls-are-not-judged"),
        pytest.param(shares("a", "b"), ["a"] * 47 + ["b"] * 48 + ["new"] * 5, "failed", 0.1479, id="5-%-of-a-new-value"),
        pytest.param(shares("a", "b"), ["a"] * 49 + ["b"] * 50 + ["new"], "passed", 0.0141, id="1-%-of-a-new-value"),
        pytest.param(shares("a", "b"), ["a"] * 100, "failed", 0.6931, id="a-value-is-gone"),
        pytest.param(
            shares("a", "b", "c", shares=[0.5, 0.5, 0.0]), ["a"] * 47 + ["b"] * 48 + ["c"] * 5, "failed", 0.1479,
            id="a-value-that-the-reference-did-not-have",
        ),
        pytest.param(shares("a", "b"), [None] * 4, "failed", None, id="no-values"),
    ],
)  # fmt: skip
def test_a_distribution_is_near_its_reference_or_not(
    rule: DistributionNear, values: list[str | None], status: str, observed: float | None
) -> None:
    [result] = judge_frame(pd.DataFrame({"s": pd.Series(values, dtype=object)}), [rule])
    assert result.status == status
    assert result.observed == (None if observed is None else pytest.approx(observed, abs=1e-3))


@pytest.mark.parametrize(
    "edges",
    [(0, 1, 2), (-np.inf, 1, np.inf), (-np.inf, 1, 2), (0, 1, np.inf)],
    ids=["closed", "open", "open-below", "open-above"],
)
def test_numbers_beyond_the_edges_count_against_a_distribution(edges: tuple[float, ...]) -> None:
    rule = shares("x", "y", near=0.05, values=(), edges=edges)
    good, far = [0.5] * 50 + [1.5] * 50, [-9.0] * 50 + [9.0] * 50
    assert judge_frame(pd.DataFrame({"s": good}), [rule])[0].status == "passed"
    [result] = judge_frame(pd.DataFrame({"s": far}), [rule])
    assert result.status == ("passed" if edges == (-np.inf, 1, np.inf) else "failed")
    assert isinstance(result.observed, float)  # and not infinite


def test_a_shifted_clock_changes_the_distribution_of_hours() -> None:
    times = pd.Series(pd.date_range("2020-01-01 06:00", periods=6, freq="h", tz="UTC").repeat(20))
    rule = shares("x", "y", values=(), edges=(0, 12, 24), shares=[0.999, 0.001], hour_of_day=True)
    assert judge_frame(pd.DataFrame({"s": times.dt.tz_convert("Asia/Tokyo")}), [rule])[0].status == "passed"
    assert judge_frame(pd.DataFrame({"s": times + pd.Timedelta(hours=6)}), [rule])[0].status == "failed"


def test_hours_of_a_place_are_not_moved_by_its_summer_time() -> None:
    days = pd.date_range("2020-03-01 08:00", "2020-04-30 08:00", tz="Europe/London").tz_convert("UTC")
    half = {"values": (), "edges": (0, 8, 24), "shares": [0.001, 0.999], "near": 0.05, "hour_of_day": True}
    frame = pd.DataFrame({"s": days})
    assert judge_frame(frame, [shares("x", "y", **half, timezone="Europe/London")])[0].status == "passed"
    assert judge_frame(frame, [shares("x", "y", **half)])[0].status == "failed"


def test_hours_of_a_column_that_holds_no_times_cannot_be_judged() -> None:
    rule = shares("x", "y", values=(), edges=(0, 12, 24), hour_of_day=True)
    [result] = judge_frame(pd.DataFrame({"s": ["a"]}), [rule])
    assert (result.status, result.observed) == ("errored", '"s" is not there, or holds no times')


@pytest.mark.parametrize(
    ("values", "kinds"),
    [
        pytest.param([1, 2], {"int", "float"}, id="whole-numbers"),
        pytest.param([1.0, None, 2.0], {"int", "float"}, id="whole-numbers-with-gaps"),
        pytest.param([1.5, 2.0], {"float"}, id="fractions"),
        pytest.param(["a", None], {"string"}, id="text"),
        pytest.param([True, False], set(), id="truth-values"),
        pytest.param([None, None], {"int", "float", "string"}, id="nothing"),
        pytest.param(["a", 1], set(), id="text-and-numbers"),
    ],
)
def test_a_column_is_of_a_type_or_not(values: list[object], kinds: set[str]) -> None:
    rules = [OfType(kind="of_type", column="c", type=kind) for kind in ("int", "float", "string")]
    results = judge_frame(pd.DataFrame({"c": values}), rules)
    assert {rule.type for rule, result in zip(rules, results, strict=True) if result.status == "passed"} == kinds


def test_rows_without_one_of_two_columns_are_not_judged_for_their_order() -> None:
    frame = pd.DataFrame({"a": [1.0, 5.0, None, 2.0], "b": [1.0, 4.0, 0.0, None]})
    rule = Ordered(kind="ordered", lower="a", upper="b", mostly=0.5)
    [result] = judge_frame(frame, [rule])
    assert (result.status, result.observed, result.unexpected_share) == ("passed", "e.g. a=5 b=4", 0.5)


def test_a_single_column_can_be_unique_and_two_rows_without_a_value_are_not() -> None:
    rule = UniqueTogether(kind="unique_together", columns=("k",))
    assert judge_frame(pd.DataFrame({"k": ["a", "b", None]}), [rule])[0].status == "passed"
    [result] = judge_frame(pd.DataFrame({"k": ["a", None, None]}), [rule])
    assert (result.status, result.unexpected_share) == ("failed", pytest.approx(2 / 3))
