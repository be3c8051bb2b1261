"""Validation rules that the profile suggests: of a training set, in the order of their worth."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ml_assets.onboarding import sizing
from ml_assets.onboarding.profile import ColumnProfile, TableProfile
from ml_assets.onboarding.windows import Grid
from ml_assets.spec import FeatureType, Task

_MAX_SET = 12
"""A category with more values is not listed."""
_MOSTLY = 0.99
_MOSTLY_USUAL = 0.95
_OUTLYING = 10
"""A range so many times as wide as that of the middle 99% is one of outliers. All conventions."""

Rule = dict[str, Any]


def propose_rules(
    profile: TableProfile,
    features: Mapping[str, FeatureType],
    label: str,
    task: Task,
    classes: Sequence[str],
    grid: Grid,
) -> list[Rule]:
    """What must hold (`critical`), then what held until now (`warning`): gaps first, then categories and ranges.

    Args:
        profile: The columns.
        features: The features.
        label: The label's column.
        task: The task.
        classes: The label's values as text, for a multiclass label.
        grid: The windows.
    """
    columns = [profile.columns[name] for name in features]
    return [
        {"kind": "row_count", "low": sizing.least_training_rows(grid.typical, len(grid.rows))},
        _label_rule(profile.columns[label], task, classes),
        *_gaps(columns),
        *_categories(columns, features),
        *_ranges(columns, features),
    ]


def _label_rule(label: ColumnProfile, task: Task, classes: Sequence[str]) -> Rule:
    if task == "binary":
        return {"kind": "in_set", "column": label.name, "values": [0, 1]}
    if task == "multiclass":
        return {"kind": "in_set", "column": label.name, "values": list(classes)}
    return _range(label)


def _gaps(columns: Sequence[ColumnProfile]) -> Iterator[Rule]:
    for column in sorted((c for c in columns if c.nulls), key=lambda c: c.null_share):
        mostly = sizing.share_seen(1 - column.null_share)
        yield {"kind": "not_null", "column": column.name, "mostly": mostly, "severity": "warning"}


def _categories(columns: Sequence[ColumnProfile], features: Mapping[str, FeatureType]) -> Iterator[Rule]:
    for column in columns:
        if features[column.name] == "string" and 0 < len(column.values) <= _MAX_SET:
            values = sorted(map(str, column.values))
            yield {"kind": "in_set", "column": column.name, "values": values, "mostly": _MOSTLY, "severity": "warning"}


def _ranges(columns: Sequence[ColumnProfile], features: Mapping[str, FeatureType]) -> Iterator[Rule]:
    for column in columns:
        if features[column.name] != "string" and column.low is not None:
            yield _range(column)


def _range(column: ColumnProfile) -> Rule:
    """The seen range; where a few outliers make it tell nothing, that of nearly all values."""
    low, high, mostly = column.low or 0.0, column.high or 0.0, _MOSTLY
    if column.usual and 0 < _OUTLYING * (column.usual[1] - column.usual[0]) < high - low:
        (low, high), mostly = column.usual, _MOSTLY_USUAL
    low, high = sizing.widened(low, high)
    values = {"low": low, "high": high, "mostly": mostly}
    return {"kind": "between", "column": column.name, **values, "severity": "warning"}
