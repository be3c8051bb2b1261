"""Whether a declared search can run at all: asked before any trial, and without data.

XGBoost itself is asked, by trainings of one round on eight made-up rows: its own ranges and types are the truth.
"""

import difflib
import json
import re
import warnings
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from ml_assets.ml.model import ParamValue
from ml_assets.ml.objectives import base_params, misfit
from ml_assets.ml.search_space import examples, middle, unsampled
from ml_assets.spec import Choice, FeatureType, Integer, Search, Task

if TYPE_CHECKING:
    import xgboost

_OURS = {
    "seed": "`search.seed`",
    "random_state": "`search.seed`",
    "nthread": "`search.threads`",
    "n_jobs": "`search.threads`",
    "eval_metric": "`search.loss`",
    "num_boost_round": "`search.max_rounds`",
    "n_estimators": "`search.max_rounds`",
    "early_stopping_rounds": "`search.early_stopping_rounds`",
    "num_class": "`task` and the labels",
}
_ROWS, _CLASSES, _LEAST_BINS = 8, 3, 2
DEFAULT_MAX_BIN = 256
"""XGBoost's own default, needed since matrices are cut before a trial names its parameters."""


def problems_of_search(spec: Search, task: Task, features: Mapping[str, FeatureType] | None = None) -> list[str]:
    """All that keeps a search from running, each in one line: culprit, then remedy. Needs no data.

    Args:
        spec: The declared search.
        task: The problem's task.
        features: The model's inputs, for parameters that name or count them (monotone_constraints).

    Returns:
        Nothing, if every parameter is known to XGBoost and takes what can be drawn for it.
    """
    if found := [*_reserved(spec), *_unsampled(spec), *_misfits(spec, task)]:
        return found
    return _Probe(spec, task, features or {"feature": "float"}).problems()


def first_line(error: Exception) -> str:
    """XGBoost's message without clock time, source position and stack: the same failure reads the same."""
    line = str(error).strip().partition("\n")[0]
    return re.sub(r"^\[[\d:]+\] \S+:\d+: ", "", line).rstrip(":. ")


def _reserved(spec: Search) -> Iterator[str]:
    for part in ("space", "fixed"):
        for name in getattr(spec, part):
            if name in _OURS:
                yield f"`search.{part}.{name}`: the search sets it itself, from {_OURS[name]}; leave it out"
    if "max_bin" in spec.space:
        yield "`search.space.max_bin`: bins are cut once for all trials; put it under `search.fixed`"


def _unsampled(spec: Search) -> Iterator[str]:
    for name, distribution in spec.space.items():
        if reason := unsampled(distribution):
            yield f"`search.space.{name}`: {reason}"


def _misfits(spec: Search, task: Task) -> Iterator[str]:
    if "objective" in spec.fixed and (reason := misfit(task, spec.fixed["objective"])):
        yield f"`search.fixed.objective` {reason}"
    searched = spec.space.get("objective")
    for value in searched.values if isinstance(searched, Choice) else ():
        if reason := misfit(task, value):
            yield f"`search.space.objective` {reason}"


