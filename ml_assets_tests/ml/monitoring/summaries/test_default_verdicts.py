"""Verdicts from summaries are Evidently's on all rows, but within the stated error of the threshold."""

import warnings

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ml_assets.ml.monitoring.summaries import DefaultVerdict, NumberSummary, default_verdict, merge
from ml_assets.ml.monitoring.summaries.categories import merge_categories
from ml_assets.ml.monitoring.summaries.numbers import TOLERANCE, merge_numbers
from ml_assets.ml.monitoring.summaries.tables import TableSummary
from ml_assets_tests.ml.monitoring.summaries import random_columns as rc

OFTEN = settings(max_examples=60, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))


def agree(ours: DefaultVerdict, reference: np.ndarray, current: np.ndarray) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        method, score, drifted = rc.said_by_evidently(reference, current)
    assert ours.method == method
    if np.isnan(score):  # its Jensen-Shannon of equal sides: the root of a rounding error below 0
        assert ours.score.value == pytest.approx(0, abs=1e-7)
        score = 0.0
    assert abs(ours.score.value - score) <= ours.score.error + 1e-7 + 1e-9 * score
    if ours.sure and abs(score - ours.threshold) > 1e-9:
        assert ours.drifted == drifted


@OFTEN
@given(st.sampled_from(list(rc.NUMBERS)), rc.SEEDS, rc.SIZES, rc.SIZES, rc.SHIFTS, rc.MISSING)
def test_numbers(kind: str, seed: int, n: int, m: int, shift: float, missing: float) -> None:
    reference = rc.numbers(kind, seed, n)
    current = rc.numbers(kind, seed + 1, m, shift=shift, missing=missing)
    agree(default_verdict(rc.summary(reference), rc.summary(current)), reference, current)


@OFTEN
@given(st.sampled_from(list(rc.CATEGORIES)), rc.SEEDS, rc.SIZES, rc.SIZES, rc.SHIFTS, rc.MISSING)
def test_categories(kind: str, seed: int, n: int, m: int, shift: float, missing: float) -> None:
    reference = rc.categories(kind, seed, n)
    current = rc.categories(kind, seed + 1, m, shift=shift, missing=missing)
    agree(default_verdict(rc.summary(reference), rc.summary(current)), reference, current)


@OFTEN
@given(st.sampled_from(list(rc.NUMBERS)), rc.SEEDS, st.integers(2, 9), rc.SHIFTS)
def test_numbers_of_merged_windows(kind: str, seed: int, parts: int, shift: float) -> None:
    reference, current = rc.numbers(kind, seed, 9000), rc.numbers(kind, seed + 1, 30_000, shift=shift)
    before, now = (
        merge_numbers([rc.summary(part) for part in np.array_split(side, parts)])  # type: ignore[misc]
        for side in (reference, current)
    )
    agree(default_verdict(before, now), reference, current)


@OFTEN
@given(st.sampled_from(list(rc.CATEGORIES)), rc.SEEDS, st.integers(2, 9), rc.SHIFTS)
def test_categories_of_merged_windows(kind: str, seed: int, parts: int, shift: float) -> None:
    reference, current = rc.categories(kind, seed, 9000), rc.categories(kind, seed + 1, 30_000, shift=shift)
    before, now = (
        merge_categories([rc.summary(part) for part in np.array_split(side, parts)])  # type: ignore[misc]
        for side in (reference, current)
    )
    agree(default_verdict(before, now), reference, current)


@pytest.mark.parametrize("kind", list(rc.NUMBERS))
def test_the_error_of_a_distance_is_a_hundredth_of_the_threshold_for_each_side(kind: str) -> None:
    sides = [rc.summary(rc.numbers(kind, seed, 60_000)) for seed in (1, 2)]
    verdict = default_verdict(*sides)
    spread = max(side.std / sides[0].std for side in sides) if sides[0].std else 1  # type: ignore[union-attr]
    assert verdict.score.error <= 2 * TOLERANCE * max(spread, 1)


def test_a_distance_within_its_error_of_the_threshold_says_so() -> None:
    reference = rc.numbers("normal", 1, 50_000)
    verdict = default_verdict(rc.summary(reference), rc.summary(reference + 0.1 * np.std(reference)))
    assert verdict.score.value == pytest.approx(0.1, abs=verdict.score.error)
    assert not verdict.sure


def test_up_to_4096_distinct_values_give_evidently_s_distance_to_the_last_digits() -> None:
    reference, current = (rc.numbers("ties", seed, 50_000, shift=seed / 10) for seed in (0, 1))
    verdict = default_verdict(rc.summary(reference), rc.summary(current))
    assert verdict.score.error == 0
    assert verdict.score.value == pytest.approx(rc.said_by_evidently(reference, current)[1], rel=1e-12)


def test_evidently_s_preset_gives_the_same_verdicts() -> None:
    import pandas as pd
    from evidently import DataDefinition, Dataset, Report
    from evidently.presets import DataDriftPreset

    kinds = [kind for kind in rc.NUMBERS if kind not in ("heavy tails", "constant")]
    frames = [
        pd.DataFrame({kind: rc.numbers(kind, seed, 3000, shift=seed * 0.15) for kind in kinds}) for seed in (0, 1)
    ]
    definition = DataDefinition(numerical_columns=kinds, categorical_columns=[])
    snapshot = Report([DataDriftPreset()], include_tests=True).run(
        *(Dataset.from_pandas(frame, definition) for frame in frames[::-1])
    )
    verdicts = {
        test["metric_config"]["params"]["column"]: test["status"] == "FAIL"
        for test in snapshot.dict()["tests"]
        if "column" in test["metric_config"]["params"]
    }
    assert set(verdicts) == set(kinds)
    assert len(set(verdicts.values())) == 2
    for kind in kinds:
        ours = default_verdict(*(rc.summary(frame[kind].to_numpy()) for frame in frames))
        assert ours.drifted == verdicts[kind], kind


def test_merging_is_the_same_in_any_grouping_within_the_bound() -> None:
    days = [TableSummary(5000, {"x": rc.summary(rc.numbers("normal", seed, 5000))}) for seed in range(12)]
    reference = rc.summary(rc.numbers("normal", 99, 50_000, shift=0.2))
    at_once = merge(days)
    weeks = merge([merge(days[start : start + 4]) for start in range(0, 12, 4)])
    one_by_one = days[0]
    for day in days[1:]:
        one_by_one = merge([one_by_one, day])
    all_rows = np.concatenate([rc.numbers("normal", seed, 5000) for seed in range(12)])
    exact = rc.said_by_evidently(rc.numbers("normal", 99, 50_000, shift=0.2), all_rows)[1]
    for merged in (at_once, weeks, one_by_one):
        column = merged.columns["x"]
        assert isinstance(column, NumberSummary)
        assert (merged.rows, column.values) == (60_000, 60_000)
        assert column.std == pytest.approx(np.std(all_rows), rel=1e-12)
        score = default_verdict(reference, column).score
        assert abs(score.value - exact) <= score.error
        assert score.error < 0.005
