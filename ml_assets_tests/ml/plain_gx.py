"""Great Expectations' own pandas engine, through its public interface: the oracle of ours."""

from collections.abc import Sequence

import great_expectations as gx
import pandas as pd
from great_expectations.core import ExpectationSuiteValidationResult

from ml_assets.ml.validation.expectations import RuleResult, expectation_suite, read_results
from ml_assets.ml.validation.rule_results import position
from ml_assets.ml.validation.suites import judged_frame
from ml_assets.spec import ValidationRule


def plain_results(frame: pd.DataFrame, rules: Sequence[ValidationRule]) -> tuple[RuleResult, ...]:
    """What GX finds by itself."""
    return read_results(_validate(frame, rules, {"result_format": "SUMMARY", "partial_unexpected_count": 20}), rules)


def plain_broken_rows(frame: pd.DataFrame, rules: Sequence[ValidationRule]) -> list[list[int]]:
    """Of each rule, positions of the rows that GX names as unexpected."""
    found = _validate(frame.reset_index(drop=True), rules, {"result_format": "COMPLETE"}).results
    assert not any(result.exception_info.get("raised_exception") for result in found)
    rows = {position(result): sorted(result.result.get("unexpected_index_list") or []) for result in found}
    return [rows[at] for at in range(len(rules))]


def _validate(
    frame: pd.DataFrame, rules: Sequence[ValidationRule], result_format: dict
) -> ExpectationSuiteValidationResult:
    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = {"globally": False}
    asset = context.data_sources.add_pandas("frames").add_dataframe_asset("frame")
    batch = asset.add_batch_definition_whole_dataframe("all").get_batch({"dataframe": judged_frame(frame, rules)})
    return batch.validate(expectation_suite("rules", rules, frame), result_format=result_format)
