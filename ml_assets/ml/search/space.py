"""A declared search space in Hyperopt's terms: nodes to draw from, a champion's parameters as a first point.

Only the translation lives here; drawing and judging trials is `tuning.py`'s, whether XGBoost takes what can be
drawn is `checks.py`'s.
"""

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ml_assets.ml.training.params import ParamValue
from ml_assets.spec import Choice, Distribution, Integer, LogNormal, LogUniform, Normal, Uniform

if TYPE_CHECKING:
    from hyperopt.pyll.base import Apply

Space = Mapping[str, Distribution]
Point = dict[str, ParamValue]

_BETWEEN = 0.37
"""Where between its ends a distribution is looked at for a value that is none of its ends and no round number."""


def hyperopt_space(space: Space) -> "dict[str, Apply]":
    """Parameter -> Hyperopt node."""
    return {name: _node(name, distribution) for name, distribution in space.items()}


def _node(name: str, distribution: Distribution) -> "Apply":
    from hyperopt import hp

    match distribution:
        case Choice(probabilities=None):
            return hp.choice(name, list(distribution.values))
        case Choice():
            return hp.pchoice(name, list(zip(distribution.probabilities or (), distribution.values, strict=True)))
        case Integer():
            # Half a step beyond both ends: Hyperopt rounds, and would draw the ends half as often as the rest.
            return hp.uniformint(name, distribution.low - 0.5, distribution.high + 0.5)
        case Uniform(step=None):
            return hp.uniform(name, distribution.low, distribution.high)
        case LogUniform(step=None):
            return hp.loguniform(name, math.log(distribution.low), math.log(distribution.high))
        case Uniform(step=float(step)):
            first, last = (multiple * step for multiple in _multiples(distribution))
            return hp.quniform(name, first - step / 2, last + step / 2, step)
        case LogUniform(step=float(step)):
            first, last = (multiple * step for multiple in _multiples(distribution))
            return hp.qloguniform(name, math.log(first - step / 2), math.log(last + step / 2), step)
        case Normal() | LogNormal():
            return _bell(name, distribution)
    raise AssertionError(distribution)  # the steps above are floats or None


def _bell(name: str, distribution: Normal | LogNormal) -> "Apply":
    from hyperopt import hp

    if isinstance(distribution, Normal):
        ends = (distribution.mean, distribution.std)
        return hp.qnormal(name, *ends, distribution.step) if distribution.step else hp.normal(name, *ends)
    ends = (math.log(distribution.median), distribution.log_std)
    return hp.qlognormal(name, *ends, distribution.step) if distribution.step else hp.lognormal(name, *ends)


def _multiples(distribution: Uniform | LogUniform) -> tuple[int, int]:
    """First and last multiple of the step inside the bounds; the last is the smaller one where there is none."""
    step = distribution.step or 1.0
    # A bound that is a multiple but for its last binary digit (0.3 = 3 x 0.1) counts as one.
    return math.ceil(distribution.low / step - 1e-9), math.floor(distribution.high / step + 1e-9)


def unsampled(distribution: Distribution) -> str:
    """Why no value can be drawn from a distribution, or ""."""
    ends = [value for value in distribution.model_dump().values() if isinstance(value, float | int)]
    if not isinstance(distribution, Choice) and not all(map(math.isfinite, ends)):
        return "an end is not finite; give numbers"
    if isinstance(distribution, Uniform | LogUniform) and distribution.step:
        first, last = _multiples(distribution)
        if first > last:
            return (
                f"no multiple of step {distribution.step:g} lies between {distribution.low:g} and "
                f"{distribution.high:g}; take a smaller `step`"
            )
    return ""


def plain(space: Space, drawn: Mapping[str, Any]) -> Point:
    """What Hyperopt drew as plain Python values, in the order of the space, inside its bounds and on its steps."""
    return {name: _plain(distribution, drawn[name]) for name, distribution in space.items()}


