"""Whether the windows of a declaration suffice for its split. Only arithmetic on the declared times."""

from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import ValidationError

from ml_assets.components.mistakes import Mistake
from ml_assets.components.outline import Outline
from ml_assets.ml.windows import all_windows
from ml_assets.spec import Cadence, Label, Split


def grid_mistakes(outline: Outline) -> Iterator[Mistake]:
    """A cadence that ends before there is a window to train on.

    One that is open does not end, however young it is; a wrong field is named elsewhere.
    """
    attributes = outline.attributes
    raw = (outline.shared or attributes).get("cadence")
    try:
        cadence, split = Cadence.model_validate(raw), Split.model_validate(attributes.get("split") or {})
    except ValidationError:
        return
    if cadence.end is None:
        return
    lookahead = _lookahead_days(attributes.get("label"))
    windows = all_windows(cadence)
    first_usable = split.start.isoformat() if split.start else ""
    known = [
        window
        for window in windows
        if window.key[:10] >= first_usable and (windows[-1].end - window.end).days >= lookahead
    ]
    needed = split.test_windows + split.validation_windows + 1
    if len(known) < needed:
        waits = f" whose labels are known ({lookahead} days later)" if lookahead else ""
        since = f" since {first_usable}" if first_usable else ""
        culprit = (
            f"no window is left for training: the cadence has {len(known)} of {len(windows)} windows{since}{waits}, "
            f"the split takes {needed - 1} for validation and test"
        )
        place = ("split",) if attributes.get("split") else ("cadence",)
        yield Mistake(place, culprit, "Hold out fewer windows, or declare a longer or finer cadence")


def _lookahead_days(label: Any) -> int:
    days = label.get("lookahead_days", 0) if isinstance(label, Mapping) else 0
    try:
        return Label.model_validate({"name": "label", "lookahead_days": days}).lookahead_days
    except ValidationError:
        return 0
