"""The estimators by the names that declarations call them."""

from pathlib import Path

from ml_assets.errors import EstimatorError
from ml_assets.ml.estimators.interface import Estimator
from ml_assets.ml.estimators.own import estimator_from_text, own_estimator
from ml_assets.ml.estimators.scikit_learn import HistGradientBoosting
from ml_assets.ml.estimators.xgboost import XGBoost

XGBOOST = XGBoost()

_OURS: dict[str, Estimator] = {each.reference: each for each in (XGBOOST, HistGradientBoosting())}


def estimator_named(reference: str, folder: Path = Path()) -> Estimator:
    """The estimator of a declaration.

    Args:
        reference: `search.estimator`.
        folder: Of the declaration, where the file of an own estimator is looked up.

    Raises:
        FunctionError: The file or package of an own one is not there, or cannot be loaded.
        EstimatorError: It is no estimator.
    """
    if reference in _OURS:
        return _OURS[reference]
    if ":" not in reference:
        names = ", ".join(_OURS)
        raise EstimatorError(reference, f"is not known; use one of {names}, or `file.py:Name` for one of your own")
    return own_estimator(reference, folder)


def estimator_of_model(reference: str, code: bytes | None, path: Path) -> Estimator:
    """The estimator of a saved model, or of a search that was sent elsewhere.

    Args:
        reference: What the declaration called it.
        code: The text of its file that came along; None where there is none.
        path: Of that text, for errors.

    Raises:
        FunctionError, EstimatorError: As `estimator_named`.
    """
    return estimator_named(reference) if code is None else estimator_from_text(reference, code, path)
