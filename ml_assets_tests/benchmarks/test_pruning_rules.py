"""The benchmark of pruning rules: what a replay counts."""

import math

from benchmarks.pruning_rules import Curve, median_rule, replay, to_the_end
from ml_assets.ml.search.trial_log import Trial


def curve(number: int, *losses: float) -> Curve:
    least = min(losses)
    return Curve(Trial(number, {}, least, {}, losses.index(least), 0.0), losses, float(len(losses)))


def test_a_trial_that_is_stopped_costs_its_rounds_and_wins_nothing() -> None:
    found = [curve(0, 3.0, 2.0), curve(1, 2.0, 1.0, 1.0, 1.0)]
    assert replay(found, to_the_end) == ([0.0, 2.0, 6.0], [math.inf, 2.0, 1.0])
    assert replay(found, lambda done, new: 1 if done else None) == ([0.0, 2.0, 3.0], [math.inf, 2.0, 2.0])


def test_the_median_rule_compares_the_same_round() -> None:
    others = [curve(number, *([float(number)] * 20)) for number in range(5)]
    assert median_rule(others, curve(5, *([2.5] * 20))) == 11
    assert median_rule(others, curve(5, *([1.5] * 20))) is None
    assert median_rule(others[:4], curve(5, *([9.0] * 20))) is None
