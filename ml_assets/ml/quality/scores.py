"""What a model says of rows: numbers, or probabilities of classes, and the columns that they are stored in.

How good they are is the business of `metrics.py`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ml_assets.ml.quality.ranking import Floats
from ml_assets.spec import Task

Labels = NDArray[Any]
"""(n,) float64 with NaN, or objects: the name of a class, or None."""

PREDICTION = "prediction"
PROBABILITY = "probability:"
"""Before the name of a class. No declared column can have a colon, so none is overwritten."""


@dataclass(frozen=True, eq=False)
class Scores:
    """What a model says of n rows.

    Attributes:
        task: Kind of label.
        values: Regression: (n,) predictions in the label's unit. Binary: (n,) probabilities of 1. Multiclass:
            (n, k) probabilities.
        classes: Multiclass: the k classes, in the order of the columns.
    """

    task: Task
    values: Floats
    classes: tuple[str, ...] = ()

    def __len__(self) -> int:
        """Number of rows."""
        return len(self.values)

    def take(self, rows: NDArray[np.bool_]) -> "Scores":
        """The scores of some rows."""
        return Scores(self.task, self.values[rows], self.classes)

    def predictions(self) -> NDArray[Any]:
        """(n,) predicted value, probability of 1, or name of the likeliest class (of equals the first)."""
        if self.task != "multiclass":
            return self.values
        return np.array(self.classes, dtype=object)[self.values.argmax(axis=1)]

    def padded(self, columns: int) -> Floats:
        """(n, columns) probabilities, 0 for the classes after the model's own: it holds them impossible."""
        return np.pad(self.values, ((0, 0), (0, columns - len(self.classes))))


def known(task: Task, label: Labels) -> NDArray[np.bool_]:
    """(n,) whether a row has a label."""
    return pd.notna(label) if task == "multiclass" else np.isfinite(label)


def every_class(label: Labels, scores: Scores) -> list[str]:
    """The classes of the model, then those among the known labels that it does not know, sorted."""
    return [*scores.classes, *sorted(set(pd.unique(label)) - set(scores.classes))]


def class_codes(label: Labels, classes: Sequence[str]) -> NDArray[np.int64]:
    """(n,) position of each label's class; -1 where it is not among the classes."""
    return pd.Categorical(label, categories=list(classes)).codes.astype(np.int64)


def label_of(task: Task, column: pd.Series) -> Labels:
    """A label column as metrics take it: float64, or objects for classes."""
    return column.to_numpy(object if task == "multiclass" else np.float64)


def score_columns(scores: Scores, index: pd.Index) -> pd.DataFrame:
    """The columns that scores are stored in: `prediction`, and of classes `probability:<class>` each."""
    columns = {PREDICTION: scores.predictions()}
    columns |= {f"{PROBABILITY}{name}": scores.values[:, place] for place, name in enumerate(scores.classes)}
    return pd.DataFrame(columns, index=index)


def with_scores(frame: pd.DataFrame, scores: Scores) -> pd.DataFrame:
    """The rows with the columns of their scores at the end."""
    return pd.concat([frame, score_columns(scores, frame.index)], axis=1)


def read_scores(task: Task, frame: pd.DataFrame) -> Scores:
    """The scores that `with_scores` put into a frame."""
    if task != "multiclass":
        return Scores(task, frame[PREDICTION].to_numpy(np.float64))
    columns = [name for name in frame.columns if name.startswith(PROBABILITY)]
    classes = tuple(name.removeprefix(PROBABILITY) for name in columns)
    return Scores(task, frame[columns].to_numpy(np.float64), classes)
