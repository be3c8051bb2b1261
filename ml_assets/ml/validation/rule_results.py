"""What Great Expectations found, as plain data: one result per rule, in the order of the rules."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from ml_assets.ml.validation.rule_text import SHOWN_VALUES, number, rule_text
from ml_assets.ml.validation.suites import RULE
from ml_assets.spec.validation import (
    DistributionNear,
    NotNull,
    OfType,
    Ordered,
    QuantileBetween,
    RowCount,
    Severity,
    ValidationRule,
)

if TYPE_CHECKING:
    from great_expectations.core import ExpectationSuiteValidationResult, ExpectationValidationResult


@dataclass(frozen=True)
class RuleResult:
    """What one rule found.

    `observed` is the row count, the quantile or divergence (None without values), the number of nulls, the type found,
    or examples of what broke the rule; of an errored rule the reason. `unexpected_share` is 0 to 1 of the rows judged
    (`not_null` and `unique_together` judge nulls too), and None where a rule judges the set as a whole, or no row at
    all. `set_aside` counts the rows that were taken out for breaking the rule before it was judged on the rest.
    """

    rule: str
    column: str | None
    severity: Severity
    status: Literal["passed", "failed", "errored"]
    observed: float | int | str | None
    unexpected_share: float | None
    notes: str
    set_aside: int = 0


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
    by_position = {position(result): result for result in suite_result.results}
    return tuple(_read(by_position[at], rule) for at, rule in enumerate(rules))


def position(result: "ExpectationValidationResult") -> int:
    """Position of the rule that a result belongs to; -1 of a result that belongs to none."""
    config = result.expectation_config
    return -1 if config is None else int(config.meta[RULE])


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
        observed=_reason(error, rule) if error else _observed(found, rule),
        unexpected_share=None if share is None else float(share) / 100,
        notes=rule.notes,
    )


def _error(info: Mapping[str, Any] | None) -> str | None:
    """The message of an exception inside, as one line; GX keeps it at the top, or a level below by a metric's name."""
    for part in (info or {}, *(info or {}).values()):
        if isinstance(part, Mapping) and part.get("raised_exception"):
            return " ".join(str(part.get("exception_message") or "unknown error").split())
    return None


def _reason(error: str, rule: ValidationRule) -> str:
    """GX names nothing but the derived column."""
    if isinstance(rule, DistributionNear) and rule.hour_of_day:
        return f'"{rule.column}" is not there, or holds no times'
    return error


def _observed(found: Mapping[str, Any], rule: ValidationRule) -> float | int | str | None:
    match rule:
        case RowCount():
            return int(found["observed_value"])
        case QuantileBetween():
            return _finite(found["observed_value"]["values"][0])
        case DistributionNear():
            return _finite(found["observed_value"])
        case NotNull():
            return int(found["unexpected_count"])
        case Ordered():
            pairs = found.get("partial_unexpected_list", ())
            return _examples(f"{rule.lower}={_example(low)} {rule.upper}={_example(high)}" for high, low in pairs)
        case OfType() if "observed_value" in found:
            return str(found["observed_value"])
        case _:
            return _examples(_example(value) for value in found.get("partial_unexpected_list", ()))


def _examples(texts: Iterable[str]) -> str | None:
    """Each breach is named once, however many rows share it."""
    different = list(dict.fromkeys(texts))
    return f"e.g. {', '.join(different[:SHOWN_VALUES])}" if different else None


def _finite(value: Any) -> float | None:
    """A column without values has no quantile and no divergence."""
    return None if value is None or math.isnan(value) else float(value)


def _example(value: Any) -> str:
    if isinstance(value, Mapping):
        return " ".join(f"{column}={_example(part)}" for column, part in value.items())
    return number(value) if isinstance(value, float) else str(value)
