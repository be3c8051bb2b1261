"""What MLflow calls to load a registered model (`mlflow.pyfunc.load_model`, `mlflow models serve`)."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import yaml

from ml_assets.ml.quality.scores import PREDICTION, score_columns
from ml_assets.ml.training.model import Model, checked_model

DIGEST = "model_sha256"
"""Where MLflow's description of a logged model (`MLmodel`, `metadata`) has the hash of our files."""


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
    """What `loader_module` means to MLflow.

    Raises:
        AlteredModelError: The files are not those that were logged.
    """
    folder = Path(path)
    digest = _logged_hash(folder)
    return PyfuncModel(Model.load(folder) if digest is None else checked_model(folder, digest, name=f"'{folder.name}'"))


def _logged_hash(folder: Path) -> str | None:
    """The hash in `MLmodel`, which lies beside the model's files or above; None where it was logged without one."""
    above = (place / "MLmodel" for place in (folder, *folder.parents[:2]))
    described = next((file for file in above if file.is_file()), None)
    about = yaml.safe_load(described.read_text()) if described else None
    return ((about or {}).get("metadata") or {}).get(DIGEST)
