"""The windows that a training on all that is there would take, and those of them that a check looks at."""

from dataclasses import dataclass

from ml_assets.errors import TooLittleHistoryError
from ml_assets.ml.training.splits import split_windows
from ml_assets.ml.windows import Window
from ml_assets.spec import Problem

MOST_OF_A_PART = 3
"""Windows of a part that are looked at; of a longer part the oldest, the newest and some between."""


@dataclass(frozen=True)
class Parts:
    """Windows by part, oldest first; `whole` says whether all of a part are among those looked at."""

    looked_at: dict[str, list[Window]]
    whole: dict[str, bool]

    @property
    def windows(self) -> list[Window]:
        """All windows that are looked at, oldest first."""
        return sorted(window for windows in self.looked_at.values() for window in windows)


def parts_of(problem: Problem, windows: list[Window]) -> Parts:
    """The split of the newest training that the data allow.

    Args:
        problem: The declaration.
        windows: Windows whose data are there, oldest first; not empty.

    Raises:
        TooLittleHistoryError: There are too few of them, so far.
    """
    there = {window.key for window in windows}
    split = split_windows(problem.split, windows[-1].shift(1), problem.label)
    named = {"train": split.train, "validation": split.validation, "test": split.test}
    found = {part: [w for w in some if w.key in there] for part, some in named.items()}
    if not all(found.values()):
        raise TooLittleHistoryError(windows[-1].shift(1).key, len(windows), len(split.all))
    looked_at = {part: spread(some) for part, some in found.items()}
    return Parts(looked_at, {part: len(looked_at[part]) == len(some) for part, some in found.items()})


def spread(windows: list[Window], most: int = MOST_OF_A_PART) -> list[Window]:
    """At most so many windows, evenly from the first to the last."""
    if len(windows) <= most:
        return windows
    return [windows[round(i * (len(windows) - 1) / (most - 1))] for i in range(most)]
