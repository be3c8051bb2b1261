"""Summaries of columns: exact while they can be, else with an error that holds; merged without rows."""

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scipy.stats import wasserstein_distance

from ml_assets.ml.monitoring.summaries import NumberSummary, jensen_shannon, summarise_categories, summarise_numbers
from ml_assets.ml.monitoring.summaries.categories import MOST_CATEGORIES, bucket, merge_categories
from ml_assets.ml.monitoring.summaries.compressing import compress
from ml_assets.ml.monitoring.summaries.numbers import MOST_POINTS, TOLERANCE, merge_numbers
from ml_assets_tests.ml.monitoring.summaries import random_columns as rc

OFTEN = settings(max_examples=60, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))


def holds(found: NumberSummary, column: np.ndarray) -> None:
    """Everything that a summary says is true of the rows."""
    values = np.sort(column[np.isfinite(column)])
    points, n = found.points, len(values)
    assert (found.rows, found.values, int(points.counts.sum())) == (len(column), n, n)
    assert (found.least, found.largest) == (values[0], values[-1])
    assert found.mean == pytest.approx(values.mean(), rel=1e-9, abs=1e-9 * np.std(values))
    assert found.std == pytest.approx(np.std(values), rel=1e-7, abs=1e-15)
    assert np.all(np.diff(points.at) > 0)
    assert np.all(points.counts > 0)
    assert len(points.at) <= MOST_POINTS
    moved = wasserstein_distance(values, points.at, None, points.counts)
    assert moved <= points.error * (1 + 1e-6) + 1e-9 * np.std(values)
    every = np.union1d(values, points.at)
    true = np.searchsorted(values, every, side="right") / n
    ours = np.append(0, np.cumsum(points.counts))[np.searchsorted(points.at, every, side="right")] / n
    assert np.abs(true - ours).max() <= points.rank_error + 1e-12


@OFTEN
@given(st.sampled_from(list(rc.NUMBERS)), rc.SEEDS, rc.SIZES, rc.MISSING)
def test_what_a_summary_says_is_true(kind: str, seed: int, rows: int, missing: float) -> None:
    column = rc.numbers(kind, seed, rows, missing=missing)
    found = summarise_numbers(column)
    holds(found, column)
    assert found.points.error <= TOLERANCE * found.std
    assert found.exact == (len(np.unique(column[np.isfinite(column)])) <= MOST_POINTS)


@OFTEN
@given(st.sampled_from(list(rc.NUMBERS)), rc.SEEDS, rc.SIZES, st.integers(1, 7))
def test_what_a_merged_summary_says_is_true(kind: str, seed: int, rows: int, parts: int) -> None:
    columns = [rc.numbers(kind, seed + part, rows, shift=part / 3) for part in range(parts)]
    holds(merge_numbers([summarise_numbers(column) for column in columns]), np.concatenate(columns))


@pytest.mark.parametrize("distinct", [MOST_POINTS, MOST_POINTS + 1])
def test_a_column_is_exact_up_to_the_most_points(distinct: int) -> None:
    column = np.tile(np.arange(distinct, dtype=float), 3)
    found = summarise_numbers(column)
    assert found.exact == (distinct == MOST_POINTS)
    holds(found, column)


def test_very_many_values_are_marked_and_an_outlier_keeps_its_place() -> None:
    column = np.append(np.random.default_rng(0).normal(size=600_000), [-1e5, 1e5])
    found = summarise_numbers(column)
    assert (found.points.at[0], found.points.at[-1]) == (-1e5, 1e5)
    holds(found, column)


def test_too_few_points_for_the_tolerance_say_how_far_they_are() -> None:
    values = np.sort(np.random.default_rng(0).normal(size=20_000))
    points = compress(values, tolerance=1e-9, most=50)
    assert len(points.at) <= 50
    assert points.error == pytest.approx(wasserstein_distance(values, points.at, None, points.counts))
    assert points.error > 0.01


@pytest.mark.parametrize(
    "column",
    [[], [np.nan], [np.inf, -np.inf], [1e200]],
    ids=["no rows", "missing", "infinite", "no finite variance"],
)
def test_a_column_without_values_has_a_summary(column: list[float]) -> None:
    found = summarise_numbers(np.array(column, dtype=float))
    assert (found.rows, found.values, found.std) == (len(column), 0, 0)
    full = summarise_numbers(np.array([1.0, 2.0]))
    merged = merge_numbers([found, full, found])
    assert (merged.rows, merged.values, merged.mean) == (2 * len(column) + 2, 2, 1.5)


def test_gaps_too_small_for_float64_do_not_stop_it() -> None:
    column = np.arange(5000) * 5e-324
    assert summarise_numbers(column).values == 5000


def test_the_rows_stay_as_they_are() -> None:
    column = np.array([3.0, np.nan, 1.0])
    summarise_numbers(column)
    np.testing.assert_array_equal(column, [3.0, np.nan, 1.0])


def test_codes_are_one_category_whether_missing_values_made_them_floats_or_not() -> None:
    found = summarise_categories([1, 1.0, "1", True, 1.5], [1, 2, 3, 4, 5], 6)
    assert dict(found.counts) == {"1": 6, "True": 4, "1.5": 5}
    assert (found.rows, found.missing) == (21, 6)


def test_categories_beyond_the_most_go_to_their_buckets() -> None:
    names = [f"n{number}" for number in range(MOST_CATEGORIES + 3)]
    found = summarise_categories(names, [1, 1, 1, *([2] * MOST_CATEGORIES)], 0)
    assert not found.exact
    assert found.distinct == len(names)
    assert len(found.counts) == MOST_CATEGORIES
    assert [found.rest[bucket(name)] > 0 for name in ("n0", "n1", "n2")] == [True] * 3
    assert sum(found.counts.values()) + found.rest.sum() == found.values
    assert summarise_categories(names[:-3], [1] * MOST_CATEGORIES, 0).exact


def test_merged_categories_are_exact_where_their_parts_are() -> None:
    parts = [summarise_categories(["a", part], [2, 1], 1) for part in ("b", "c", "a ")]
    merged = merge_categories(parts)
    assert dict(merged.counts) == {"a": 6, "a ": 1, "b": 1, "c": 1}
    assert (merged.rows, merged.missing, merged.distinct, merged.exact) == (12, 3, 4, True)


@OFTEN
@given(rc.SEEDS, st.integers(1, 6), st.sampled_from([1, 20, 300, 4000]))
def test_the_distance_of_bounded_categories_holds_the_true_one(seed: int, parts: int, most: int) -> None:
    rng = np.random.default_rng(seed)
    sides = [[rng.zipf(1.3 + side / 5, 800).astype(float).tolist() for _ in range(parts)] for side in (0, 1)]

    def counted(rows: list[float], most: int = 10**6) -> object:
        values, counts = np.unique([f"z{row:.0f}" for row in rows], return_counts=True)
        return summarise_categories(values.tolist(), counts.tolist(), 0, most=most)

    exact = jensen_shannon(*(counted([row for part in side for row in part]) for side in sides))  # type: ignore[arg-type]
    bounded = jensen_shannon(
        *(merge_categories([counted(part, most) for part in side], most=most) for side in sides)  # type: ignore[misc]
    )
    assert exact.error == 0
    assert abs(bounded.value - exact.value) <= bounded.error + 1e-12
    assert bounded.error < 0.5
