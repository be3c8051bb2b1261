"""Splits by time: which windows before a cutoff train, validate and test. Never at random."""

from dataclasses import dataclass
from datetime import timedelta

from ml_assets.errors import TooLittleHistoryError
from ml_assets.ml.windows import Window, windows_before
from ml_assets.spec import Label, Split


@dataclass(frozen=True)
class SplitWindows:
    """Windows of each part, oldest first; training ends where validation begins, and so on."""

    train: tuple[Window, ...]
    validation: tuple[Window, ...]
    test: tuple[Window, ...]

    @property
    def all(self) -> tuple[Window, ...]:
        """All windows, oldest first."""
        return self.train + self.validation + self.test

    def part_of(self, window: Window) -> str:
        """`train`, `validation` or `test`."""
        return "test" if window in self.test else "validation" if window in self.validation else "train"


def split_windows(split: Split, cutoff: Window, label: Label) -> SplitWindows:
    """Split the windows before `cutoff` whose labels are known at it.

    Args:
        split: Sizes of the parts, in windows, and the first window that counts.
        cutoff: The window that the model is for; nothing of it is used.
        label: Says how long after a window's end its labels are known.

    Raises:
        TooLittleHistoryError: No window is left for training.
    """
    known = windows_before(cutoff.cadence, cutoff.start - timedelta(days=label.lookahead_days))
    history = [window for window in known if split.start is None or window.key[:10] >= split.start.isoformat()][::-1]
    held_out = split.test_windows + split.validation_windows
    if len(history) <= held_out:
        raise TooLittleHistoryError(cutoff.key, len(history), held_out + 1)
    train = history[held_out:][: split.train_windows]
    return SplitWindows(
        tuple(reversed(train)),
        tuple(reversed(history[split.test_windows : held_out])),
        tuple(reversed(history[: split.test_windows])),
    )
