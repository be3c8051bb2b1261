"""Lists of values: of text, of truth values and of whole numbers that stand for something. Numbers have ranges."""

import numpy as np
from numpy.typing import NDArray

from ml_assets.ml.validation.profiling.columns import ReferenceColumn
from ml_assets.ml.validation.profiling.shown import percent
from ml_assets.ml.validation.profiling.tolerance import severity_over, share_down
from ml_assets.spec import InSet

MOST_TEXTS = 150
"""Texts that a list may hold: a person still reads through it."""
MOST_NUMBERS = 12
"""Whole numbers that are taken for codes, where every part has them all."""
LONGEST_TEXT = 60
_MOST_CLOSED = 20
_MOST_UNSEEN, _LEAST_NEW = 0.02, 0.005
_LEAST_REPEATS = 5


def set_rule(column: ReferenceColumn, over: str) -> InSet | None:
    """The list that values come from; None for identifiers, free text and numbers that measure or count.

    A list is a list where a part brings (next to) nothing that the other parts have not shown. Identifiers go on
    bringing new ones, which is how they are told apart.

    Args:
        column: Text, truth values or whole numbers.
        over: What the reference is, for the notes.
    """
    if column.kind not in ("string", "bool") and not _are_codes(column):
        return None
    distinct = column.codes[1]
    repeats = len(column.values) / max(len(distinct), 1)
    if len(distinct) > MOST_TEXTS or repeats < _LEAST_REPEATS or _is_long(column):
        return None
    unseen = _largest_unseen_share(column)
    if unseen > _MOST_UNSEEN:
        return None
    values = tuple(str(v) if column.kind == "string" else int(v) for v in distinct)
    what = f"{len(values)} values in {over}" if len(values) > 1 else f"The only value in {over}"
    severity = severity_over(len(column.usable))
    if _is_closed(column):
        notes = f"{what}, none of them rare."
        return InSet(kind="in_set", column=column.name, values=values, severity=severity, notes=notes)
    allowed = max(2 * unseen, _LEAST_NEW)
    rare = f"up to {percent(unseen)} of a part are in no other part" if unseen else "some are rare"
    notes = f"{what}; {rare}, so {percent(allowed)} may be new."
    mostly = share_down(1 - allowed)
    return InSet(kind="in_set", column=column.name, values=values, mostly=mostly, severity=severity, notes=notes)


def is_code(column: ReferenceColumn) -> bool:
    """Whether a column's values are names of something, so that how often each occurs says more than its size."""
    return column.kind in ("string", "bool") or _are_codes(column)


def _are_codes(column: ReferenceColumn) -> bool:
    if column.kind != "int" or not column.exact or not len(column.finite):
        return False
    if len(column.codes[1]) > MOST_NUMBERS or len(column.usable) < 2:
        return False
    return bool(np.all(column.table() > 0))


def _is_closed(column: ReferenceColumn) -> bool:
    """Whether no further value is to be expected: few values, each of them in half of the parts or more."""
    if len(column.codes[1]) > _MOST_CLOSED:
        return False
    return bool(np.all((column.table() > 0).mean(axis=0) >= 0.5)) if len(column.usable) > 1 else False


def _is_long(column: ReferenceColumn) -> bool:
    return column.kind == "string" and max(map(len, column.codes[1])) > LONGEST_TEXT


def _largest_unseen_share(column: ReferenceColumn) -> float:
    """Greatest share of a part's values that no other part has; of one part alone, the share of single ones."""
    table = column.table()
    if len(table) < 2:
        counts: NDArray[np.int64] = np.bincount(column.codes[0])
        return float((counts == 1).sum() / max(counts.sum(), 1))
    elsewhere = table.sum(axis=0) - table
    unseen = np.where(elsewhere == 0, table, 0).sum(axis=1)
    return float((unseen / table.sum(axis=1)).max())
