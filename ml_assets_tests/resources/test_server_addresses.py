"""Addresses of servers: what Feast gets, what is refused, and that no password is ever shown."""

import logging
import re
from pathlib import Path

import dagster as dg
import pytest
import redis
import sqlalchemy as sa

from ml_assets.errors import FeastConfigurationError, MLAssetsError, ServerAddressError
from ml_assets.resources.feature_store import FeatureStore
from ml_assets.resources.server_addresses import redis_block, registry_url
from ml_assets.resources.settings import Settings
from ml_assets_tests.real_servers import fresh_database
from ml_assets_tests.resources.feature_lake import START, WEEK, FeatureLake, after, asking

SECRETS = ("anna", "hunter2")


def _say_nothing(text: str) -> None:
    assert not [word for word in SECRETS if word in text]


@pytest.mark.parametrize(
    ("address", "connection"),
    [
        pytest.param("redis://127.0.0.1", "127.0.0.1:6379,db=0,socket_connect_timeout=10", id="a host alone"),
        pytest.param("redis://cache:7000/3", "cache:7000,db=3,socket_connect_timeout=10", id="port and number"),
        pytest.param(
            "rediss://anna:1234@cache/0",
            'cache:6379,db=0,socket_connect_timeout=10,username="anna",password="1234",ssl=true',
            id="a password of digits, over TLS",
        ),
        pytest.param(
            "redis://:p%40ss%3D%22@cache",
            'cache:6379,db=0,socket_connect_timeout=10,password="p@ss=\\""',
            id="special characters",
        ),
    ],
)
def test_an_online_store_is_named_by_a_url(address: str, connection: str) -> None:
    from feast.infra.online_stores.redis import RedisOnlineStore

    assert redis_block(address) == {"type": "redis", "connection_string": connection}
    _, options = RedisOnlineStore._parse_connection_string(connection)
    asked = redis.Redis.from_url(address).connection_pool.connection_kwargs
    assert options.get("password") == asked.get("password")
    assert options["db"] == asked.get("db", 0)


@pytest.mark.parametrize(
    ("address", "reason"),
    [
        pytest.param("anna hunter2", "another kind of server", id="no address"),
        pytest.param("http://anna:hunter2@cache", "another kind of server", id="another scheme"),
        pytest.param("redis://:hunter2@/0", "no host", id="no host"),
        pytest.param("redis://:hunter2@[::1]:6379/0", "IPv4", id="IPv6, which Feast would cut"),
        pytest.param("redis://:hunter2@cache:port/0", "is none", id="no port"),
        pytest.param("redis://:hunter2@cache/anna", "number of the database", id="no number"),
        pytest.param("redis://:hunter2@cache/0?ssl=true", "number of the database", id="more"),
        pytest.param("redis://:hunter2%2Cssl=true@cache/0", "comma", id="a comma in the password"),
    ],
)
def test_an_online_store_that_feast_cannot_reach_is_refused_by_its_variable(address: str, reason: str) -> None:
    with pytest.raises(ServerAddressError, match=f"online store: .*{reason}.*ML_ASSETS_ONLINE_STORE") as caught:
        Settings.from_environment({"ML_ASSETS_ONLINE_STORE": address}, Path())
    _say_nothing(_traceback(caught))


@pytest.mark.parametrize(
    "address", ["postgresql://a:b@db/feast", "postgres://a:b@db/feast", "postgresql+psycopg2://a:b@db/feast"]
)
def test_a_registry_is_named_by_a_url_and_read_by_the_driver_that_is_installed(address: str) -> None:
    assert registry_url(address).render_as_string(hide_password=False) == "postgresql+psycopg://a:b@db/feast"


@pytest.mark.parametrize(
    ("address", "reason"),
    [
        pytest.param("anna hunter2", "is none", id="no address"),
        pytest.param("mysql://anna:hunter2@db/feast", "another kind", id="another database"),
        pytest.param("postgresql://anna:hunter2@db", "no database", id="no database"),
        pytest.param("postgresql://anna:hunter2@db:port/feast", "is none", id="no port"),
        pytest.param("sqlite://", "no database", id="in memory"),
    ],
)
def test_a_registry_that_is_no_sqlite_or_postgresql_is_refused_by_its_variable(address: str, reason: str) -> None:
    with pytest.raises(ServerAddressError, match=f"registry: .*{reason}.*ML_ASSETS_FEAST_REGISTRY") as caught:
        Settings.from_environment({"ML_ASSETS_FEAST_REGISTRY": address}, Path())
    _say_nothing(_traceback(caught))


