"""The noise between time blocks: what every block does is no news, what none does is."""

import numpy as np
import pytest

from ml_assets.ml.monitoring.block_noise import (
    ColumnNoise,
    column_noise,
    critical_distance,
    discoveries,
    p_value,
    unseen_share,
    usual_distance,
)
from ml_assets.ml.monitoring.summaries import (
    ColumnSummary,
    jensen_shannon,
    summarise_categories,
    summarise_numbers,
    wasserstein_normed,
)
from ml_assets.ml.monitoring.summaries.categories import CategorySummary, merge_categories
from ml_assets.ml.monitoring.summaries.numbers import NumberSummary, merge_numbers

ROWS = 800


def numbers(seed: int, shift: float, rows: int = ROWS) -> NumberSummary:
    return summarise_numbers(np.random.default_rng(seed).normal(shift, 1, rows))


def categories(seed: int, share: float, rows: int = ROWS) -> CategorySummary:
    first = int(np.random.default_rng(seed).binomial(rows, share))
    return summarise_categories(["a", "b", "c"], [first, rows - first - 50, 50], 0)


def chance(window: NumberSummary, blocks: list[NumberSummary]) -> float:
    whole = merge_numbers(blocks)
    noise = column_noise(blocks, whole)
    usual = usual_distance(noise, "wasserstein", window.values)
    assert usual is not None
    return p_value(wasserstein_normed(whole, window).value, usual, len(blocks))


def test_a_block_s_distance_is_the_one_to_all_others() -> None:
    blocks = [numbers(seed, shift) for seed, shift in enumerate([0, 0.3, -0.2, 1.0])]
    whole = merge_numbers(blocks)
    found = column_noise(blocks, whole).distances["wasserstein"]
    for place, block in enumerate(blocks):
        others = merge_numbers([each for each in blocks if each is not block])
        assert found[place] == pytest.approx(wasserstein_normed(others, block).value * others.std / whole.std, rel=1e-3)


def test_a_block_s_distance_of_categories_is_the_one_to_all_others() -> None:
    blocks = [categories(seed, share) for seed, share in enumerate([0.5, 0.6, 0.2])]
    found = column_noise(blocks, merge_categories(blocks)).distances["jensenshannon"]
    for place, block in enumerate(blocks):
        others = merge_categories([each for each in blocks if each is not block])
        assert found[place] == pytest.approx(jensen_shannon(others, block).value, rel=1e-9)


def test_a_move_that_blocks_make_all_the_time_is_no_news_and_one_that_none_makes_is() -> None:
    calm = [numbers(seed, 0.0) for seed in range(12)]
    moving = [numbers(seed, shift) for seed, shift in enumerate(np.random.default_rng(9).normal(0, 1, 12))]
    window = numbers(99, 1.0)
    assert chance(window, calm) < 1e-6
    assert chance(window, moving) > 0.1
    assert chance(numbers(99, 8.0), moving) < 0.01


def test_windows_without_a_change_alarm_no_more_often_than_declared() -> None:
    rng, rate = np.random.default_rng(3), 0.05
    alarms = [
        chance(
            numbers(1000 + run, float(rng.normal(0, 0.5))),
            [numbers(run * 20 + i, float(s)) for i, s in enumerate(rng.normal(0, 0.5, 10))],
        )
        < rate
        for run in range(120)
    ]
    assert np.mean(alarms) <= rate + 3 * np.sqrt(rate * (1 - rate) / len(alarms))


def test_few_blocks_make_the_noise_wide_and_one_says_nothing() -> None:
    limits = [critical_distance(1.0, blocks, 0.01) for blocks in (2, 5, 30)]
    assert limits == sorted(limits, reverse=True)
    assert limits[0] > 3 * limits[2]
    assert usual_distance(column_noise([numbers(0, 0)], numbers(0, 0)), "wasserstein", ROWS) is None


def test_a_window_smaller_than_a_block_may_be_farther() -> None:
    noise = ColumnNoise({"wasserstein": (0.1, 0.2, 0.15)}, values=700, missing=(0, 0), unseen=0)
    whole, part = (usual_distance(noise, "wasserstein", rows) for rows in (700, 100))
    assert whole is not None
    assert part == pytest.approx(whole * np.sqrt(7))
    assert usual_distance(noise, "wasserstein", 7000) == whole


def test_a_block_that_is_hardly_begun_teaches_no_noise() -> None:
    blocks = [numbers(0, 3.0, rows=20), *(numbers(seed, 0.0) for seed in range(1, 6))]
    assert len(column_noise(blocks, merge_numbers(blocks)).distances["wasserstein"]) == 5


def test_discoveries_are_those_of_benjamini_and_hochberg() -> None:
    # The example of their paper (1995), 15 p-values at 5%: four are discoveries.
    found = [
        0.0001,
        0.0004,
        0.0019,
        0.0095,
        0.0201,
        0.0278,
        0.0298,
        0.0344,
        0.0459,
        0.3240,
        0.4262,
        0.5719,
        0.6528,
        0.7590,
        1.0,
    ]
    names = {f"p{place:02d}": value for place, value in enumerate(found)}
    assert discoveries(names, 0.05) == {"p00", "p01", "p02", "p03"}
    assert discoveries({}, 0.05) == frozenset()


def test_noise_is_the_same_after_json() -> None:
    noise = column_noise(
        [numbers(seed, seed / 5) for seed in range(4)], merge_numbers([numbers(s, s / 5) for s in range(4)])
    )
    once = ColumnNoise.from_plain(noise.as_plain())
    assert ColumnNoise.from_plain(once.as_plain()) == once
    assert once.distances["wasserstein"] == pytest.approx(noise.distances["wasserstein"], rel=1e-5)


@pytest.mark.parametrize(
    ("reference", "current", "share"),
    [
        (summarise_categories(["a"], [9], 0), summarise_categories(["a", "z"], [3, 1], 0), 0.25),
        (summarise_numbers(np.array([0.0, 10.0])), summarise_numbers(np.array([5.0, 19.0, 21.0, -11.0])), 0.5),
        (summarise_numbers(np.array([])), summarise_numbers(np.array([5.0])), 0.0),
    ],
    ids=["category", "far-out-of-range", "nothing-known"],
)
def test_values_that_the_reference_has_not_are_counted(
    reference: ColumnSummary, current: ColumnSummary, share: float
) -> None:
    assert unseen_share(reference, current) == share
