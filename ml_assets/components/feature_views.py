"""`FeatureViews`: sources and feature views that several problems share. Thin, as `ModelProblem` is."""

from typing import Any

import dagster as dg
from pydantic import BaseModel

from ml_assets.components.attributes import attributes_model
from ml_assets.components.declaration import feature_set_of
from ml_assets.components.documents import FEATURE_VIEWS
from ml_assets.components.loading import loaded_document
from ml_assets.components.scaffold import FeaturesScaffolder
from ml_assets.spec import FeatureSet


@dg.scaffold_with(FeaturesScaffolder)
class FeatureViews(dg.Component):
    """Sources and the feature views over them, landed once for all problems that name them in `features_from`.

    Each feature view says since when a value holds and when it became known; the platform recomputes it with all
    later knowledge hidden, and compares. SQL and Python files are named from the folder of `defs.yaml`.
    """

    def __init__(self, features: FeatureSet) -> None:
        self.features = features

    @classmethod
    def get_model_cls(cls) -> type[BaseModel]:
        """The schema of `attributes`."""
        return attributes_model(FEATURE_VIEWS)

    @classmethod
    def get_spec(cls) -> dg.ComponentTypeSpec:
        """What catalogues of components show beside the description."""
        return dg.ComponentTypeSpec(tags=["machine-learning"], produces=["asset", "asset_check", "job", "schedule"])

    @classmethod
    def load(cls, attributes: Any, context: dg.ComponentLoadContext) -> "FeatureViews":
        """A component from the attributes; SQL files are read from beside `defs.yaml`.

        Raises:
            DeclarationError: The declaration has mistakes; all are named, each with file and line.
        """
        return cls(feature_set_of(loaded_document(attributes, context, FEATURE_VIEWS)))

    def build_defs(self, context: dg.ComponentLoadContext) -> dg.Definitions:
        """Assets, checks, jobs and schedule of the feature set."""
        from ml_assets.assets.feature_set import build_feature_defs

        return build_feature_defs(self.features)
