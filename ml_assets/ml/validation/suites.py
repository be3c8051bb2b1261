"""Validation rules as Great Expectations: one expectation per rule, and the columns that it needs besides.

Running a suite belongs to `expectations.py`, reading what came of it to `rule_results.py`; what a rule means to the
spec.
"""

import html
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, assert_never

import numpy as np
import pandas as pd

from ml_assets.ml.validation.gx_quantiles import mend_quantiles
from ml_assets.ml.validation.hours import hour_of_day
from ml_assets.ml.validation.rule_text import rule_text
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

if TYPE_CHECKING:
    from great_expectations import ExpectationSuite
    from great_expectations.expectations.expectation import Expectation

RULE = "rule"
"""Key in an expectation's meta that holds its rule's position: GX returns results in an order of its own."""

UNSEEN = 1e-3
"""Share of all values that `distribution` grants to what its reference lacks (values not listed, numbers beyond the
edges, parts with a share of 0), divided among them. With none, one such row would make the divergence infinite. A new
value with a share s adds about s·ln(s/0.001) - s nats: 0.15 for 5 % of the rows, 0.014 for 1 %, nothing for 0.1 %."""

_TYPES: dict[str, tuple[str, ...]] = {
    "float": ("float64", "float32", "Float64Dtype", "Float32Dtype", "float"),
    "int": (
        "int64",
        "int32",
        "int16",
        "int8",
        "uint64",
        "uint32",
        "uint16",
        "uint8",
        "Int64Dtype",
        "Int32Dtype",
        "int",
    ),
    "string": ("str", "StringDtype"),
}
"""Names that GX knows for the types of pandas; the last but `string`'s are for values in a column of objects."""


def expectation_suite(
    name: str,
    rules: Sequence[ValidationRule],
    frame: pd.DataFrame | None = None,
    set_aside: Mapping[int, int] | None = None,
) -> "ExpectationSuite":
    """The suite that judges these rules; the same rule twice stays two expectations.

    Args:
        name: Suite name; GX makes a folder of every dotted part of it.
        rules: One expectation each, tagged with its position for `read_results`.
        frame: (n_rows, n_columns), what will be judged; by its columns `of_type` tells whole numbers with gaps, which
            pandas holds as floats, from others. Without a frame the columns' own types decide.
        set_aside: Position of a rule -> rows that were taken out for breaking it; its description says so.
    """
    from great_expectations import ExpectationSuite

    mend_quantiles()
    aside = set_aside or {}
    return ExpectationSuite(name, [_expectation(rule, at, frame, aside.get(at, 0)) for at, rule in enumerate(rules)])


def judged_frame(frame: pd.DataFrame, rules: Sequence[ValidationRule]) -> pd.DataFrame:
    """The frame with the columns that rules judge besides its own: hours of the day, and numbers without pandas' NA.

    A rule whose time column is missing, or holds no times, finds its column missing too, and is errored.
    """
    near = [rule for rule in rules if isinstance(rule, DistributionNear) and rule.column in frame]
    added: dict[str, pd.Series] = {}
    for rule in near:
        column = frame[rule.column]
        if rule.hour_of_day and pd.api.types.is_datetime64_any_dtype(column):
            added[hour_column(rule)] = hour_of_day(column, rule.timezone)
        elif rule.edges and _has_nullable_numbers(frame, rule.column):
            added[number_column(rule.column)] = column.astype("float64")
    return frame.assign(**added) if added else frame


def hour_column(rule: DistributionNear) -> str:
    """Name of the hours of a rule's time column; no declared column has brackets in its name."""
    return f"{rule.column} (hour, {rule.timezone})"


def number_column(column: str) -> str:
    """Name of the plain floats of a column of pandas' nullable numbers, in whose NA GX's histograms fail."""
    return f"{column} (number)"


def _has_nullable_numbers(frame: pd.DataFrame | None, column: str) -> bool:
    if frame is None or column not in frame:
        return False
    kind = frame[column].dtype
    return pd.api.types.is_extension_array_dtype(kind) and pd.api.types.is_numeric_dtype(kind)