def _plain(distribution: Distribution, value: Any) -> ParamValue:
    if isinstance(distribution, Choice):
        return distribution.values[distribution.values.index(value)]
    if isinstance(distribution, Integer):
        return min(max(int(value), distribution.low), distribution.high)
    if distribution.step:
        return _on_step(distribution, float(value), distribution.step)
    if isinstance(distribution, Uniform | LogUniform):
        return min(max(float(value), distribution.low), distribution.high)  # exp(log(high)) may exceed high
    return float(value)


def _on_step(distribution: Uniform | LogUniform | Normal | LogNormal, value: float, step: float) -> ParamValue:
    """The nearest multiple of the step that is allowed; whole numbers where the step is one."""
    multiple = round(value / step)
    if isinstance(distribution, Uniform | LogUniform):
        first, last = _multiples(distribution)
        multiple = min(max(multiple, first), last)
    elif isinstance(distribution, LogNormal):
        multiple = max(multiple, 1)  # its values are positive
    if step.is_integer():
        return multiple * int(step)
    return float(f"{multiple * step:.12g}")  # 3 x 0.1 is 0.3, not 0.30000000000000004


def warm_point(space: Space, champion: Mapping[str, ParamValue] | None) -> Point | None:
    """The champion's parameters as a point of the space; None when it has nothing to say about this space.

    Hyperopt needs a value for every parameter. Where the champion has none inside the space (the space was
    changed since), the middle of the distribution stands in; one between two steps becomes the nearest.
    """
    known = champion or {}
    inside = {name: known[name] for name, d in space.items() if name in known and _holds(d, known[name])}
    if not inside:
        return None
    return {name: _plain(d, inside[name]) if name in inside else middle(d) for name, d in space.items()}


def from_hyperopt(space: Space, written: Mapping[str, Any]) -> Point:
    """A point as Hyperopt writes it down, in plain values: the reverse of `hyperopt_point`."""
    return plain(
        space, {n: d.values[int(written[n])] if isinstance(d, Choice) else written[n] for n, d in space.items()}
    )


def hyperopt_point(space: Space, point: Point) -> dict[str, Any]:
    """A point as Hyperopt writes it down: a choice by its position, a whole number as float."""
    return {name: d.values.index(point[name]) if isinstance(d, Choice) else point[name] for name, d in space.items()}


def middle(distribution: Distribution) -> ParamValue:
    """The median of a distribution; of a choice the likeliest value (of equals the first)."""
    match distribution:
        case Choice():
            likely = distribution.probabilities or (1.0,) * len(distribution.values)
            return distribution.values[likely.index(max(likely))]
        case Integer():
            return (distribution.low + distribution.high) // 2
        case LogUniform():
            return _plain(distribution, math.sqrt(distribution.low * distribution.high))
        case Uniform():
            return _plain(distribution, (distribution.low + distribution.high) / 2)
        case Normal():
            return _plain(distribution, distribution.mean)
        case LogNormal():
            return _plain(distribution, distribution.median)


def examples(distribution: Distribution) -> tuple[ParamValue, ...]:
    """Values that stand for all that can be drawn: each choice, or both ends and one between.

    Of a bell the ends are two standard deviations out, beyond which lies one draw in twenty.
    """
    match distribution:
        case Choice():
            return distribution.values
        case Integer():
            return (distribution.low, distribution.high)
        case Normal():
            shifts = (-2.0, 2.0, _BETWEEN)
            values = [distribution.mean + shift * distribution.std for shift in shifts]
        case LogNormal():
            shifts = (-2.0, 2.0, _BETWEEN)
            values = [distribution.median * math.exp(shift * distribution.log_std) for shift in shifts]
        case _:
            low, high = distribution.low, distribution.high
            values = [low, high, low + _BETWEEN * (high - low)]
    return tuple(dict.fromkeys(_plain(distribution, value) for value in values))


def _holds(distribution: Distribution, value: ParamValue) -> bool:
    if isinstance(distribution, Choice):
        return value in distribution.values
    if isinstance(value, str) or not math.isfinite(value):
        return False
    if isinstance(distribution, Normal):
        return True
    if isinstance(distribution, LogNormal):
        return value > 0
    if not distribution.low <= value <= distribution.high:
        return False
    return not isinstance(distribution, Integer) or float(value).is_integer()
