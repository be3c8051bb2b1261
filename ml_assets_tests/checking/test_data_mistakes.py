"""Declarations that are well written and do not fit their data: each mistake is named with its line and its remedy."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from ml_assets.checking.declarations import Checked, check
from ml_assets.resources.lake import Lake
from ml_assets_tests.checking.shop import DEFS_YAML, Shop, open_shop

DAY = pd.Timedelta(days=1)


def _checked(shop: Shop, folder: Path) -> Checked:
    [result] = check([shop.file], Lake(root=str(folder / "lake"), landing=str(folder / "landing")))
    return result


def _line(text: str) -> int:
    """Line of the declaration that holds a text."""
    return DEFS_YAML[: DEFS_YAML.index(text)].count("\n") + 1


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    return open_shop(tmp_path / "returns")


def test_a_declaration_that_fits_its_data_has_no_mistake(shop: Shop, tmp_path: Path) -> None:
    result = _checked(shop, tmp_path)
    assert [str(m) for m in result.mistakes] == []
    assert (result.name, result.component, result.task) == ("returns", "ModelProblem", "binary")
    assert result.notes[0] == "looked at 3 of 12 windows: 2024-01-01, 2024-07-01, 2024-12-01"
    assert "customer_orders 100%" in result.notes[-1]


def _with(**columns: Callable[[pd.DataFrame], object]) -> Callable[[pd.DataFrame], pd.DataFrame]:
    return lambda orders: orders.assign(**columns)


def _repeated(orders: pd.DataFrame) -> pd.DataFrame:
    return pd.concat([orders, orders.head(3)])


def _same_id(orders: pd.DataFrame) -> pd.DataFrame:
    return orders.assign(order_id=orders["order_id"].where(orders["order_id"] != "o2", "o1"))


@pytest.mark.parametrize(
    ("change", "line_of", "says"),
    [
        pytest.param(
            lambda o: o.rename(columns={"amount": "amout"}),
            "amount: float64",
            "source 'orders' has no column 'amount' in its data. Did you mean 'amout'?",
            id="column that is not there",
        ),
        pytest.param(
            _with(amount=lambda o: o["amount"].astype(str)),
            "amount: float64",
            "column 'amount' is string, declared as float64",
            id="another type",
        ),
        pytest.param(_repeated, "key: [order_id]\n", "3 rows repeat", id="exact duplicates"),
        pytest.param(_same_id, "key: [order_id]\n", "1 rows repeat the key (order_id), e.g. o1", id="key twice"),
        pytest.param(
            _with(order_id=lambda o: o["order_id"].where(o.index > 0)),
            "key: [order_id]\n",
            "rows without a key (order_id): 1 of 60 (1.667%; tolerated 0.000%)",
            id="missing key",
        ),
        pytest.param(
            _with(amount=lambda o: o["amount"].where(o.index > 0, np.inf)),
            "amount: float64",
            "infinite values (amount): 1 of 60",
            id="infinite value",
        ),
        pytest.param(
            _with(returned=lambda _: True), "name: returned", "the label 'returned' is 1 in all", id="one class only"
        ),
        pytest.param(
            _with(closed_at=lambda o: o["ordered_at"] - DAY),
            "name: returned",
            "the label 'returned' is known before its row is predicted in 60 of 60 rows (by up to 1 days 00:00:00)",
            id="label before its event",
        ),
        pytest.param(
            _with(closed_at=lambda o: o["closed_at"] + 30 * DAY),
            "lookahead_days: 20",
            "become known later than `lookahead_days` 20 after its end. Set `lookahead_days` to",
            id="labels later than declared",
        ),
        pytest.param(
            _with(returned=lambda o: o["returned"] & (o["ordered_at"] < "2024-10-01")),
            "split: {test_windows",
            "all 120 rows of the test windows (2024-10-01 to 2024-11-01) have one class, 0",
            id="one class in the test windows",
        ),
        pytest.param(
            lambda o: o[o["ordered_at"] >= "2024-02-01"],
            "- name: orders",
            "window 2024-01-01: there are no rows",
            id="window without rows",
        ),
    ],
)
def test_data_that_do_not_fit_are_named_with_the_line_that_they_do_not_fit(
    shop: Shop, tmp_path: Path, change: Callable[[pd.DataFrame], pd.DataFrame], line_of: str, says: str
) -> None:
    shop.deliver(change(shop.orders))
    found = {str(m): m.line for m in _checked(shop, tmp_path).mistakes}
    [line] = [line for text, line in found.items() if says in text] or [found]
    assert line == _line(line_of)
    assert len(found) == 1, found


@pytest.mark.parametrize(
    ("sql", "says"),
    [
        pytest.param("SELECT 1 AS customer_id FROM order_", "Table with name order_ does not exist", id="no table"),
        pytest.param(
            "SELECT customer_id, ordered_at AS event_timestamp, ordered_at AS known_at, amount AS last_amount FROM orders",
            "lacks the column(s) orders_so_far",
            id="output column missing",
        ),
        pytest.param(
            "SELECT customer_id, ordered_at AS event_timestamp, ordered_at AS known_at, channel AS last_amount, "
            "1 AS orders_so_far FROM orders",
            "of its declared type",
            id="output of another type",
        ),
        pytest.param(
            "SELECT customer_id, ordered_at AS event_timestamp, ordered_at AS known_at, returned::INT AS last_amount, "
            "1 AS orders_so_far FROM orders",
            "uses what was not yet known: last_amount",
            id="known after the event it predicts",
        ),
        pytest.param(
            "SELECT customer_id, ordered_at AS event_timestamp, ordered_at + INTERVAL 400 DAY AS known_at, "
            "amount AS last_amount, 1 AS orders_so_far FROM orders",
            "Feature view 'customer_orders' had no value that was known at prediction time in any of 120 rows",
            id="all values known too late",
        ),
        pytest.param(
            "SELECT customer_id, ordered_at AS event_timestamp, ordered_at AS known_at, amount AS last_amount, "
            "1 AS orders_so_far FROM orders, range(2)",
            "repeats (customer_id, event_timestamp, known_at) in 60 rows",
            id="entity row twice",
        ),
        pytest.param(
            "SELECT customer_id::VARCHAR AS customer_id, ordered_at AS event_timestamp, ordered_at AS known_at, "
            "amount AS last_amount, 1 AS orders_so_far FROM orders",
            "join key 'customer_id' is a whole number in the rows and text in feature view 'customer_orders'",
            id="join keys of two types",
        ),
        pytest.param(
            "SELECT customer_id, ordered_at AS event_timestamp, ordered_at AS known_at, amount / 0 AS last_amount, "
            "1 AS orders_so_far FROM orders",
            "Feature 'last_amount' is infinite or beyond float32 in 60 of 60 rows",
            id="infinite feature",
        ),
    ],
)
def test_a_view_that_does_not_compute_is_named(shop: Shop, tmp_path: Path, sql: str, says: str) -> None:
    (shop.folder / "customer_orders.sql").write_text(sql)
    found = [str(m) for m in _checked(shop, tmp_path).mistakes]
    assert len(found) == 1, found
    assert says in found[0]


def test_all_dirt_of_a_window_is_told_at_once(shop: Shop, tmp_path: Path) -> None:
    orders = _same_id(_repeated(shop.orders))
    shop.deliver(orders.assign(amount=orders["amount"].where(orders["order_id"] != "o3", np.inf)))
    found = [str(m) for m in _checked(shop, tmp_path).mistakes]
    assert len(found) == 3
    assert any("infinite values" in text for text in found)
    assert any("repeat another" in text or "repeat the key" in text for text in found)


def test_rules_on_columns_that_sql_will_not_return_are_named(shop: Shop, tmp_path: Path) -> None:
    shop.change(
        "    key: [order_id]\n    features: {am",
        "    sql: SELECT order_id, customer_id, ordered_at AS event_timestamp, amount, channel FROM orders "
        "WHERE ordered_at >= getvariable('window_start') AND ordered_at < getvariable('window_end')\n"
        "    key: [order_id]\n    features: {am",
    )
    line = shop.change("column: amount, low: 0", "column: amounts, low: 0")
    [mistake] = _checked(shop, tmp_path).mistakes
    assert mistake.line == line
    assert str(mistake).endswith("the training set will have no column 'amounts'. Did you mean 'amount'?")


def test_rows_without_the_key_of_a_view_are_named(shop: Shop, tmp_path: Path) -> None:
    shop.change(
        "    key: [order_id]\n    features: {am",
        "    sql: SELECT order_id, ordered_at AS event_timestamp, amount, channel, customer_id AS customer FROM orders "
        "WHERE ordered_at >= getvariable('window_start') AND ordered_at < getvariable('window_end')\n"
        "    key: [order_id]\n    features: {am",
    )
    [mistake] = _checked(shop, tmp_path).mistakes
    assert "the rows have no column 'customer_id'" in str(mistake)
    assert str(mistake).endswith("Did you mean 'customer'?")


def test_missing_data_are_a_mistake_where_a_file_is_named_and_none_where_it_is_to_be_delivered(
    shop: Shop, tmp_path: Path
) -> None:
    (shop.folder / "data" / "orders.parquet").rename(shop.folder / "data" / "order.parquet")
    [mistake] = _checked(shop, tmp_path).mistakes
    assert "'data/orders.parquet' matches no file" in str(mistake)
    assert mistake.line == _line("read: {kind: parquet")
    shop.change("      read: {kind: parquet, path: data/orders.parquet}\n", "")
    result = _checked(shop, tmp_path)
    assert (result.mistakes, result.notes) == ([], ["no delivery yet: checked without data"])


def test_an_open_cadence_is_looked_at_up_to_its_last_rows(shop: Shop, tmp_path: Path) -> None:
    shop.change(", end: 2025-01-01}", "}")
    result = _checked(shop, tmp_path)
    assert [str(m) for m in result.mistakes] == []
    assert result.notes[0].endswith("of 12 windows: 2024-01-01, 2024-07-01, 2024-12-01")


def test_rows_in_no_window_are_reported(shop: Shop, tmp_path: Path) -> None:
    orders = shop.orders
    shop.deliver(pd.concat([orders, orders.head(2).assign(ordered_at=orders["ordered_at"].min() - 900 * DAY)]))
    result = _checked(shop, tmp_path)
    assert result.notes[1] == "2 rows of 'orders' lie in no window of the cadence"


def test_nothing_is_written_beside_the_declaration(shop: Shop, tmp_path: Path) -> None:
    before = {path: path.stat().st_mtime_ns for path in shop.folder.rglob("*")}
    _checked(shop, tmp_path)
    assert {path: path.stat().st_mtime_ns for path in shop.folder.rglob("*")} == before