class _Probe:
    """Trainings of one round on made-up rows."""

    def __init__(self, spec: Search, task: Task, features: Mapping[str, FeatureType]) -> None:
        self._spec, self._task = spec, task
        bins = _bins(spec.fixed.get("max_bin"))
        self._base = {**base_params(spec, task, _CLASSES), "max_bin": bins}  # the booster's must be the matrix's
        self._data = _made_up(task, features, bins)

    def problems(self) -> list[str]:
        """All that is wrong with the parameters."""
        spec = self._spec
        middles = {name: middle(distribution) for name, distribution in spec.space.items()}
        error, unused = self._train({**spec.fixed, **middles})
        if error:
            alone = {name: self._fixed(name, error) for name in spec.fixed}
            alone |= {name: self._searched(name, {}) for name in spec.space}
            culprits = {name: problem for name, problem in alone.items() if problem}
            if not culprits:
                return [f"`search`: XGBoost refuses the parameters together: {error}; change one of them"]
            rest = {name: value for name, value in {**spec.fixed, **middles}.items() if name not in culprits}
            return [*culprits.values(), *self._train(rest)[1]]
        around = [self._searched(name, {**spec.fixed, **middles}) for name in spec.space]
        return [*unused, *(problem for problem in around if problem)]

    def _fixed(self, name: str, error: str) -> str:
        value = self._spec.fixed[name]
        alone, _ = self._train({name: value})
        return f"`search.fixed.{name}`: XGBoost refuses {value!r} ({error}); correct it" if alone == error else ""

    def _searched(self, name: str, beside: Mapping[str, ParamValue]) -> str:
        distribution = self._spec.space[name]
        values = examples(distribution)
        for value in values:
            error, _ = self._train({**beside, name: value})
            if error and _wants_whole(error) and not isinstance(distribution, Choice | Integer):
                kind, drawn = distribution.kind, values[-1]
                return f"`search.space.{name}`: XGBoost takes whole numbers, {kind} draws {drawn:.4g}; use kind integer"
            if error:
                return f"`search.space.{name}`: XGBoost refuses {value} ({error}); draw others"
        return ""

    def _train(self, params: Mapping[str, ParamValue]) -> tuple[str, list[str]]:
        """Why XGBoost refuses the parameters, or ""; and, one line each, those that it does not use."""
        import xgboost

        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            try:
                booster = xgboost.train({**self._base, **params, "nthread": 1}, self._data, num_boost_round=1)
            except xgboost.core.XGBoostError as error:
                return first_line(error), []
        values, wanted = booster.predict(self._data).size, _ROWS * (_CLASSES if self._task == "multiclass" else 1)
        if values != wanted:
            return f"it predicts {values // _ROWS} values for a row", []
        texts = " ".join(str(warning.message) for warning in caught)
        match = re.search(r"Parameters: \{(.*?)\} are not used", texts, re.DOTALL)
        unused = re.findall(r'"([^"]+)"', match[1]) if match else []
        known = _names(json.loads(booster.save_config())) if unused else set()
        return "", [_unknown("space" if name in self._spec.space else "fixed", name, known) for name in unused]


def _bins(declared: ParamValue | None) -> int:
    """Bins of the made-up rows; a wrong number is for the training to refuse, by name."""
    return declared if isinstance(declared, int) and declared >= _LEAST_BINS else DEFAULT_MAX_BIN


def _made_up(task: Task, features: Mapping[str, FeatureType], bins: int) -> "xgboost.QuantileDMatrix":
    import xgboost

    values = np.random.default_rng(0).integers(0, 4, (_ROWS, len(features))).astype(np.float32)
    # Numbers that every objective takes: above 0 for gamma, below 1 for logistic.
    classes = {"regression": np.linspace(0.2, 0.8, _ROWS), "binary": np.arange(_ROWS) % 2}
    return xgboost.QuantileDMatrix(
        values,
        classes.get(task, np.arange(_ROWS) % _CLASSES),
        feature_names=list(features),
        feature_types=["c" if kind == "string" else "q" for kind in features.values()],
        max_bin=bins,
        nthread=1,
    )


def _wants_whole(error: str) -> bool:
    return re.search(r"expect (?!float|double|bool)", error) is not None


def _unknown(part: str, name: str, known: set[str]) -> str:
    near = difflib.get_close_matches(name, known, n=1)
    meant = f"did you mean `{near[0]}`?" if near else "leave it out"
    return f"`search.{part}.{name}`: XGBoost does not know it, or not with this objective and booster; {meant}"


def _names(config: Any) -> set[str]:
    """All parameter names in XGBoost's configuration."""
    if isinstance(config, list):
        return set().union(*map(_names, config))
    if not isinstance(config, dict):
        return set()
    leaves = {name for name, value in config.items() if isinstance(value, str)}
    return leaves.union(*map(_names, config.values()))
