"""What each validation rule finds in good, bad and unjudgeable data."""

import great_expectations as gx
import numpy as np
import pandas as pd
import pytest

from ml_assets.ml.expectations import RuleResult, expectation_suite, read_results, rule_text
from ml_assets.spec import Between, InSet, NotNull, QuantileBetween, RowCount, UniqueTogether, ValidationRule

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
    context = gx.get_context(mode="ephemeral")
    asset = context.data_sources.add_pandas("frames").add_dataframe_asset("frame")
    batch = asset.add_batch_definition_whole_dataframe("all").get_batch({"dataframe": frame})
    return read_results(batch.validate(expectation_suite("rules", rules), result_format="SUMMARY"), rules)


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
