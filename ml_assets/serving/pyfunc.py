"""What MLflow calls to load a registered model (`mlflow.pyfunc.load_model`, `mlflow models serve`)."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from ml_assets.ml.model import Model


@dataclass(frozen=True, eq=False)
class PyfuncModel:
    """The model behind MLflow's `predict(frame, params)`."""

    model: Model

    def predict(self, model_input: pd.DataFrame, params: dict[str, Any] | None = None) -> pd.Series:
        """Predictions, (n,) float64 in the label's unit; encoding and imputation are inside the model."""
        return pd.Series(self.model.predict(model_input), index=model_input.index, name="prediction")


def _load_pyfunc(path: str) -> PyfuncModel:
    return PyfuncModel(Model.load(Path(path)))
