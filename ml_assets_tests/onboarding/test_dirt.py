"""Dirt that is planted is found, and tolerated by somewhat more than the worst window has."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from ml_assets.onboarding.dirt import tolerance
from ml_assets_tests.onboarding.tables import planned, shops, to_csv, to_parquet


@pytest.mark.parametrize(("share", "expected"), [(0.0001, 0.01), (0.02, 0.05), (0.4, 0.75), (0.7, 1.0), (1.0, 1.0)])
def test_a_tolerance_is_a_round_share_above_what_was_seen(share: float, expected: float) -> None:
    assert tolerance(share) == expected


def test_a_clean_table_needs_none(tmp_path: Path) -> None:
    assert planned(to_parquet(shops(), tmp_path)).cleaning == {}


def test_each_dirt_has_its_tolerance_from_the_worst_window(tmp_path: Path) -> None:
    frame = shops().astype({"visitors": "float64", "shop_id": "Int64"})
    march = frame.index[(frame["day"] >= "2022-03-01") & (frame["day"] < "2022-04-01")]
    frame.loc[march[:50], "visitors"] = np.inf  # 50 of 248 rows
    frame.loc[march[100:103], "shop_id"] = pd.NA
    frame = pd.concat([frame, frame.loc[march[200:210]]])
    plan = planned(to_parquet(frame, tmp_path), entity="shop_id", label="sold", cadence="monthly")
    assert plan.cleaning == {"exact_duplicates": 0.1, "null_keys": 0.02, "infinite": 0.3}


def test_unparsable_text_and_numbers_as_text_are_declared(tmp_path: Path) -> None:
    frame = shops().assign(visitors=lambda f: f["visitors"].astype(str))
    frame.loc[frame.index % 100 == 0, "visitors"] = "many"
    plan = planned(to_parquet(frame, tmp_path), label="sold")
    assert plan.cleaning == {"unparsable": 0.02, "text_numbers": True}
    assert plan.columns["visitors"] == "int64"


def test_delimited_text_is_parsed_anyway(tmp_path: Path) -> None:
    assert planned(to_csv(shops(), tmp_path), label="sold").cleaning == {}


def test_empty_windows_are_allowed_where_there_are_some(tmp_path: Path) -> None:
    frame = shops()
    frame = frame[(frame["day"] < "2022-06-01") | (frame["day"] >= "2022-07-01")]
    assert planned(to_parquet(frame, tmp_path), cadence="monthly").cleaning == {"empty_windows": True}


def test_rows_without_their_entity_are_dropped_by_name_where_no_key_is_delivered(tmp_path: Path) -> None:
    frame = shops(200).astype({"shop_id": "Int64"})
    frame.loc[frame.index % 20 == 0, "shop_id"] = pd.NA
    twice = pd.concat([frame, frame.assign(sold=frame["sold"] + 1)])
    plan = planned(to_parquet(twice, tmp_path), entity="shop_id", label="sold")
    assert plan.cleaning == {"drop": {"no_key": {"where": '"shop_id" IS NULL', "max_share": 0.1}}}
