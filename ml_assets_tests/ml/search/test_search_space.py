"""Every distribution: what Hyperopt draws from it lies inside its bounds and on its steps, also after a warm start."""

import math
from collections import Counter
from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from ml_assets.ml.search.space import examples, hyperopt_point, hyperopt_space, middle, plain, unsampled, warm_point
from ml_assets.spec import Choice, Distribution, Integer, LogNormal, LogUniform, Normal, Uniform

SPACE: dict[str, Distribution] = {
    "uniform": Uniform(kind="uniform", low=0.2, high=0.9),
    "quniform": Uniform(kind="uniform", low=0.2, high=0.9, step=0.1),
    "loguniform": LogUniform(kind="loguniform", low=0.01, high=10),
    "qloguniform": LogUniform(kind="loguniform", low=1, high=64, step=1),
    "normal": Normal(kind="normal", mean=5, std=2),
    "qnormal": Normal(kind="normal", mean=5, std=2, step=0.5),
    "lognormal": LogNormal(kind="lognormal", median=2, log_std=1),
    "qlognormal": LogNormal(kind="lognormal", median=2, log_std=1, step=1),
    "integer": Integer(kind="integer", low=-2, high=3),
    "choice": Choice(kind="choice", values=("a", 2, 0.5)),
    "pchoice": Choice(kind="choice", values=("a", "b", "c"), probabilities=(0.1, 0.2, 0.7)),
}
STEPS = st.sampled_from([0.05, 0.1, 0.25, 0.3, 1.0, 2.0, 7.0])


