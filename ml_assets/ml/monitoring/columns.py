"""Which columns of scored rows are compared, and as what; nothing is compared here."""

from collections.abc import Mapping

from ml_assets.ml.quality.scores import PREDICTION
from ml_assets.spec import FeatureType, Task

_PREDICTIONS: Mapping[Task, FeatureType] = {"regression": "float", "binary": "float", "multiclass": "string"}
_TARGETS: Mapping[Task, FeatureType] = {"regression": "float", "binary": "string", "multiclass": "string"}
"""How predictions and labels are compared. A label of 0 and 1 is a category with two values (Evidently, too, takes
numbers of few values for categories): the normed Wasserstein distance would divide a rare class by its tiny spread,
and pure sampling would make it drift, where the noise of Jensen-Shannon does not depend on the base rate."""


def compared_types(features: Mapping[str, FeatureType], target: str | None, task: Task) -> dict[str, FeatureType]:
    """Columns of scored rows that are compared, and as what: what a summary of such rows has to hold."""
    labels: dict[str, FeatureType] = {target: _TARGETS[task]} if target else {}
    return {**features, PREDICTION: _PREDICTIONS[task], **labels}
