"""How many values may be missing, and what type a column has."""

from ml_assets.ml.validation.profiling.columns import ReferenceColumn
from ml_assets.ml.validation.profiling.shown import percent
from ml_assets.ml.validation.profiling.tolerance import most_share, severity_over, share_down
from ml_assets.spec import FeatureType, NotNull, OfType

_LEAST_SHARE = 0.01
"""Missing values that are always allowed, but for keys: what a hundredth lacks, XGBoost takes as missing."""
_MOST_SHARE = 0.98


def null_rule(column: ReferenceColumn, over: str, *, never: bool) -> NotNull | None:
    """How many values must be there; None where next to all may be missing.

    Args:
        column: Any column that is not empty.
        over: What the reference is, for the notes.
        never: Whether no value may ever be missing: of keys and labels.
    """
    total = column.n_rows
    missing = total - len(column.values)
    if never and not missing:
        notes = f"Never missing in {over}: part of the key, a time or the label."
        return NotNull(kind="not_null", column=column.name, notes=notes)
    sizes = column.rows[column.rows > 0]
    shares = 1 - column.counts[column.rows > 0] / sizes
    limit = most_share(shares, sizes, _LEAST_SHARE)
    if limit > _MOST_SHARE:
        return None
    if missing:
        notes = f"Missing {percent(missing / total)}, {percent(shares.min())} to {percent(shares.max())} in {over}."
    else:
        notes = f"Never missing in {over}; {percent(_LEAST_SHARE)} allowed."
    return NotNull(
        kind="not_null",
        column=column.name,
        mostly=share_down(1 - limit),
        severity=severity_over(len(shares)),
        notes=notes,
    )


def type_rule(column: ReferenceColumn, declared: FeatureType | None) -> OfType | None:
    """The type: the declared one, or what the values are; None where it is none that a rule can name.

    Args:
        column: The column.
        declared: Its type in the declaration. Whole numbers of undeclared columns are `int` only where pandas
            says so: amounts that happen to be whole are not.
    """
    if declared is None:
        if column.kind not in ("int", "float", "string"):
            return None
        declared = column.kind
    elif column.kind == "empty":
        return None
    said = f"Declared as {declared}." if column.kind != declared else f"All values are {declared}."
    return OfType(kind="of_type", column=column.name, type=declared, notes=said)
