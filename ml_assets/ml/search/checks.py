"""Whether a declared search can run at all: asked before any trial, and without data.

The estimator itself is asked, by trainings of one round on eight made-up rows: its own ranges and types are the truth.
"""

import difflib
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

import numpy as np

from ml_assets.errors import EstimatorError, FunctionError
from ml_assets.ml.estimators.interface import Answer, Estimator, Inputs, Rows
from ml_assets.ml.estimators.lookup import estimator_named
from ml_assets.ml.search.space import examples, middle, unsampled
from ml_assets.ml.training.params import ParamValue
from ml_assets.spec import Choice, FeatureType, Integer, Search, Task

_ROWS, _CLASSES, _VALUES = 8, ("a", "b", "c"), 4


def problems_of_search(
    spec: Search, task: Task, features: Mapping[str, FeatureType] | None = None, folder: Path = Path()
) -> list[str]:
    """All that keeps a search from running, each in one line: culprit, then remedy. Needs no data.

    Args:
        spec: The declared search.
        task: The problem's task.
        features: The model's inputs, for parameters that name or count them (monotone_constraints).
        folder: Of the declaration, where the file of an own estimator is looked up.

    Returns:
        Nothing, if every parameter is known to the estimator and takes what can be drawn for it.
    """
    try:
        estimator = estimator_named(spec.estimator, folder)
        if found := [*_reserved(spec, estimator), *_unsampled(spec), *estimator.misfits(spec, task)]:
            return found
        return _Probe(estimator, spec, task, features or {"feature": "float"}).problems()
    except (EstimatorError, FunctionError) as error:
        return [f"`search.estimator`: {error}"]


def _reserved(spec: Search, estimator: Estimator) -> Iterator[str]:
    for part in ("space", "fixed"):
        for name in getattr(spec, part):
            if name in estimator.reserved:
                source = estimator.reserved[name]
                yield f"`search.{part}.{name}`: the search sets it itself, from {source}; leave it out"


def _unsampled(spec: Search) -> Iterator[str]:
    for name, distribution in spec.space.items():
        if reason := unsampled(distribution):
            yield f"`search.space.{name}`: {reason}"


class _Probe:
    """Trainings of one round on made-up rows."""

    def __init__(self, estimator: Estimator, spec: Search, task: Task, features: Mapping[str, FeatureType]) -> None:
        self._spec, self._title = spec, estimator.title
        self._ask = estimator.probe(_made_up(task, features), spec)

    def problems(self) -> list[str]:
        """All that is wrong with the parameters."""
        spec = self._spec
        middles = {name: middle(distribution) for name, distribution in spec.space.items()}
        answer = self._ask({**spec.fixed, **middles})
        if error := answer.refusal:
            alone = {name: self._fixed(name, error) for name in spec.fixed}
            alone |= {name: self._searched(name, {}) for name in spec.space}
            culprits = {name: problem for name, problem in alone.items() if problem}
            if not culprits:
                return [f"`search`: {self._title} refuses the parameters together: {error}; change one of them"]
            rest = {name: value for name, value in {**spec.fixed, **middles}.items() if name not in culprits}
            return [*culprits.values(), *self._unknown(self._ask(rest))]
        around = [self._searched(name, {**spec.fixed, **middles}) for name in spec.space]
        return [*self._unknown(answer), *(problem for problem in around if problem)]

    def _fixed(self, name: str, error: str) -> str:
        value = self._spec.fixed[name]
        alone = self._ask({name: value}).refusal
        return f"`search.fixed.{name}`: {self._title} refuses {value!r} ({error}); correct it" if alone == error else ""

    def _searched(self, name: str, beside: Mapping[str, ParamValue]) -> str:
        distribution = self._spec.space[name]
        values = examples(distribution)
        for value in values:
            answer = self._ask({**beside, name: value})
            if answer.wants_whole and not isinstance(distribution, Choice | Integer):
                kind, drawn = distribution.kind, values[-1]
                whole = f"{self._title} takes whole numbers, {kind} draws {drawn:.4g}; use kind integer"
                return f"`search.space.{name}`: {whole}"
            if answer.refusal:
                return f"`search.space.{name}`: {self._title} refuses {value} ({answer.refusal}); draw others"
        return ""

    def _unknown(self, answer: Answer) -> Iterable[str]:
        for name in answer.unknown:
            near = difflib.get_close_matches(name, answer.known, n=1)
            meant = f"did you mean `{near[0]}`?" if near else "leave it out"
            part = "space" if name in self._spec.space else "fixed"
            how = "does not know it, or not with this objective and booster"
            yield f"`search.{part}.{name}`: {self._title} {how}; {meant}"


def _made_up(task: Task, features: Mapping[str, FeatureType]) -> Rows:
    x = np.random.default_rng(0).integers(0, _VALUES, (_ROWS, len(features))).astype(np.float32)
    # Numbers that every objective takes: above 0 for gamma, below 1 for logistic.
    labels = {"regression": np.linspace(0.2, 0.8, _ROWS), "binary": np.arange(_ROWS) % 2}
    y = np.asarray(labels.get(task, np.arange(_ROWS) % len(_CLASSES)), dtype=np.float64)
    categories = {name: _VALUES for name, kind in features.items() if kind == "string"}
    return Rows(x, y, Inputs(features, categories, task, _CLASSES if task == "multiclass" else ()))
