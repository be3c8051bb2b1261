"""A suite learned from a reference table: which rules hold there, with which margin, and why.

Each kind of rule is learned in its own file; here they are put together. Types, keys, ranges, lists, missing
values and orders are `critical`: measured on flights and on a shop, none of them was broken in another season. Bands
of quantiles and distributions are `warning`: a season may move them. So are ranges and lists that few parts have shown.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pydantic import TypeAdapter, ValidationError

from ml_assets.errors import TwoColumnsOfANameError
from ml_assets.ml.validation.profiling.columns import Kind, ReferenceColumn, part_codes, reference_column
from ml_assets.ml.validation.profiling.distributions import distribution_rule
from ml_assets.ml.validation.profiling.keys import key_rule
from ml_assets.ml.validation.profiling.nulls import null_rule, type_rule
from ml_assets.ml.validation.profiling.ordering import order_rules
from ml_assets.ml.validation.profiling.ranges import quantile_rules, range_rule
from ml_assets.ml.validation.profiling.tables import row_count_rule
from ml_assets.ml.validation.profiling.values import set_rule
from ml_assets.spec import Column, FeatureType, ValidationRule

_COLUMN: TypeAdapter[str] = TypeAdapter(Column)

FEW_ROWS = 100
"""Rows below which only types and keys are learned: a margin would be a guess."""


@dataclass(frozen=True)
class Roles:
    """What the columns of a reference are, as far as it is declared.

    Attributes:
        key: Columns that identify a row; found out where left out.
        required: Columns that are never null: keys, times, the label. Key columns are anyway.
        types: Declared types of columns.
        leave_out: Columns without rules.
        part: What a part is, in the plural, e.g. "weeks".
        timezone: Where the hours of times are read.
        per_part: Whether a part, and not the whole, is what the rules will judge: a window of a feature view.
    """

    key: tuple[str, ...] = ()
    required: tuple[str, ...] = ()
    types: Mapping[str, FeatureType] = field(default_factory=dict)
    leave_out: tuple[str, ...] = ()
    part: str = "parts"
    timezone: str = "UTC"
    per_part: bool = False


def learn_rules(
    frame: pd.DataFrame, *, parts: np.ndarray | None = None, roles: Roles | None = None
) -> tuple[ValidationRule, ...]:
    """The rules that a reference keeps, with tolerances from the spread between its parts.

    Args:
        frame: (n, k) the reference; of any pandas types.
        parts: (n,) time partition of each row, e.g. its week. Left out, consecutive blocks of rows stand for it.
        roles: What the columns are.

    Returns:
        Rules in the order of the columns, those on the whole table first. The same frame gives the same rules. Of
        fewer than 100 rows, only types, keys and missing values of keys are learned, and the notes say so. Columns
        whose names no rule can hold are left out.

    Raises:
        TwoColumnsOfANameError: Two columns have the same name.
    """
    roles = roles or Roles()
    if len(twice := frame.columns[frame.columns.duplicated()]):
        raise TwoColumnsOfANameError(str(twice[0]))
    codes = part_codes(len(frame), parts)
    names = [name for name in map(str, frame.columns) if can_be_ruled(name) and name not in roles.leave_out]
    columns = {name: reference_column(name, frame[name], codes) for name in names}
    over = _over(len(frame), codes, roles.part)
    whole: list[ValidationRule | None] = [
        row_count_rule(codes, over, per_part=roles.per_part),
        key_rule(frame[names], columns, [name for name in roles.key if name in columns], over),
    ]
    by_column = [rule for column in columns.values() for rule in _of_column(column, over, roles)]
    ordered = [] if len(frame) < FEW_ROWS else order_rules(*_comparable(columns), codes, over)
    return tuple(rule for rule in [*whole, *by_column, *ordered] if rule is not None)


def can_be_ruled(name: str) -> bool:
    """Whether a rule can name the column."""
    try:
        _COLUMN.validate_python(name)
    except ValidationError:
        return False
    return True


def _of_column(column: ReferenceColumn, over: str, roles: Roles) -> list[ValidationRule | None]:
    if column.kind == "empty":
        return []
    never = column.name in roles.required or column.name in roles.key
    rules: list[ValidationRule | None] = [type_rule(column, roles.types.get(column.name))]
    if column.n_rows < FEW_ROWS:
        return [*rules, null_rule(column, over, never=True)] if never else rules
    rules.append(null_rule(column, over, never=never))
    codes = set_rule(column, over)
    rules.append(codes)
    if codes is None and column.kind in ("int", "float"):
        rules.append(range_rule(column, over))
        if not _is_identifier(column, roles):
            rules += [*quantile_rules(column, over), distribution_rule(column, over)]
    elif codes is not None or column.kind == "time":
        rules.append(distribution_rule(column, over, roles.timezone))
    return rules


def _is_identifier(column: ReferenceColumn, roles: Roles) -> bool:
    """Numbers that only tell rows apart: how they are spread means nothing."""
    return column.kind == "int" and column.name in roles.key


def _comparable(
    columns: Mapping[str, ReferenceColumn],
) -> tuple[dict[str, NDArray[np.float64]], dict[str, Kind]]:
    """Numbers and times as (n,) arrays again, NaN where missing."""
    values: dict[str, NDArray[np.float64]] = {}
    kinds: dict[str, Kind] = {}
    for column in columns.values():
        if column.kind in ("int", "float", "time"):
            values[column.name] = column.whole()
            kinds[column.name] = column.kind
    return values, kinds


def _over(rows: int, codes: NDArray[np.int64], part: str) -> str:
    if rows < FEW_ROWS:
        return f"{rows} rows, too few for ranges"
    found = len(np.unique(codes))
    return f"{found} {part}" if found > 1 else f"{rows:,} rows"
