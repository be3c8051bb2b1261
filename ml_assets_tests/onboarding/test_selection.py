"""Which columns become features; those that do not say why."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from ml_assets.errors import NoFeatureError
from ml_assets_tests.onboarding.tables import planned, shops, to_parquet, visits


def _planted(plant) -> pd.DataFrame:
    frame = shops()
    return frame.assign(planted=plant(len(frame)))


@pytest.mark.parametrize(
    ("plant", "reason"),
    [
        (lambda n: 5, "is always 5"),
        (lambda n: [None] * n, "is empty"),
        (lambda n: pd.date_range("2020-01-01", periods=n, freq="min"), "is a time"),
        (lambda n: [f"remark number {i} by somebody about something" for i in range(n)], "free text"),
        (lambda n: [f"c{i % 900}" for i in range(n)], "900 different texts"),
        (lambda n: np.arange(n) + 17, "numbers the rows"),
    ],
    ids=["constant", "empty", "second time", "free text", "many categories", "counter"],
)
def test_a_column_that_is_no_feature_is_left_out_with_its_reason(tmp_path: Path, plant, reason: str) -> None:
    plan = planned(to_parquet(_planted(plant), tmp_path), label="sold", time="day", entity="shop_id")
    assert reason in plan.selection.left_out["planted"]
    assert "planted" not in plan.columns


@pytest.mark.parametrize(
    ("plant", "kind"),
    [
        (lambda n: np.arange(n) % 2 == 0, "int"),
        (lambda n: [f"c{i % 40}" for i in range(n)], "string"),
        (lambda n: np.arange(n) % 1000, "int"),
        (lambda n: np.where(np.arange(n) % 3 == 0, None, "once"), "string"),
    ],
    ids=["truths", "category", "numbers", "there or not"],
)
def test_other_columns_are_features_of_their_type(tmp_path: Path, plant, kind: str) -> None:
    plan = planned(to_parquet(_planted(plant), tmp_path), label="sold", time="day", entity="shop_id")
    assert plan.selection.view["planted"] == kind


def test_an_identifier_is_no_quantity(tmp_path: Path) -> None:
    frame = visits().assign(agent_id=np.arange(3000) % 70)
    left_out = planned(to_parquet(frame, tmp_path), entity="customer_id").selection.left_out
    assert left_out["agent_id"] == "is an identifier, not a quantity"
    assert left_out["visit_id"] == "is an identifier (3,000 different ones)"


def test_an_entity_of_few_values_is_a_feature_of_the_request(tmp_path: Path) -> None:
    assert planned(to_parquet(shops(), tmp_path)).selection.request == {"shop_id": "int"}


def test_an_entity_of_many_values_is_not(tmp_path: Path) -> None:
    assert "identifies rows" in planned(to_parquet(visits(), tmp_path)).selection.left_out["customer_id"]


def test_a_name_that_the_platform_uses_is_left_out(tmp_path: Path) -> None:
    plan = planned(to_parquet(shops().rename(columns={"visitors": "Known_At"}), tmp_path), label="sold")
    assert "rename it" in plan.selection.left_out["Known_At"]


def test_a_table_without_a_feature_is_refused_with_all_reasons(tmp_path: Path) -> None:
    frame = shops(400, 100).loc[:, ["shop_id", "day", "sold"]].assign(constant=1)
    with pytest.raises(NoFeatureError, match=r"shop_id identifies rows.*constant is always 1"):
        planned(to_parquet(frame, tmp_path), label="sold")
