"""`ModelProblem`: a problem declared in YAML. Thin: the spec validates, `assets.problem` builds."""

from typing import Any

import dagster as dg
from pydantic import BaseModel

from ml_assets.components.declaration import bound_problem
from ml_assets.spec import Problem, ProblemDeclaration


class ModelProblem(dg.Component):
    """One declared problem: sources, feature views, label, training, gate, monitoring, retraining."""

    def __init__(self, problem: Problem) -> None:
        self.problem = problem

    # A `Resolvable` spec cannot hold a list or dict that mixes union members (the search space is one) and
    # reports every bad field twice; these two overrides let Pydantic itself read the attributes.
    @classmethod
    def get_model_cls(cls) -> type[BaseModel]:
        """The schema of `attributes`."""
        return ProblemDeclaration

    @classmethod
    def load(cls, attributes: Any, context: dg.ComponentLoadContext) -> "ModelProblem":
        """A component from validated attributes; SQL files are read from beside `defs.yaml`."""
        return cls(bound_problem(attributes, context.path))

    def build_defs(self, context: dg.ComponentLoadContext) -> dg.Definitions:
        """Assets, checks, jobs, sensors and schedules of the problem."""
        from ml_assets.assets.problem import build_problem_defs

        return build_problem_defs(self.problem)
