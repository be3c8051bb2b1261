"""Frames judged by Great Expectations, without a project of its own and without pages.

Here belongs how a suite is run. What its expectations are stands in `suites.py`, how results are read in
`rule_results.py`, which rows broke a rule in `quarantine.py`; pages are `resources.data_docs`'.
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import pandas as pd

from ml_assets.ml.validation.gx_duckdb import pushdown_engine
from ml_assets.ml.validation.rule_results import RuleResult, read_results
from ml_assets.ml.validation.rule_text import rule_text
from ml_assets.ml.validation.suites import expectation_suite, judged_frame
from ml_assets.spec.validation import ValidationRule

if TYPE_CHECKING:
    from great_expectations.core import ExpectationSuiteValidationResult
    from great_expectations.data_context import EphemeralDataContext

__all__ = ["RuleResult", "expectation_suite", "judge", "read_results", "rule_text", "run_suite"]

_EXAMPLES = 20
"""Rows that broke a rule which a result keeps as examples; each breach is told once."""


def judge(frame: pd.DataFrame, rules: Sequence[ValidationRule]) -> tuple[RuleResult, ...]:
    """What each rule finds in a frame.

    Args:
        frame: (n_rows, n_columns); not changed.
        rules: What must hold.

    Returns:
        One result per rule, in the order of the rules. A rule that cannot be judged (its column is not there, or holds
        text where numbers are asked for) is `errored`, never an exception.
    """
    return read_results(run_suite("rules", frame, rules), rules) if rules else ()


def run_suite(
    name: str, frame: pd.DataFrame, rules: Sequence[ValidationRule], *, set_aside: Mapping[int, int] | None = None
) -> "ExpectationSuiteValidationResult":
    """The same as `judge`, as Great Expectations has it.

    Args:
        name: Name of the suite.
        frame: (n_rows, n_columns); not changed.
        rules: What must hold.
        set_aside: Position of a rule -> rows that were taken out of the frame for breaking it.
    """
    from great_expectations import __version__
    from great_expectations.core import ExpectationSuiteValidationResult
    from great_expectations.core.batch import Batch
    from great_expectations.execution_engine.pandas_batch_data import PandasBatchData
    from great_expectations.validator.validation_statistics import calc_validation_statistics
    from great_expectations.validator.validator import Validator

    judged = judged_frame(frame, rules)
    suite = expectation_suite(name, rules, frame, set_aside)
    engine = pushdown_engine(judged)
    # A context of its own: a shared one would keep every frame that it ever saw.
    batch = Batch(data=PandasBatchData(engine, judged))  # type: ignore[arg-type]  # annotated as a class
    validator = Validator(execution_engine=engine, batches=[batch], data_context=_context())
    form = {"result_format": "SUMMARY", "partial_unexpected_count": _EXAMPLES}
    results = validator.graph_validate(suite.expectation_configurations, runtime_configuration={"result_format": form})
    statistics = calc_validation_statistics(results)
    return ExpectationSuiteValidationResult(
        success=statistics.success,
        results=results,
        suite_name=name,
        statistics={key: value for key, value in statistics._asdict().items() if key != "success"},
        meta={"great_expectations_version": __version__},
    )


def _context() -> "EphemeralDataContext":
    """A context that keeps nothing, says nothing on the terminal and nothing to others."""
    import great_expectations as gx
    from great_expectations.data_context.types.base import (
        DataContextConfig,
        InMemoryStoreBackendDefaults,
        ProgressBarsConfig,
    )

    config = DataContextConfig(
        store_backend_defaults=InMemoryStoreBackendDefaults(init_temp_docs_sites=False),
        analytics_enabled=False,
        progress_bars=ProgressBarsConfig(globally=False),
    )
    return gx.get_context(mode="ephemeral", project_config=config)
