"""The YAML face of the platform."""

from ml_assets.components.feature_views import FeatureViews
from ml_assets.components.model_problem import ModelProblem

__all__ = ["FeatureViews", "ModelProblem"]
