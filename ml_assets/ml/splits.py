"""Splits by time: which windows before a cutoff train, validate and test. Never at random."""

from dataclasses import dataclass

from ml_assets.errors import TooLittleHistoryError
from ml_assets.ml.windows import Window
from ml_assets.spec import Cadence, Split


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


def split_windows(split: Split, cutoff: Window, cadence: Cadence) -> SplitWindows:
    """Split the windows before `cutoff`.

    Args:
        split: Sizes of the parts, in windows.
        cutoff: The window that the model is for; nothing of it is used.
        cadence: Where history begins.

    Raises:
        TooLittleHistoryError: No window is left for training.
    """
    history: list[Window] = []
    window = cutoff.shift(-1)
    while window.start.date() >= cadence.start:
        history.append(window)
        window = window.shift(-1)
    held_out = split.test_windows + split.validation_windows
    if len(history) <= held_out:
        raise TooLittleHistoryError(cutoff.key, len(history), held_out + 1)
    train = history[held_out:][: split.train_windows]
    return SplitWindows(
        tuple(reversed(train)),
        tuple(reversed(history[split.test_windows : held_out])),
        tuple(reversed(history[: split.test_windows])),
    )
