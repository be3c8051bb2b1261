"""Faults planted into the rows of a window, of several sizes. What finds them is `drift_alarms.py`'s business."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from ml_assets.ml.monitoring.baseline import Baseline
from ml_assets.spec import Problem

Rng = np.random.Generator
TOP = 3
"""Features that a fault of the inputs is planted into: the most important ones of its kind."""


@dataclass(frozen=True)
class Fault:
    """A kind of fault.

    Attributes:
        name: What it is.
        unit: What its sizes are counted in.
        sizes: Those that are planted.
        plant: Changes rows (features and label), given a size; predictions are made of the changed features.
    """

    name: str
    unit: str
    sizes: tuple[float, ...]
    plant: Callable[[Problem, Baseline, pd.DataFrame, float, Rng], pd.DataFrame]


def _numeric(problem: Problem, baseline: Baseline) -> list[str]:
    kinds = problem.features
    return [name for name in baseline.importance if kinds[name] != "string"][:TOP]


def _spread(baseline: Baseline, name: str) -> float:
    return float(getattr(baseline.summary.columns[name], "std", 0.0))


def _shift(problem: Problem, baseline: Baseline, rows: pd.DataFrame, size: float, rng: Rng) -> pd.DataFrame:
    names = _numeric(problem, baseline)
    return rows.assign(**{name: rows[name].astype(float) + size * _spread(baseline, name) for name in names})


def _scale(problem: Problem, baseline: Baseline, rows: pd.DataFrame, size: float, rng: Rng) -> pd.DataFrame:
    return rows.assign(**{name: rows[name].astype(float) * size for name in _numeric(problem, baseline)})


def _missing(problem: Problem, baseline: Baseline, rows: pd.DataFrame, size: float, rng: Rng) -> pd.DataFrame:
    lost = rng.random(len(rows)) < size
    return rows.assign(**{name: rows[name].astype(float).mask(lost) for name in _numeric(problem, baseline)})


def _category(problem: Problem, baseline: Baseline, rows: pd.DataFrame, size: float, rng: Rng) -> pd.DataFrame:
    [name] = _texts(problem, baseline)[:1]
    return rows.assign(**{name: rows[name].mask(rng.random(len(rows)) < size, "new one")})


def _label(problem: Problem, baseline: Baseline, rows: pd.DataFrame, size: float, rng: Rng) -> pd.DataFrame:
    name = problem.label.name
    if problem.task == "regression":
        return rows.assign(**{name: rows[name] + size * _spread(baseline, name)})
    return rows.assign(**{name: rows[name].mask(rng.random(len(rows)) < size, 1.0)})


def _concept(problem: Problem, baseline: Baseline, rows: pd.DataFrame, size: float, rng: Rng) -> pd.DataFrame:
    """Labels of a share of the rows are dealt out among them anew: what was learned no longer holds for those."""
    name, chosen = problem.label.name, np.flatnonzero(rng.random(len(rows)) < size)
    labels = rows[name].to_numpy(copy=True)
    labels[chosen] = labels[rng.permutation(chosen)]
    return rows.assign(**{name: labels})


def _texts(problem: Problem, baseline: Baseline) -> list[str]:
    return [name for name in baseline.importance if problem.features[name] == "string"]


FAULTS = (
    Fault("shift of 3 features", "standard deviations", (0.25, 0.5, 1.0, 2.0), _shift),
    Fault("scale of 3 features", "times", (1.25, 1.5, 2.0, 4.0), _scale),
    Fault("missing values in 3 features", "share of rows", (0.05, 0.1, 0.25, 0.5), _missing),
    Fault("new category", "share of rows", (0.05, 0.1, 0.25, 0.5), _category),
    Fault("label shift", "standard deviations, or share of rows set to 1", (0.1, 0.25, 0.5, 1.0), _label),
    Fault("concept change", "share of rows", (0.1, 0.25, 0.5, 1.0), _concept),
)


def faults_of(problem: Problem, baseline: Baseline) -> Sequence[Fault]:
    """Those that the problem's columns allow."""
    return [fault for fault in FAULTS if fault.plant is not _category or _texts(problem, baseline)]
