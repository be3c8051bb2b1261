"""`FeatureViews`: sources and feature views that several problems share. Thin, as `ModelProblem` is."""

from typing import Any

import dagster as dg
from pydantic import BaseModel

from ml_assets.components.declaration import bound_feature_set
from ml_assets.spec import FeatureSet


class FeatureViews(dg.Component):
    """Sources and the feature views over them, landed once for all problems that name them in `features_from`."""

    def __init__(self, features: FeatureSet) -> None:
        self.features = features

    @classmethod
    def get_model_cls(cls) -> type[BaseModel]:
        """The schema of `attributes`."""
        return FeatureSet

    @classmethod
    def load(cls, attributes: Any, context: dg.ComponentLoadContext) -> "FeatureViews":
        """A component from validated attributes; SQL files are read from beside `defs.yaml`."""
        return cls(bound_feature_set(attributes, context.path))

    def build_defs(self, context: dg.ComponentLoadContext) -> dg.Definitions:
        """Assets, checks, jobs and schedule of the feature set."""
        from ml_assets.assets.feature_set import build_feature_defs

        return build_feature_defs(self.features)
