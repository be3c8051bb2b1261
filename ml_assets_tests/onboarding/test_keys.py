"""What tells rows apart, and what features are joined by."""

from pathlib import Path

import pandas as pd
import pytest

from ml_assets.errors import NotUniqueKeyError
from ml_assets_tests.onboarding.tables import planned, shops, to_parquet, visits


def test_an_entity_that_is_there_once_at_a_time_is_the_key_with_its_time(tmp_path: Path) -> None:
    key = planned(to_parquet(shops(), tmp_path)).answers.key
    assert (key.columns, key.joins) == (("shop_id", "day"), ("shop_id",))


def test_rows_of_one_entity_at_one_time_are_joined_by_the_rows_own_key(tmp_path: Path) -> None:
    frame = visits().assign(visited_at=lambda f: f["visited_at"].dt.floor("7D"))
    key = planned(to_parquet(frame, tmp_path)).answers.key
    assert (key.columns, key.joins) == (("visit_id",), ("visit_id",))


def test_further_columns_are_added_until_rows_are_told_apart(tmp_path: Path) -> None:
    items = pd.concat([shops(200).assign(item_code=code) for code in ("a", "b", "c")])
    key = planned(to_parquet(items, tmp_path), entity="shop_id", label="sold").answers.key
    assert (key.columns, key.joins) == (("shop_id", "day", "item_code"), ("shop_id", "item_code"))


def test_lines_are_numbered_where_nothing_tells_rows_apart(tmp_path: Path) -> None:
    frame = shops(200)
    twice = pd.concat([frame, frame.assign(sold=frame["sold"] + 1)])
    plan = planned(to_parquet(twice, tmp_path), entity="shop_id")
    key = plan.answers.key
    assert (key.columns, key.joins, key.delivered) == (("shop_id", "day", "line"), ("shop_id", "line"), ())
    assert 'row_number() OVER (PARTITION BY "shop_id", "day"' in (plan.landing_sql or "")


def test_a_line_number_takes_no_name_of_the_file(tmp_path: Path) -> None:
    frame = shops(200).rename(columns={"promo": "Line"})
    twice = pd.concat([frame, frame.assign(sold=frame["sold"] + 1)])
    assert planned(to_parquet(twice, tmp_path), entity="shop_id").answers.key.line == "line_2"


def test_exact_duplicates_do_not_spoil_a_key(tmp_path: Path) -> None:
    plan = planned(to_parquet(pd.concat([shops(), shops().head(50)]), tmp_path))
    assert plan.answers.key.columns == ("shop_id", "day")


def test_duplicates_are_those_of_the_whole_file_and_not_of_the_columns_in_use(tmp_path: Path) -> None:
    """An excluded column that differs makes two rows, which then share their key."""
    twice = pd.concat([shops().assign(secret=1), shops().assign(secret=2)])
    assert planned(to_parquet(twice, tmp_path), exclude=("secret",), entity="shop_id").answers.key.line == "line"


def test_rows_without_their_key_do_not_count(tmp_path: Path) -> None:
    frame = shops().astype({"shop_id": "Int64"})
    frame.loc[frame.index % 50 == 0, "shop_id"] = pd.NA
    assert planned(to_parquet(frame, tmp_path), entity="shop_id").answers.key.columns == ("shop_id", "day")


def test_without_an_entity_features_come_with_the_request(tmp_path: Path) -> None:
    frame = shops(400, 4).drop(columns="shop_id").iloc[::4]
    plan = planned(to_parquet(frame, tmp_path))
    assert (plan.answers.entity, plan.answers.key.columns, plan.answers.key.joins) == (None, ("day",), ())
    assert not plan.selection.view
    assert "visitors" in plan.selection.request


def test_a_key_that_rows_share_is_refused_with_their_number(tmp_path: Path) -> None:
    with pytest.raises(NotUniqueKeyError, match="shared by 2800 rows"):
        planned(to_parquet(shops(), tmp_path), key=("day",))


def test_a_key_may_be_named(tmp_path: Path) -> None:
    key = planned(to_parquet(visits(), tmp_path), key=("visit_id",)).answers.key
    assert key.columns == ("visit_id",)