def _expectation(rule: ValidationRule, position: int, frame: pd.DataFrame | None, set_aside: int) -> "Expectation":
    import great_expectations.expectations as gxe

    common: dict[str, Any] = {
        "severity": rule.severity,
        "notes": rule.notes or None,
        "description": _description(rule, set_aside),
        "meta": {RULE: position},
    }
    match rule:
        case NotNull():
            return gxe.ExpectColumnValuesToNotBeNull(column=rule.column, mostly=rule.mostly, **common)
        case OfType():
            return gxe.ExpectColumnValuesToBeInTypeList(
                column=rule.column, type_list=_type_names(rule, frame), **common
            )
        case Between():
            return gxe.ExpectColumnValuesToBeBetween(
                column=rule.column, min_value=rule.low, max_value=rule.high, mostly=rule.mostly, **common
            )
        case InSet():
            return gxe.ExpectColumnValuesToBeInSet(
                column=rule.column, value_set=list(rule.values), mostly=rule.mostly, **common
            )
        case UniqueTogether():
            # GX asks for two columns: one twice says the same. By default it leaves out rows in which all of them are
            # null; two such rows share a key as well.
            columns = list(rule.columns) if len(rule.columns) > 1 else [*rule.columns, *rule.columns]
            return gxe.ExpectCompoundColumnsToBeUnique(
                column_list=columns, ignore_row_if="never", mostly=rule.mostly, **common
            )
        case Ordered():
            return gxe.ExpectColumnPairValuesAToBeGreaterThanB(
                column_A=rule.upper,
                column_B=rule.lower,
                or_equal=True,
                ignore_row_if="either_value_is_missing",
                mostly=rule.mostly,
                **common,
            )
        case QuantileBetween():
            band = {"quantiles": [rule.quantile], "value_ranges": [[rule.low, rule.high]]}
            return gxe.ExpectColumnQuantileValuesToBeBetween(
                column=rule.column, quantile_ranges=band, allow_relative_error=False, **common
            )
        case DistributionNear():
            return gxe.ExpectColumnKLDivergenceToBeLessThan(
                column=_judged_column(rule, frame),
                partition_object=_reference(rule),
                threshold=rule.max_divergence,
                tail_weight_holdout=0.0 if _covers_all(rule) else UNSEEN,
                **common,
            )
        case RowCount():
            return gxe.ExpectTableRowCountToBeBetween(min_value=rule.low, max_value=rule.high, **common)
        case _:
            assert_never(rule)


def _judged_column(rule: DistributionNear, frame: pd.DataFrame | None) -> str:
    if rule.hour_of_day:
        return hour_column(rule)
    return number_column(rule.column) if rule.edges and _has_nullable_numbers(frame, rule.column) else rule.column


def _reference(rule: DistributionNear) -> dict[str, list[Any]]:
    """What GX calls a partition object: the parts, and their shares, none of them 0."""
    shares = np.asarray(rule.shares) / sum(rule.shares)
    if empty := int((shares == 0).sum()):
        shares = np.where(shares == 0, UNSEEN / empty, shares * (1 - UNSEEN))
    parts = {"values": list(rule.values)} if rule.values else {"bins": list(rule.edges)}
    return {**parts, "weights": shares.tolist()}


def _covers_all(rule: DistributionNear) -> bool:
    """Whether the edges leave nothing beyond them: GX then refuses a share for it."""
    return bool(rule.edges) and rule.edges[0] == -np.inf and rule.edges[-1] == np.inf


def _type_names(rule: OfType, frame: pd.DataFrame | None) -> list[str]:
    """Types of pandas that count as the rule's: whole numbers are floats too, and nulls are of any type."""
    names = [*_TYPES[rule.type], *(_TYPES["int"] if rule.type == "float" else ())]
    if frame is None or rule.column not in frame:
        return names
    column = frame[rule.column]
    whole = rule.type == "int" and pd.api.types.is_float_dtype(column) and bool((column.dropna() % 1 == 0).all())
    return [*names, str(column.dtype)] if whole or column.isna().all() else names


def _description(rule: ValidationRule, set_aside: int) -> str | None:
    """What Data Docs say in GX's stead, which keeps severity and notes off the page of results; as HTML."""
    marks: list[str] = [rule.severity] if rule.severity != "critical" else []
    marks += [f"{set_aside} rows set aside"] if set_aside else []
    if not marks and not rule.notes and not isinstance(rule, DistributionNear):
        return None
    mark = f" ({', '.join(marks)})" if marks else ""
    return html.escape(f"{rule_text(rule)}{mark}" + (f": {rule.notes}" if rule.notes else ""), quote=False)
