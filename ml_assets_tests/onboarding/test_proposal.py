"""Which column is what, from names and values; and how sure that is."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from ml_assets.errors import UnfitLabelError
from ml_assets.onboarding.hints import days_ahead, entity_hint, sounds_positive, time_hint
from ml_assets.onboarding.keys import RowIdentity
from ml_assets.onboarding.profile import profile
from ml_assets.onboarding.proposal import (
    SURE,
    propose_entity,
    propose_label,
    propose_positive,
    propose_task,
    propose_time,
    require_task,
)
from ml_assets_tests.onboarding.tables import opened, profiled, shops, to_parquet, visits


@pytest.mark.parametrize(
    "name", ["customer_id", "CustomerID", "Customer ID", "customerId", "store", "sku_code", "tailnum"]
)
def test_names_of_entities_are_recognised(name: str) -> None:
    assert entity_hint(name) >= SURE


@pytest.mark.parametrize("name", ["paid", "humidity", "valid", "amount", "grid"])
def test_words_that_merely_end_like_an_identifier_are_none(name: str) -> None:
    assert entity_hint(name) == 0


def test_an_order_is_less_of_an_entity_than_a_customer() -> None:
    assert 0 < entity_hint("order_id") < entity_hint("customer_id")


@pytest.mark.parametrize(
    ("name", "days"), [("churned_90d", 90), ("spend_next_30_days", 30), ("churned", 0), ("id3", 0)]
)
def test_a_label_may_say_how_far_it_looks_ahead(name: str, days: int) -> None:
    assert days_ahead(name) == days


def test_the_end_of_an_event_is_less_of_a_time_than_its_start() -> None:
    assert time_hint("closed_at") < time_hint("ordered_at") <= time_hint("event_time")


@pytest.mark.parametrize("value", ["yes", "True", 1, "churned", "Y"])
def test_a_class_may_name_itself_positive(value: object) -> None:
    assert sounds_positive(value)
    assert not sounds_positive(f"no {value}")


def test_a_label_by_name_beats_the_last_column(tmp_path: Path) -> None:
    frame = pd.DataFrame({"a": [1.0, 2, 3], "target": [1.5, 2, 9], "zzz": [3.0, 1, 2]})
    guess = propose_label(profiled(to_parquet(frame, tmp_path)), ())
    assert (guess.value, guess.confidence >= SURE) == ("target", True)


def test_without_a_hint_the_last_column_is_a_guess_to_be_asked_about(tmp_path: Path) -> None:
    frame = pd.DataFrame({"a": [1.0, 2, 3], "b": [1.5, 2, 9], "constant": 1})
    guess = propose_label(profiled(to_parquet(frame, tmp_path)), ())
    assert (guess.value, guess.confidence < SURE, guess.others) == ("b", True, ("a",))


def test_two_columns_that_sound_alike_are_asked_about(tmp_path: Path) -> None:
    frame = pd.DataFrame({"dep_delay": [1.0, 2, 3], "arr_delay": [1.5, 2, 9]})
    guess = propose_label(profiled(to_parquet(frame, tmp_path)), ())
    assert (guess.value, guess.confidence < SURE) == ("arr_delay", True)


@pytest.mark.parametrize(
    ("values", "task", "sure"),
    [
        ([True, False], "binary", True),
        (["yes", "no"], "binary", True),
        ([0.0, 1.0], "binary", True),
        ([0, 1, 2], "multiclass", True),
        ([3, 5, 8], "multiclass", False),
        (["a", "b", "c"], "multiclass", True),
        (list(range(11)), "regression", True),
        ([0.5, 1.0, 2.0], "regression", True),
    ],
    ids=["truths", "words", "0 and 1", "codes", "grades", "names", "many numbers", "fractions"],
)
def test_the_task_follows_from_the_labels_values(tmp_path: Path, values: list, task: str, sure: bool) -> None:
    column = profiled(to_parquet(pd.DataFrame({"y": values * 4}), tmp_path)).columns["y"]
    guess = propose_task(column)
    assert (guess.value, guess.confidence >= SURE) == (task, sure)
    require_task(column, guess.value)


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ([1.0] * 60, "only one value"),
        ([None] * 60, "is empty"),
        ([f"text {n}" for n in range(60)], "60 different texts"),
        (pd.date_range("2024-01-01", periods=60), "holds times"),
    ],
    ids=["constant", "empty", "texts", "times"],
)
def test_a_column_that_is_no_label_is_refused(tmp_path: Path, values: list, reason: str) -> None:
    with pytest.raises(UnfitLabelError, match=reason):
        propose_task(profiled(to_parquet(pd.DataFrame({"y": values}), tmp_path)).columns["y"])


@pytest.mark.parametrize(
    ("values", "task"), [([1, 2, 3], "binary"), (["a", "b"], "regression"), (list(range(60)), "multiclass")]
)
def test_a_task_that_the_label_does_not_make_is_refused(tmp_path: Path, values: list, task: str) -> None:
    column = profiled(to_parquet(pd.DataFrame({"y": values}), tmp_path)).columns["y"]
    with pytest.raises(UnfitLabelError):
        require_task(column, task)


@pytest.mark.parametrize(
    ("values", "positive", "sure"),
    [
        ([0, 1, 1], None, True),
        ([True, False, False], None, True),
        (["active", "churned", "churned"], "churned", True),
        (["a", "b", "a"], "b", False),
    ],
    ids=["0 and 1", "truths", "named", "the rarer"],
)
def test_what_counts_as_one(tmp_path: Path, values: list, positive: str | None, sure: bool) -> None:
    guess = propose_positive(profiled(to_parquet(pd.DataFrame({"y": values}), tmp_path)).columns["y"])
    assert (guess.value, guess.confidence >= SURE) == (positive, sure)


def test_the_time_of_the_event_is_preferred_to_its_end_and_to_one_with_gaps(tmp_path: Path) -> None:
    days = pd.Series(pd.date_range("2024-01-01", periods=100))
    gaps = days.where(days.index % 2 == 0)
    frame = pd.DataFrame({"closed_at": days, "event_time": gaps, "ordered_at": days, "x": 1})
    guess = propose_time(profiled(to_parquet(frame, tmp_path)))
    assert guess.value == "ordered_at"


def test_times_that_sound_alike_are_asked_about(tmp_path: Path) -> None:
    days = pd.date_range("2024-01-01", periods=100)
    guess = propose_time(profiled(to_parquet(pd.DataFrame({"a_at": days, "b_at": days}), tmp_path)))
    assert guess.confidence < SURE


def _entity(path: Path, time: str) -> tuple[str | None, bool]:
    with opened(path) as table:
        found = profile(table)
        guess = propose_entity(found, RowIdentity(table, found, time), time)
    return guess.value, guess.confidence >= SURE


def test_what_repeats_and_sounds_like_an_identifier_is_the_entity(tmp_path: Path) -> None:
    assert _entity(to_parquet(visits(), tmp_path), "visited_at") == ("customer_id", True)


def test_a_panel_shows_its_entity_whatever_it_is_called(tmp_path: Path) -> None:
    panel = shops().assign(haus=lambda f: "nr " + f.pop("shop_id").astype(str))
    assert _entity(to_parquet(panel, tmp_path), "day") == ("haus", True)


def test_rows_that_stand_for_themselves_have_no_entity(tmp_path: Path) -> None:
    frame = pd.DataFrame({"day": pd.date_range("2024-01-01", periods=90), "x": np.arange(90) / 7, "row_id": range(90)})
    assert _entity(to_parquet(frame, tmp_path), "day") == (None, True)
