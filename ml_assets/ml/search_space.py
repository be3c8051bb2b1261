"""A declared search space in Hyperopt's terms: nodes to draw from, a champion's parameters as a first point.

Only the translation lives here; drawing and judging trials is `tuning.py`'s.
"""

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ml_assets.ml.model import ParamValue
from ml_assets.spec import Choice, Distribution, Integer, LogUniform

if TYPE_CHECKING:
    from hyperopt.pyll.base import Apply

Space = Mapping[str, Distribution]
Point = dict[str, ParamValue]


def hyperopt_space(space: Space) -> "dict[str, Apply]":
    """Parameter -> Hyperopt node."""
    return {name: _node(name, distribution) for name, distribution in space.items()}


def _node(name: str, distribution: Distribution) -> "Apply":
    from hyperopt import hp

    if isinstance(distribution, Choice):
        return hp.choice(name, list(distribution.values))
    if isinstance(distribution, Integer):
        # Half a step beyond both ends: Hyperopt rounds, and would draw the ends half as often as the rest.
        return hp.uniformint(name, distribution.low - 0.5, distribution.high + 0.5)
    if isinstance(distribution, LogUniform):
        return hp.loguniform(name, math.log(distribution.low), math.log(distribution.high))
    return hp.uniform(name, distribution.low, distribution.high)


def plain(space: Space, drawn: Mapping[str, Any]) -> Point:
    """What Hyperopt drew as plain Python values, in the order of the space and inside its bounds."""
    return {name: _plain(distribution, drawn[name]) for name, distribution in space.items()}


def _plain(distribution: Distribution, value: Any) -> ParamValue:
    if isinstance(distribution, Choice):
        return distribution.values[distribution.values.index(value)]
    if isinstance(distribution, Integer):
        return min(max(int(value), distribution.low), distribution.high)
    return min(max(float(value), distribution.low), distribution.high)  # exp(log(high)) may exceed high


def warm_point(space: Space, champion: Mapping[str, ParamValue] | None) -> Point | None:
    """The champion's parameters as a point of the space; None when it has nothing to say about this space.

    Hyperopt needs a value for every parameter. Where the champion has none inside the space (the space was
    changed since), the middle of the distribution stands in.
    """
    known = champion or {}
    inside = {name: known[name] for name, d in space.items() if name in known and _holds(d, known[name])}
    if not inside:
        return None
    return {name: _plain(d, inside[name]) if name in inside else middle(d) for name, d in space.items()}


def hyperopt_point(space: Space, point: Point) -> dict[str, Any]:
    """A point as Hyperopt writes it down: a choice by its position, a whole number as float."""
    return {name: d.values.index(point[name]) if isinstance(d, Choice) else point[name] for name, d in space.items()}


def middle(distribution: Distribution) -> ParamValue:
    """The median of a distribution; of a choice the first value."""
    if isinstance(distribution, Choice):
        return distribution.values[0]
    if isinstance(distribution, Integer):
        return (distribution.low + distribution.high) // 2
    if isinstance(distribution, LogUniform):
        return math.sqrt(distribution.low * distribution.high)
    return (distribution.low + distribution.high) / 2


def _holds(distribution: Distribution, value: ParamValue) -> bool:
    if isinstance(distribution, Choice):
        return value in distribution.values
    if isinstance(value, str) or not distribution.low <= value <= distribution.high:
        return False
    return not isinstance(distribution, Integer) or float(value).is_integer()
