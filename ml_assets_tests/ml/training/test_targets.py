"""Labels that nothing can be learned from are named before any training."""

import numpy as np
import pandas as pd
import pytest

from ml_assets.errors import ConstantLabelError, LabelValuesError, MLAssetsError, UnusableLabelError
from ml_assets.ml.training.targets import require_rankable, training_labels, validation_labels
from ml_assets.spec import Task


def rows(*labels: object) -> pd.DataFrame:
    return pd.DataFrame({"y": list(labels)})


def test_classes_are_coded_by_name() -> None:
    codes, classes = training_labels(rows("b", "c", "a", "b"), "y", "multiclass")
    assert classes == ("a", "b", "c")
    assert codes.tolist() == [1, 2, 0, 1]


@pytest.mark.parametrize(
    ("task", "frame", "error", "said"),
    [
        ("regression", rows(5.0, 5.0), ConstantLabelError, "is 5 in all 2 training rows, so there is nothing to learn"),
        ("binary", rows(1.0, 1.0, 1.0), ConstantLabelError, "is 1 in all 3 training rows"),
        ("multiclass", rows("a", "a"), ConstantLabelError, "is a in all 2 training rows"),
        ("binary", rows(0.0, 1.0, 2.0), LabelValuesError, r"value\(s\) 2 beside 0 and 1"),
        ("binary", rows(0.0, np.nan), UnusableLabelError, "missing or infinite in 1 of 2"),
        ("binary", rows("yes", "no"), UnusableLabelError, "is no number"),
        ("multiclass", rows("a", None), UnusableLabelError, "is missing in 1 of 2"),
        ("multiclass", rows("a", 3), UnusableLabelError, "no class name but int 3.* Make it text"),
        ("regression", rows(), UnusableLabelError, "there are none. Widen the `split`"),
        ("regression", rows(1.0, np.inf), UnusableLabelError, "missing or infinite in 1 of 2"),
    ],
)
def test_a_label_that_cannot_be_learned_is_named(
    task: Task, frame: pd.DataFrame, error: type[MLAssetsError], said: str
) -> None:
    with pytest.raises(error, match=said):
        training_labels(frame, "y", task)


def test_validation_rows_of_a_class_that_training_never_saw_are_left_out() -> None:
    codes, usable = validation_labels(rows("b", "new", "a"), "y", "multiclass", ("a", "b"))
    assert codes.tolist() == [1, 0]
    assert usable.tolist() == [True, False, True]
    with pytest.raises(UnusableLabelError, match="in none of 2 a class that training rows have"):
        validation_labels(rows("new", "newer"), "y", "multiclass", ("a", "b"))


def test_validation_rows_of_one_class_are_refused_only_where_the_search_needs_an_order() -> None:
    codes = np.ones(4)
    require_rankable(codes, "y", (), "logloss")
    require_rankable(np.array([0.0, 1.0]), "y", (), "auc")
    with pytest.raises(ConstantLabelError, match="is 1 in all 4 validation rows, so their auc is undefined"):
        require_rankable(codes, "y", (), "auc")
    with pytest.raises(ConstantLabelError, match="is beer in all 4 validation rows"):
        require_rankable(codes, "y", ("ale", "beer"), "auc")
