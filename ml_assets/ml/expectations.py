"""Validation rules as Great Expectations: the suite built from a spec, and its results as plain data.

Running a suite and rendering its Data Docs belong to the resource; what a rule means belongs to the spec.
"""

import html
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, assert_never

from ml_assets.spec.validation import (
    Between,
    InSet,
    NotNull,
    QuantileBetween,
    RowCount,
    Severity,
    UniqueTogether,
    ValidationRule,
)

if TYPE_CHECKING:
    from great_expectations import ExpectationSuite
    from great_expectations.core import ExpectationSuiteValidationResult, ExpectationValidationResult
    from great_expectations.expectations.expectation import Expectation

_SHOWN_VALUES = 6
"""Values of a list, or examples of a failure, that a text names before it says "and N more"."""

_RULE = "rule"
"""Key in an expectation's meta that holds its rule's position: GX returns results in an order of its own."""


@dataclass(frozen=True)
class RuleResult:
    """What one rule found.

    `observed` is the row count, the quantile (None without values), the number of nulls, or examples of what
    broke the rule; of an errored rule the reason. `unexpected_share` is 0 to 1 of the rows judged (`not_null`
    and `unique_together` judge nulls too), and None where a rule judges the set as a whole, or no row at all.
    """

    rule: str
    column: str | None
    severity: Severity
    status: Literal["passed", "failed", "errored"]
    observed: float | int | str | None
    unexpected_share: float | None
    notes: str


def expectation_suite(name: str, rules: Sequence[ValidationRule]) -> "ExpectationSuite":
    """The suite that judges these rules; the same rule twice stays two expectations.

    Args:
        name: Suite name; GX makes a folder of every dotted part of it.
        rules: At most one expectation each, tagged with its position for `read_results`.
    """
    from great_expectations import ExpectationSuite

    return ExpectationSuite(name, [_expectation(rule, position) for position, rule in enumerate(rules)])


def read_results(
    suite_result: "ExpectationSuiteValidationResult", rules: Sequence[ValidationRule]
) -> tuple[RuleResult, ...]:
    """One result per rule, in the order of the rules.

    Args:
        suite_result: What GX returned for the suite that `expectation_suite` built from the same rules.
        rules: Those rules.

    Raises:
        KeyError: The suite was built from other rules.
    """
    by_position = {_position(result): result for result in suite_result.results}
    return tuple(_read(by_position[position], rule) for position, rule in enumerate(rules))


def rule_text(rule: ValidationRule) -> str:
    """A rule in one short phrase, e.g. `arr_delay between -120 and 1500 (mostly 0.999)`."""
    match rule:
        case NotNull():
            text = f"{rule.column} not null"
        case Between():
            text = f"{rule.column} {_range_text(rule.low, rule.high)}"
        case InSet():
            text = f"{rule.column} in {_listed(rule.values)}"
        case UniqueTogether():
            text = f"{', '.join(rule.columns)} unique together"
        case QuantileBetween():
            text = f"quantile {_number(rule.quantile)} of {rule.column} {_range_text(rule.low, rule.high)}"
        case RowCount():
            text = f"rows {_range_text(rule.low, rule.high)}"
        case _:
            assert_never(rule)
    mostly = getattr(rule, "mostly", 1.0)
    return text if mostly == 1.0 else f"{text} (mostly {_number(mostly)})"


def _expectation(rule: ValidationRule, position: int) -> "Expectation":
    import great_expectations.expectations as gxe

    common: dict[str, Any] = {
        "severity": rule.severity,
        "notes": rule.notes or None,
        "description": _description(rule),
        "meta": {_RULE: position},
    }
    match rule:
        case NotNull():
            return gxe.ExpectColumnValuesToNotBeNull(column=rule.column, mostly=rule.mostly, **common)
        case Between():
            return gxe.ExpectColumnValuesToBeBetween(
                column=rule.column, min_value=rule.low, max_value=rule.high, mostly=rule.mostly, **common
            )
        case InSet():
            return gxe.ExpectColumnValuesToBeInSet(
                column=rule.column, value_set=list(rule.values), mostly=rule.mostly, **common
            )
        case UniqueTogether():
            # By default GX leaves out rows in which all of these are null; two of them share a key as well.
            return gxe.ExpectCompoundColumnsToBeUnique(column_list=list(rule.columns), ignore_row_if="never", **common)
        case QuantileBetween():
            band = {"quantiles": [rule.quantile], "value_ranges": [[rule.low, rule.high]]}
            return gxe.ExpectColumnQuantileValuesToBeBetween(
                column=rule.column, quantile_ranges=band, allow_relative_error=False, **common
            )
        case RowCount():
            return gxe.ExpectTableRowCountToBeBetween(min_value=rule.low, max_value=rule.high, **common)
        case _:
            assert_never(rule)


def _description(rule: ValidationRule) -> str | None:
    """What Data Docs say in GX's stead, which keeps severity and notes off the page of results; as HTML."""
    if rule.severity == "critical" and not rule.notes:
        return None
    mark = "" if rule.severity == "critical" else f" ({rule.severity})"
    return html.escape(f"{rule_text(rule)}{mark}" + (f": {rule.notes}" if rule.notes else ""), quote=False)


def _position(result: "ExpectationValidationResult") -> int:
    config = result.expectation_config
    return -1 if config is None else int(config.meta[_RULE])


def _read(result: "ExpectationValidationResult", rule: ValidationRule) -> RuleResult:
    error = _error(result.exception_info)
    found = result.result or {}
    # Rules that skip nulls are judged on the other rows, so their share is of those.
    share = found.get("unexpected_percent_nonmissing", found.get("unexpected_percent"))
    return RuleResult(
        rule=rule_text(rule),
        column=getattr(rule, "column", None),
        severity=rule.severity,
        status="errored" if error else "passed" if result.success else "failed",
        observed=error or _observed(found, rule),
        unexpected_share=None if share is None else float(share) / 100,
        notes=rule.notes,
    )


def _error(info: Mapping[str, Any] | None) -> str | None:
    """The message of an exception inside; GX keeps it at the top, or a level below under a metric's name."""
    for part in (info or {}, *(info or {}).values()):
        if isinstance(part, Mapping) and part.get("raised_exception"):
            return str(part.get("exception_message") or "unknown error")
    return None


def _observed(found: Mapping[str, Any], rule: ValidationRule) -> float | int | str | None:
    match rule:
        case RowCount():
            return int(found["observed_value"])
        case QuantileBetween():
            value = float(found["observed_value"]["values"][0])
            return None if math.isnan(value) else value  # a column without values has no quantile
        case NotNull():
            return int(found["unexpected_count"])
        case _:
            # Each breach is named once, however many rows share it.
            examples = list(dict.fromkeys(_example(value) for value in found.get("partial_unexpected_list", ())))
            return f"e.g. {', '.join(examples[:_SHOWN_VALUES])}" if examples else None


def _example(value: Any) -> str:
    if isinstance(value, Mapping):
        return " ".join(f"{column}={part}" for column, part in value.items())
    return _number(value) if isinstance(value, float) else str(value)


def _listed(values: Sequence[Any]) -> str:
    shown = ", ".join(str(value) for value in values[:_SHOWN_VALUES])
    return shown if len(values) <= _SHOWN_VALUES else f"{shown} and {len(values) - _SHOWN_VALUES} more"


def _range_text(low: float | None, high: float | None) -> str:
    if low is not None and high is not None:
        return f"between {_number(low)} and {_number(high)}"
    return f"at least {_number(low)}" if low is not None else f"at most {_number(high)}" if high is not None else ""


def _number(value: float) -> str:
    return f"{value:.10g}"
