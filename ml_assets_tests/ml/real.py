"""Real small data that scikit-learn brings along: tumours (binary), wines and digits (multiclass), diabetes."""

from dataclasses import dataclass
from functools import cache

import numpy as np
import pandas as pd

from ml_assets.spec import FeatureType, Task


@dataclass(frozen=True, eq=False)
class RealData:
    """A table with a label `y`, split once."""

    task: Task
    train: pd.DataFrame
    validation: pd.DataFrame
    test: pd.DataFrame
    features: dict[str, FeatureType]


@cache
def real(name: str) -> RealData:
    """`breast_cancer`, `wine`, `digits` or `diabetes`, in the label types of the platform."""
    from sklearn import datasets

    loaded = getattr(datasets, f"load_{name}")()
    names = [str(column).replace(" ", "_") for column in loaded.feature_names]
    frame = pd.DataFrame(loaded.data, columns=names)
    task: Task = {"breast_cancer": "binary", "diabetes": "regression"}.get(name, "multiclass")  # type: ignore[assignment]
    if task == "multiclass":
        classes = np.array([f"class {each}" for each in loaded.target_names], dtype=object)
        frame["y"] = classes[loaded.target]
    else:
        frame["y"] = loaded.target.astype(np.float64)
    frame = frame.sample(frac=1, random_state=7).reset_index(drop=True)
    one, two = int(len(frame) * 0.5), int(len(frame) * 0.75)
    return RealData(task, frame[:one], frame[one:two], frame[two:], dict.fromkeys(names, "float"))
