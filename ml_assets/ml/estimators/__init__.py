"""Estimators: how each trains, predicts and is stored. Which one a problem uses, its declaration says.

An own one derives from `Estimator`; see `interface.py`.
"""

from ml_assets.ml.estimators.interface import Answer, Estimator, Fit, Inputs, Rows, TrainingFailure

__all__ = ["Answer", "Estimator", "Fit", "Inputs", "Rows", "TrainingFailure"]
