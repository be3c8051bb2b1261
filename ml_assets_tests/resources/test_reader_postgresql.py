"""PostgreSQL as a source: the same rows as from files, read-only, and its address never shown."""

import os
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from ml_assets import errors
from ml_assets.resources.readers import rows_in_no_window
from ml_assets.spec import PostgreSql
from ml_assets_tests.real_servers import fresh_database
from ml_assets_tests.resources.orders_table import APRIL, MONTHS, ORDERS, april, orders_source

URL_ENV = "READERS_TEST_DATABASE_URL"


@pytest.fixture(scope="module")
def database(postgresql: str) -> Iterator[str]:
    """The address of a real PostgreSQL database with the orders."""
    with fresh_database(postgresql) as address:
        _fill(address)
        yield address


def _fill(address: str) -> None:
    import psycopg

    with psycopg.connect(address) as con:
        con.execute(
            "CREATE TABLE orders (id bigint, placed_at timestamp, placed_on timestamptz, day date, amount numeric, "
            "note varchar, paid boolean, whole numeric, extra jsonb, tag uuid, placed_text text)"
        )
        for row in ORDERS.to_pylist():
            values = [row["id"], row["placed_at"], row["amount"], row["note"], row["paid"]]
            con.execute(
                "INSERT INTO orders (id, placed_at, placed_on, day, amount, note, paid, whole, extra, tag, placed_text) "
                "VALUES (%s, %s, %s::timestamp AT TIME ZONE 'Europe/London', %s::date, %s, %s, %s, %s, '{\"a\": 1}', "
                "gen_random_uuid(), '2020-04-01')",
                [*values[:2], values[1], values[1], *values[2:], 7],
            )


@pytest.fixture
def shop(database: str, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv(URL_ENV, database)
    return database


def _query(query: str = "SELECT * FROM orders", **more: object) -> PostgreSql:
    return PostgreSql.model_validate({"kind": "postgresql", "url_env": URL_ENV, "query": query} | more)


def test_postgresql_reads_a_window_by_local_time(shop: str, tmp_path: Path) -> None:
    assert april(orders_source(_query()), tmp_path).equals(APRIL)


def test_postgresql_reads_a_window_by_instants(shop: str, tmp_path: Path) -> None:
    query = (
        "SELECT id, placed_on AS placed_at, amount, note, paid FROM orders WHERE note IS NULL OR note NOT LIKE 'a%'; "
    )
    assert april(orders_source(_query(query)), tmp_path).equals(APRIL)


def test_postgresql_counts_rows_in_no_window(shop: str, tmp_path: Path) -> None:
    assert rows_in_no_window(orders_source(_query()), MONTHS, tmp_path) == 2
    assert rows_in_no_window(orders_source(_query(time="placed_on")), MONTHS, tmp_path) == 2


def test_postgresql_types_become_the_declared_ones(shop: str, tmp_path: Path) -> None:
    columns = {"whole": "int64", "extra": "string", "tag": "string", "day": "timestamp"}
    source = orders_source(
        _query("SELECT whole, extra, tag, day FROM orders WHERE id = 2"), columns=columns, event_time="day"
    )
    [row] = april(source, tmp_path).to_pylist()
    assert (row["whole"], row["extra"], len(row["tag"])) == (7, '{"a": 1}', 36)
    assert row["day"] == datetime(2020, 3, 31, 23, tzinfo=UTC)  # London's midnight


def test_the_window_is_selected_in_the_database(shop: str, tmp_path: Path) -> None:
    query = "SELECT * FROM orders WHERE CASE WHEN placed_at > '2100-01-01' THEN 1 / (id - 5) = 0 ELSE TRUE END"
    with pytest.raises(errors.UnreadableSourceError, match="division by zero"):
        april(orders_source(_query(query), event_time=None), tmp_path)
    assert april(orders_source(_query(query)), tmp_path).equals(APRIL)  # the row that divides by zero is not fetched


def test_postgresql_refuses_to_write(shop: str, tmp_path: Path) -> None:
    import psycopg

    with psycopg.connect(shop) as con:
        con.execute(
            "CREATE OR REPLACE FUNCTION wipe() RETURNS SETOF orders LANGUAGE plpgsql AS "
            "$$ BEGIN DELETE FROM orders; RETURN QUERY SELECT * FROM orders; END $$"
        )
    with pytest.raises(errors.UnreadableSourceError, match="read-only transaction"):
        april(orders_source(_query("SELECT * FROM wipe()")), tmp_path)
    assert april(orders_source(_query()), tmp_path).equals(APRIL)


@pytest.mark.parametrize(
    ("query", "more", "error", "says"),
    [
        pytest.param("SELECT * FROM order_lines", {}, errors.UnreadableSourceError, "order_lines", id="unknown table"),
        pytest.param("SELECT id FROM orders", {}, errors.TimeColumnError, "not there", id="no time column"),
        pytest.param(
            "SELECT * FROM orders", {"time": "placed_text"}, errors.TimeColumnError, "cast it in", id="times as text"
        ),
        pytest.param(
            "SELECT placed_at, id FROM orders",
            {},
            errors.MissingColumnError,
            "amount, note, paid missing",
            id="columns",
        ),
    ],
)
def test_what_postgresql_cannot_answer_is_named(
    shop: str, query: str, more: dict, error: type[Exception], says: str, tmp_path: Path
) -> None:
    with pytest.raises(error, match=says):
        april(orders_source(_query(query, **more)), tmp_path)


def test_a_missing_address_is_named_by_its_variable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(URL_ENV, raising=False)
    with pytest.raises(errors.DatabaseAddressError, match=f"is not set. Set the environment variable {URL_ENV} to"):
        april(orders_source(_query()), tmp_path)


@pytest.mark.parametrize(
    "address",
    ["postgresql://anna:hunter2@127.0.0.1:1/shop", "postgres:/anna:hunter2@127.0.0.1", "anna hunter2"],
    ids=["nobody answers", "no address", "no address at all"],
)
def test_an_address_is_never_shown(address: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from dagster._utils.error import serializable_error_info_from_exc_info

    monkeypatch.setenv(URL_ENV, address)
    with pytest.raises(errors.DatabaseAddressError, match=URL_ENV) as caught:
        april(orders_source(_query()), tmp_path)
    logged = serializable_error_info_from_exc_info(caught._excinfo).to_string()
    assert not [word for word in ("anna", "hunter2", "127.0.0.1") if word in logged]
    assert os.environ[URL_ENV] == address
