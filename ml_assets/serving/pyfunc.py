"""What MLflow calls to load a registered model (`mlflow.pyfunc.load_model`, `mlflow models serve`)."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from ml_assets.ml.model import Model
from ml_assets.ml.scores import PREDICTION, score_columns


@dataclass(frozen=True, eq=False)
class PyfuncModel:
    """The model behind MLflow's `predict(frame, params)`."""

    model: Model

    def predict(self, model_input: pd.DataFrame, params: dict[str, Any] | None = None) -> pd.Series | pd.DataFrame:
        """Predictions of the n rows; the encoding is inside the model.

        Returns:
            Regression and binary: `prediction`, float64, in the label's unit or the probability of 1. Multiclass:
            the columns `prediction` (name of the likeliest class) and `probability:<class>` of each class.
        """
        columns = score_columns(self.model.scores(model_input), model_input.index)
        return columns if self.model.classes else columns[PREDICTION]


def _load_pyfunc(path: str) -> PyfuncModel:
    return PyfuncModel(Model.load(Path(path)))
