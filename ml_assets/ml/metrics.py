"""Errors of a regression, and their uncertainty. Metrics only; who compares them with what is elsewhere."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Metrics:
    """Errors over n rows, in the label's unit (r2 has none).

    Attributes:
        rows: Rows with a label.
        rmse: Root mean squared error.
        mae: Mean absolute error.
        bias: Mean of prediction minus label: above zero predicts too much.
        r2: 1 - SSE / SST; 0 is as good as the mean of these very rows.
    """

    rows: int
    rmse: float
    mae: float
    bias: float
    r2: float

    def error(self, metric: str) -> float:
        """The error of that name, `rmse` or `mae`."""
        return self.rmse if metric == "rmse" else self.mae

    def as_dict(self, prefix: str = "") -> dict[str, float]:
        """Plain numbers for metadata and for MLflow."""
        values = {"rmse": self.rmse, "mae": self.mae, "bias": self.bias, "r2": self.r2, "rows": float(self.rows)}
        return {f"{prefix}{name}": value for name, value in values.items()}


def regression_metrics(label: Floats, prediction: Floats) -> Metrics:
    """Errors of `prediction`.

    Args:
        label: (n,) float64; rows with NaN are left out.
        prediction: (n,) float64, finite, same unit.

    Raises:
        ValueError: No row has a label, or the shapes differ.
    """
    if label.shape != prediction.shape:
        raise ValueError(f"label has shape {label.shape}, prediction {prediction.shape}")
    known = np.isfinite(label)
    if not known.any():
        raise ValueError("no row has a label")
    truth, error = label[known], (prediction - label)[known]
    spread = float(((truth - truth.mean()) ** 2).sum())
    return Metrics(
        rows=int(known.sum()),
        rmse=float(np.sqrt((error**2).mean())),
        mae=float(np.abs(error).mean()),
        bias=float(error.mean()),
        r2=1.0 - float((error**2).sum()) / spread if spread else 0.0,
    )
