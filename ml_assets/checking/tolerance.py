"""After the first violation that refuses a window: the same source with that one let pass, to find the next.

A landing stops at its first violation. A check names all of them at once, and looks on at what is left.
"""

import re
from typing import Any

from ml_assets import errors
from ml_assets.components.places import KeyPath
from ml_assets.spec import Source

_FIELD = re.compile(r"raise `(cleaning[\w.]*)`")


def let_pass(source: Source, error: errors.MLAssetsError) -> tuple[KeyPath, Source | None]:
    """Which field of a source an error is about, and the source without that rule; None where nothing can land."""
    cleaning = source.cleaning
    if isinstance(error, errors.ToleranceError):
        found = _FIELD.search(str(error))
        steps = tuple(found[1].split(".")) if found else ("cleaning",)
        return steps, _raised(source, steps)
    if isinstance(error, errors.EmptyDeliveryError):
        return ("cleaning", "empty_windows"), _with(source, empty_windows=True)
    if isinstance(error, errors.OutsideWindowError):
        return ("event_time",), _with(source, outside_window=1.0)
    if isinstance(error, errors.DuplicateRowsError):
        if cleaning.exact_duplicates < 1:
            return ("cleaning", "exact_duplicates"), _with(source, exact_duplicates=1.0)
        return ("key",), source.model_copy(update={"key": ()})
    if isinstance(error, errors.GapError):
        return ("max_gap",), source.model_copy(update={"max_gap": None})
    if isinstance(error, errors.UnknownReferenceError | errors.NotLandedError):
        return ("references",), source.model_copy(update={"references": source.references[1:]})
    if isinstance(error, errors.QueryError):
        return ("cleaning", "drop") if "cleaning.drop" in str(error) else ("sql",), None
    if isinstance(error, errors.MissingColumnError | errors.ChangedTypeError | errors.AmbiguousColumnError):
        return ("columns",), None
    return ("read",), None


def _raised(source: Source, steps: tuple[str, ...]) -> Source | None:
    """The source that tolerates any share of one kind of dirt."""
    if len(steps) > 1 and steps[1] == "drop":
        drops = {name: drop.model_copy(update={"max_share": 1.0}) for name, drop in source.cleaning.drop.items()}
        return _with(source, drop=drops)
    return _with(source, **{steps[1]: 1.0}) if len(steps) > 1 else None


def _with(source: Source, **cleaning: Any) -> Source:
    return source.model_copy(update={"cleaning": source.cleaning.model_copy(update=cleaning)})