def test_without_variables_everything_is_embedded() -> None:
    settings = Settings.from_environment({"ML_ASSETS_ONLINE_STORE": ""}, Path())
    assert not settings.feast_registry
    assert not settings.online_store


def test_a_registry_where_nothing_answers_is_named_and_not_shown(tmp_path: Path) -> None:
    lake = FeatureLake(tmp_path)
    store = FeatureStore(root=str(tmp_path), registry_address="postgresql://anna:hunter2@127.0.0.1:1/feast")
    for _ in range(2):
        with pytest.raises(ServerAddressError, match=r"nothing answers there.*ML_ASSETS_FEAST_REGISTRY") as caught:
            store.apply(lake.problem, lake.folders)
        _say_nothing(_traceback(caught))


@pytest.mark.parametrize("address", ["redis://:hunter2@127.0.0.1:1/0", "wrong password"])
def test_an_online_store_where_nothing_answers_is_named_and_not_shown(
    address: str, redis_server: str, tmp_path: Path
) -> None:
    lake = FeatureLake(tmp_path)
    lake.land("station", [("EWR", after(1), after(1), 10.0, 1, "clear")])
    if address == "wrong password":
        address = re.sub(r"://.*@", "://:hunter2wrong@", redis_server)
    store = FeatureStore(root=str(tmp_path / "feast"), online_address=address)
    store.apply(lake.problem, lake.folders)
    reads = [
        lambda: store.materialize(lake.problem, START, START + WEEK),
        lambda: store.online_rows(lake.problem, asking(("EWR", 1, after(2))), now=after(2)),
    ]
    for read in reads:
        with pytest.raises(ServerAddressError, match=r"nothing answers there.*ML_ASSETS_ONLINE_STORE") as caught:
            read()
        _say_nothing(_traceback(caught))


def test_a_block_that_feast_refuses_is_named_without_its_values(tmp_path: Path) -> None:
    lake = FeatureLake(tmp_path)
    block = {"type": "redis", "connection_string": "cache:6379,password=hunter2", "redis_type": "anna"}
    store = FeatureStore(root=str(tmp_path), online_store=block)
    with pytest.raises((FeastConfigurationError, MLAssetsError), match="redis_type") as caught:
        store.apply(lake.problem, lake.folders)
    _say_nothing(_traceback(caught))


def test_a_password_is_in_no_log_no_metadata_and_not_in_the_ui(
    postgresql: str, empty_redis: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    from dagster._core.remote_representation.external_data import RepositorySnap

    from ml_assets.defs import resources

    caplog.set_level(logging.DEBUG)
    monkeypatch.setenv("ML_ASSETS_HOME", str(tmp_path))
    monkeypatch.setenv("ML_ASSETS_ONLINE_STORE", empty_redis)
    lake = FeatureLake(tmp_path)
    lake.land("station", [("EWR", after(1), after(1), 10.0, 1, "clear")])
    with fresh_database(postgresql) as address:
        url = sa.engine.make_url(address).set(password="hunter2")  # noqa: S106  # the server asks for none
        monkeypatch.setenv("ML_ASSETS_FEAST_REGISTRY", url.render_as_string(hide_password=False))
        defs = resources.resources()
        shown = repr(RepositorySnap.from_def(defs.get_repository_def()))  # what the webserver has of a code location

        @dg.asset
        def used(feature_store: FeatureStore) -> dg.MaterializeResult:
            feature_store.apply(lake.problem, lake.folders)
            feature_store.materialize(lake.problem, START, START + WEEK)
            rows = feature_store.online_rows(lake.problem, asking(("EWR", 1, after(2))), now=after(2))
            assert rows["wind"].tolist() == [10.0]
            return dg.MaterializeResult(metadata={"store": repr(feature_store)})

        with dg.DagsterInstance.ephemeral() as instance:
            done = dg.materialize(
                [used], instance=instance, resources={"feature_store": defs.resources["feature_store"]}
            )
            events = [entry.to_json() for entry in instance.all_logs(done.run_id)]
    assert "ML_ASSETS_ONLINE_STORE" in shown
    _say_nothing(shown)
    _say_nothing("".join(events) + caplog.text)
    assert len(events) > 5


def _traceback(caught: pytest.ExceptionInfo[BaseException]) -> str:
    from dagster._utils.error import serializable_error_info_from_exc_info

    return serializable_error_info_from_exc_info(caught._excinfo).to_string()  # type: ignore[arg-type]