def draw(space: Mapping[str, Distribution], count: int, *, warm: dict[str, Any] | None = None) -> list[dict[str, Any]]:
    """Points as a search draws them: some at random, then by TPE."""
    from hyperopt import fmin, partial, tpe

    drawn: list[dict[str, Any]] = []

    def objective(point: dict[str, Any]) -> float:
        drawn.append(plain(space, point))
        return float(len(drawn) % 7)

    start = warm_point(space, warm)
    fmin(
        objective,
        hyperopt_space(space),
        algo=partial(tpe.suggest, n_startup_jobs=count // 2, verbose=False),
        max_evals=count - (start is not None),
        points_to_evaluate=None if start is None else [hyperopt_point(space, start)],
        rstate=np.random.default_rng(0),
        verbose=False,
        show_progressbar=False,
    )
    return drawn


def assert_holds(distribution: Distribution, value: Any) -> None:
    """The value is one that the declaration allows, in plain Python."""
    if isinstance(distribution, Choice):
        assert value in distribution.values
        return
    assert type(value) in (int, float)
    assert math.isfinite(value)
    if isinstance(distribution, Integer):
        assert type(value) is int
        assert distribution.low <= value <= distribution.high
        return
    if isinstance(distribution, Uniform | LogUniform):
        assert distribution.low - 1e-9 <= value <= distribution.high + 1e-9
    if isinstance(distribution, LogNormal):
        assert value > 0
    if distribution.step:
        assert value / distribution.step == pytest.approx(round(value / distribution.step), abs=1e-6)
        assert (type(value) is int) == distribution.step.is_integer()


@pytest.fixture(scope="module")
def drawn() -> list[dict[str, Any]]:
    return draw(SPACE, 60)


@pytest.mark.parametrize("name", SPACE)
def test_draws_lie_inside_the_bounds_and_on_the_steps(name: str, drawn: list[dict[str, Any]]) -> None:
    values = [point[name] for point in drawn]
    for value in values:
        assert_holds(SPACE[name], value)
    assert len(set(values)) > 2


def test_a_warm_start_is_drawn_first_and_as_it_was(drawn: list[dict[str, Any]]) -> None:
    champion = drawn[17]
    again = draw(SPACE, 20, warm=champion)
    assert again[0] == champion
    assert len(again) == 20
    assert again[1] != again[0]


@pytest.mark.parametrize(
    ("distribution", "values"),
    [
        pytest.param(Integer(kind="integer", low=3, high=5), [3, 4, 5], id="integer"),
        pytest.param(Uniform(kind="uniform", low=0.1, high=0.5, step=0.2), [0.2, 0.4], id="uniform"),
        pytest.param(Uniform(kind="uniform", low=0.6, high=0.8, step=0.1), [0.6, 0.7, 0.8], id="uniform-ends"),
    ],
)
def test_steps_are_drawn_evenly_up_to_both_ends(distribution: Distribution, values: list[float]) -> None:
    from hyperopt.pyll.stochastic import sample

    node, rng = hyperopt_space({"x": distribution})["x"], np.random.default_rng(0)
    drawn = Counter(plain({"x": distribution}, {"x": sample(node, rng=rng)})["x"] for _ in range(300))
    assert sorted(drawn) == values
    assert min(drawn.values()) > 0.7 * 300 / len(values)


def test_probabilities_say_how_often_a_choice_is_drawn() -> None:
    from hyperopt.pyll.stochastic import sample

    space: dict[str, Distribution] = {"x": Choice(kind="choice", values=("a", "b", "c"), probabilities=(0.7, 0, 0.3))}
    node, rng = hyperopt_space(space)["x"], np.random.default_rng(0)
    drawn = Counter(plain(space, {"x": sample(node, rng=rng)})["x"] for _ in range(400))
    assert set(drawn) == {"a", "c"}
    assert drawn["a"] == pytest.approx(280, abs=40)


@settings(deadline=None)
@given(st.floats(0.001, 50), st.floats(0.001, 50), st.none() | STEPS, st.floats(-1e6, 1e6), st.booleans())
def test_whatever_was_drawn_comes_out_inside_bounds_and_on_steps(
    low: float, width: float, step: float | None, value: float, logarithmic: bool
) -> None:
    kind: Any = LogUniform if logarithmic else Uniform
    distribution = kind(kind="loguniform" if logarithmic else "uniform", low=low, high=low + width, step=step)
    if unsampled(distribution):
        assert step is not None
        return
    assert_holds(distribution, plain({"x": distribution}, {"x": value})["x"])
    assert_holds(distribution, middle(distribution))
    for each in examples(distribution):
        assert_holds(distribution, each)


@settings(deadline=None)
@given(st.floats(-5, 5), st.floats(0.01, 5), st.none() | STEPS, st.floats(-1e4, 1e4), st.booleans())
def test_bells_have_no_bounds_but_steps_and_a_sign(
    mean: float, std: float, step: float | None, value: float, logarithmic: bool
) -> None:
    distribution: Distribution = (
        LogNormal(kind="lognormal", median=math.exp(mean), log_std=std, step=step)
        if logarithmic
        else Normal(kind="normal", mean=mean, std=std, step=step)
    )
    drawn = abs(value) + 1e-6 if logarithmic else value
    assert_holds(distribution, plain({"x": distribution}, {"x": drawn})["x"])
    assert_holds(distribution, middle(distribution))


@pytest.mark.parametrize("name", SPACE)
@pytest.mark.parametrize("offered", [0.55, 3, -1, "b", "unknown", 1e9, math.nan, math.inf], ids=str)
def test_a_champions_value_is_taken_where_it_fits_and_the_middle_stands_in_elsewhere(name: str, offered: Any) -> None:
    point = warm_point({name: SPACE[name], "other": SPACE["choice"]}, {name: offered, "other": "a"})
    assert point is not None
    assert_holds(SPACE[name], point[name])
    if isinstance(offered, float) and not math.isfinite(offered):
        assert point[name] == middle(SPACE[name])


def test_a_champions_value_between_two_steps_becomes_the_nearest() -> None:
    assert warm_point({"x": SPACE["quniform"]}, {"x": 0.4321}) == {"x": 0.4}


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("uniform", 0.55),
        ("quniform", 0.6),
        ("qloguniform", 8),
        ("qnormal", 5.0),
        ("qlognormal", 2),
        ("integer", 0),
        ("choice", "a"),
        ("pchoice", "c"),
    ],
)
def test_the_middle_is_the_median_or_the_likeliest(name: str, expected: Any) -> None:
    value = middle(SPACE[name])
    assert value == pytest.approx(expected) if isinstance(expected, float) else value == expected
    assert type(value) is type(expected)


@pytest.mark.parametrize(
    ("distribution", "said"),
    [
        pytest.param(Uniform(kind="uniform", low=0.11, high=0.19, step=0.1), "no multiple of step 0.1", id="no-step"),
        pytest.param(SPACE["quniform"], "", id="good"),
    ],
)
def test_what_cannot_be_drawn_says_why(distribution: Distribution, said: str) -> None:
    assert said in unsampled(distribution)
    assert bool(unsampled(distribution)) == bool(said)


@pytest.mark.parametrize("value", [math.inf, math.nan])
def test_ends_that_are_no_numbers_are_refused(value: float) -> None:
    with pytest.raises(ValidationError, match="finite"):
        LogUniform(kind="loguniform", low=1, high=value)
