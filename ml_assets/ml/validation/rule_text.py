"""A rule in words, as check results, Data Docs and quarantine tables show it. What is judged stands elsewhere."""

from collections.abc import Sequence
from typing import Any, assert_never

from ml_assets.spec.validation import (
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

SHOWN_VALUES = 6
"""Values of a list, or examples of a failure, that a text names before it says "and N more"."""


def rule_text(rule: ValidationRule) -> str:
    """A rule in one short phrase, e.g. `arr_delay between -120 and 1500 (mostly 0.999)`."""
    match rule:
        case NotNull():
            text = f"{rule.column} not null"
        case OfType():
            text = f"{rule.column} of type {rule.type}"
        case Between():
            text = f"{rule.column} {_range_text(rule.low, rule.high)}"
        case InSet():
            text = f"{rule.column} in {listed(rule.values)}"
        case UniqueTogether():
            text = f"{', '.join(rule.columns)} unique" + (" together" if len(rule.columns) > 1 else "")
        case Ordered():
            text = f"{rule.lower} at most {rule.upper}"
        case QuantileBetween():
            text = f"quantile {number(rule.quantile)} of {rule.column} {_range_text(rule.low, rule.high)}"
        case DistributionNear():
            what = f"hour ({rule.timezone})" if rule.hour_of_day else "distribution"
            text = f"{what} of {rule.column} within {number(rule.max_divergence)} nats of the reference"
        case RowCount():
            text = f"rows {_range_text(rule.low, rule.high)}"
        case _:
            assert_never(rule)
    mostly = getattr(rule, "mostly", 1.0)
    return text if mostly == 1.0 else f"{text} (mostly {number(mostly)})"


def listed(values: Sequence[Any]) -> str:
    """The first values of a list, and how many there are besides."""
    shown = ", ".join(str(value) for value in values[:SHOWN_VALUES])
    return shown if len(values) <= SHOWN_VALUES else f"{shown} and {len(values) - SHOWN_VALUES} more"


def number(value: float) -> str:
    """A number as people write it: ten digits at most, no trailing zeros."""
    return f"{value:.10g}"


def _range_text(low: float | None, high: float | None) -> str:
    if low is not None and high is not None:
        return f"between {number(low)} and {number(high)}"
    return f"at least {number(low)}" if low is not None else f"at most {number(high)}" if high is not None else ""
