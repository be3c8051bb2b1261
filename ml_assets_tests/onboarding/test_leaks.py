"""Copies and consequences of the label are left out; honest features are not."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from ml_assets_tests.onboarding.tables import planned, shops, to_parquet, visits

RNG = np.random.default_rng(3)


def _sold(plant) -> pd.DataFrame:
    frame = shops()
    return frame.assign(planted=plant(frame["sold"]))


@pytest.mark.parametrize(
    ("plant", "how"),
    [
        (lambda y: y, "correlates"),
        (lambda y: -3 * y + 7 + RNG.normal(0, 1, len(y)), "correlates"),
        (lambda y: np.exp(y / 20), "rank"),
        (lambda y: y.round().astype(int), "correlates"),
    ],
    ids=["copy", "scaled with noise", "monotone", "rounded"],
)
def test_what_follows_a_number_is_a_leak(tmp_path: Path, plant, how: str) -> None:
    plan = planned(to_parquet(_sold(plant), tmp_path), label="sold")
    assert how in plan.selection.left_out["planted"]
    assert "visitors" in plan.selection.view  # correlates by 0.6


@pytest.mark.parametrize(
    ("plant", "how"),
    [
        (lambda y: (y == "yes").astype(int), "correlates"),
        (lambda y: y != "yes", "correlates"),
        (lambda y: np.where(y == "yes", "gone", "here"), "Cramer"),
        (lambda y: np.where(y == "yes", RNG.choice(["price", "moved"], len(y)), "stayed"), "Cramer"),
        (lambda y: pd.Series(np.where(y == "yes", RNG.random(len(y)), np.nan)), "empty in a way"),
    ],
    ids=["as 0 and 1", "turned round", "other words", "reason of leaving", "filled only for those who left"],
)
def test_what_tells_a_class_is_a_leak(tmp_path: Path, plant, how: str) -> None:
    frame = visits()
    plan = planned(to_parquet(frame.assign(planted=plant(frame["churned"])), tmp_path))
    assert how in plan.selection.left_out["planted"]
    assert {"age", "plan"} <= set(plan.selection.view)


def test_a_code_of_the_class_is_a_leak_and_a_related_column_is_not(tmp_path: Path) -> None:
    kind = RNG.choice(["a", "b", "c"], 3000)
    code = pd.Series(kind).map({"a": 10, "b": 20, "c": 30})
    related = np.where(RNG.random(3000) < 0.9, code, 10)
    frame = visits().drop(columns="churned").assign(code=code, related=related, kind=kind)
    plan = planned(to_parquet(frame, tmp_path), label="kind")
    assert "Cramer" in plan.selection.left_out["code"]
    assert "related" in plan.selection.view


def test_two_rare_events_are_no_leak_of_each_other(tmp_path: Path) -> None:
    """Both are nearly always 0, so they nearly always agree."""
    frame = visits().drop(columns="churned").assign(rare=(np.arange(3000) % 301 == 0).astype(int))
    frame["failed"] = (np.arange(3000) % 299 == 0).astype(int)
    assert "rare" in planned(to_parquet(frame, tmp_path), label="failed").selection.view


def test_few_rows_do_not_make_a_category_a_leak(tmp_path: Path) -> None:
    """With a row or two per value, chance alone ties values to classes."""
    frame = pd.DataFrame(
        {
            "day": pd.date_range("2024-01-01", periods=300),
            "city": [f"city {n % 150}" for n in range(300)],
            "target": [(n % 150) % 3 for n in range(300)],
        }
    )
    assert "city" in planned(to_parquet(frame, tmp_path)).selection.all
