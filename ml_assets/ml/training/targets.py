"""Labels as XGBoost takes them, and the labels that nothing can be learned from.

Metrics take labels as they are (`metrics.py`); only training needs numbers for classes.
"""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ml_assets.errors import ConstantLabelError, FeatureTypeError, LabelValuesError, UnusableLabelError
from ml_assets.ml.quality.ranking import Floats
from ml_assets.ml.quality.scores import class_codes
from ml_assets.ml.training.encoding import numbers
from ml_assets.spec import MetricName, Task

_RANKING = ("auc", "average_precision")


def training_labels(frame: pd.DataFrame, label: str, task: Task) -> tuple[Floats, tuple[str, ...]]:
    """Labels of the training rows, and their classes (multiclass only), sorted.

    Returns:
        (n,) float64, finite: numbers, 0 and 1, or positions of classes.

    Raises:
        UnusableLabelError: No rows, or a label that is missing, infinite or of another type.
        LabelValuesError: A binary label is neither 0 nor 1.
        ConstantLabelError: All rows have the same label.
    """
    values = _values(frame, label, task, "training")
    found = pd.unique(values)
    if len(found) == 1:
        one = found[0] if task == "multiclass" else f"{found[0]:g}"
        raise ConstantLabelError("training", label, one, len(values), "there is nothing to learn")
    if task != "multiclass":
        return values, ()
    classes = tuple(sorted(found))
    return class_codes(values, classes).astype(np.float64), classes


def validation_labels(
    frame: pd.DataFrame, label: str, task: Task, classes: tuple[str, ...]
) -> tuple[Floats, NDArray[np.bool_]]:
    """Labels of the validation rows that can be judged, and (m,) which rows those are.

    A class that no training row has is left out: a model that cannot name it has no loss there.

    Raises:
        UnusableLabelError, LabelValuesError: As `training_labels`; also if no row is left.
    """
    values = _values(frame, label, task, "validation")
    if task != "multiclass":
        return values, np.full(len(values), True)
    codes = class_codes(values, classes)
    if not (codes >= 0).any():
        reason = f"is in none of {len(values)} a class that training rows have"
        raise UnusableLabelError("validation", label, reason, "Train on more windows (`split`).")
    return codes[codes >= 0].astype(np.float64), codes >= 0


def require_rankable(codes: Floats, label: str, classes: tuple[str, ...], loss: MetricName) -> None:
    """Refuse to search by a ranking metric on validation rows of one class: there is no order to judge.

    Raises:
        ConstantLabelError: There is one class only.
    """
    if loss in _RANKING and len(np.unique(codes)) == 1:
        one = classes[int(codes[0])] if classes else f"{codes[0]:g}"
        raise ConstantLabelError("validation", label, one, len(codes), f"their {loss} is undefined")


def _values(frame: pd.DataFrame, label: str, task: Task, rows: str) -> np.ndarray:
    if label not in frame.columns:
        raise UnusableLabelError(rows, label, "is no column of them")
    if frame.empty:
        raise UnusableLabelError(rows, label, "cannot be learned: there are none", "Widen the `split`.")
    return _names(frame, label, rows) if task == "multiclass" else _numbers(frame, label, task, rows)


def _names(frame: pd.DataFrame, label: str, rows: str) -> np.ndarray:
    values = frame[label].to_numpy(object)
    if bad := int(pd.isna(values).sum()):
        raise UnusableLabelError(rows, label, f"is missing in {bad} of {len(values)}")
    if wrong := next((value for value in pd.unique(values) if not isinstance(value, str)), None):
        raise UnusableLabelError(rows, label, f"is no class name but {type(wrong).__name__} {wrong!r}", "Make it text.")
    return values


def _numbers(frame: pd.DataFrame, label: str, task: Task, rows: str) -> np.ndarray:
    try:
        values = numbers(frame, label)
    except FeatureTypeError as error:
        raise UnusableLabelError(rows, label, "is no number") from error
    if bad := int((~np.isfinite(values)).sum()):
        raise UnusableLabelError(rows, label, f"is missing or infinite in {bad} of {len(values)}")
    if task == "binary" and (others := sorted(set(np.unique(values)) - {0.0, 1.0})):
        raise LabelValuesError(label, others)
    return values
