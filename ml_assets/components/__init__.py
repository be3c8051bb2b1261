"""The YAML face of the platform."""

from ml_assets.components.model_problem import ModelProblem

__all__ = ["ModelProblem"]
