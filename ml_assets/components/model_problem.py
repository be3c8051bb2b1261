"""`ModelProblem`: a problem declared in YAML. Thin: the spec validates, `assets.problem` builds."""

from typing import Any

import dagster as dg
from pydantic import BaseModel

from ml_assets.components.attributes import attributes_model
from ml_assets.components.declaration import problem_of
from ml_assets.components.documents import MODEL_PROBLEM
from ml_assets.components.loading import loaded_document
from ml_assets.components.scaffold import ProblemScaffolder
from ml_assets.spec import Problem


@dg.scaffold_with(ProblemScaffolder)
class ModelProblem(dg.Component):
    """A machine-learning problem: what is predicted, from which sources and features, and when it is good enough.

    It becomes one lineage graph: sources, features in Feast, rows, labels, a training set checked by Great
    Expectations, a model tuned by Hyperopt on XGBoost, a version in MLflow's registry behind a gate, predictions, and
    quality and drift reports by Evidently. A sensor retrains when the checks of recent windows fail.

    Its sources and feature views are its own, or those of a `FeatureViews` that `features_from` names. SQL and Python
    files are named from the folder of `defs.yaml`. `ml-assets check` validates it against the real data.
    """

    def __init__(self, problem: Problem) -> None:
        self.problem = problem

    # Verified on Dagster 1.13.27: a `Resolvable` spec cannot hold a list or dict that mixes union members (a search
    # space is one) and reports every bad field twice; these overrides let Pydantic itself read the attributes.
    @classmethod
    def get_model_cls(cls) -> type[BaseModel]:
        """The schema of `attributes`."""
        return attributes_model(MODEL_PROBLEM)

    @classmethod
    def get_spec(cls) -> dg.ComponentTypeSpec:
        """What catalogues of components show beside the description."""
        made = ["asset", "asset_check", "job", "schedule", "sensor", "resource"]
        return dg.ComponentTypeSpec(tags=["machine-learning"], produces=made)

    @classmethod
    def load(cls, attributes: Any, context: dg.ComponentLoadContext) -> "ModelProblem":
        """A component from the attributes; SQL files are read from beside `defs.yaml`.

        Raises:
            DeclarationError: The declaration has mistakes; all are named, each with file and line.
        """
        return cls(problem_of(loaded_document(attributes, context, MODEL_PROBLEM)))

    def build_defs(self, context: dg.ComponentLoadContext) -> dg.Definitions:
        """Assets, checks, jobs, sensors and schedules of the problem."""
        from ml_assets.assets.problem import build_problem_defs

        return build_problem_defs(self.problem)
