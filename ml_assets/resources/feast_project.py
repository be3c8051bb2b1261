"""One Feast project, opened: its registry kept whole between processes, and answered from memory while unchanged.

Here belongs what opening, writing and refreshing a registry need. What is registered is in `feast_objects`, what
is asked of it in `feature_store`.

Feast's traps kept from callers: the first opening races in CREATE TABLE; concurrent writers lose each other's
objects; each object is written in a transaction of its own; a refreshed registry is answered from the former one.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

import sqlalchemy as sa
from pydantic import ValidationError

from ml_assets.errors import FeastConfigurationError
from ml_assets.resources.locks import locked
from ml_assets.resources.registry_transaction import one_transaction, with_savepoints
from ml_assets.resources.server_addresses import registry_error
from ml_assets.telemetry import disable_telemetry

_WAIT_S = 120.0
"""Longest wait for the registry: a writer needs it for seconds."""
_REVISION = "ml_assets_revision"
"""Metadata of a project in the registry: another value after every change."""
_OURS = {
    "sqlite": "ml_assets.resources.sqlite_online_store.LakeSqliteOnlineStore",
    "redis": "ml_assets.resources.redis_online_store.LakeRedisOnlineStore",
}


class FeastProject:
    """A Feast store and the one lock that all who write its registry take.

    Args:
        name: The project.
        url: The registry's database.
        registry: More of Feast's `registry` block.
        online_store: Feast's `online_store` block.
        offline_store: Feast's `offline_store` block.

    Raises:
        FeastConfigurationError: Feast refuses a block.
        ServerAddressError: The registry's database does not answer.
    """

    def __init__(
        self,
        name: str,
        url: sa.URL,
        registry: Mapping[str, Any],
        online_store: Mapping[str, Any],
        offline_store: Mapping[str, Any],
    ) -> None:
        self.name, self._url = name, url
        self._revision: str | None = None
        config = _config(name, url, registry, online_store, offline_store)
        try:
            with locked(url, "registry", wait_s=_WAIT_S):
                self.store = _opened(config, url)
        except sa.exc.OperationalError:
            raise registry_error("nothing answers there, or it refuses the login") from None

    @contextmanager
    def writing(self) -> Iterator[Any]:
        """Feast's store, while nobody else may write the registry; others see all changes of it, or none."""
        with locked(self._url, "registry", wait_s=_WAIT_S):
            store = self.refreshed()
            self._revision = None  # whatever comes of it, the next reader in this process reads anew
            with one_transaction(store.registry):
                yield store
                store.registry.set_project_metadata(self.name, _REVISION, uuid4().hex)

    @contextmanager
    def alone_with(self, what: str, *, wait_s: float) -> Iterator[None]:
        """Nobody else is inside `alone_with` of the same thing in this project."""
        with locked(self._url, f"{self.name}.{what}", wait_s=wait_s):
            yield

    def refreshed(self) -> Any:
        """Feast's store with the registry as it is now: read anew if somebody has changed it."""
        revision = self.store.registry.get_project_metadata(self.name, _REVISION)
        if revision is None or revision != self._revision:
            self._revision = revision
            self.store.refresh_registry()
        return self.store


def _config(
    name: str,
    url: sa.URL,
    registry: Mapping[str, Any],
    online_store: Mapping[str, Any],
    offline_store: Mapping[str, Any],
) -> Any:
    disable_telemetry()
    from feast import RepoConfig

    sqlite = url.get_backend_name() == "sqlite"
    # A cache without expiry: `refreshed` looks whether it still holds.
    defaults = {
        "registry_type": "sql",
        "cache_ttl_seconds": 0,
        "sqlalchemy_config_kwargs": {"connect_args": {"timeout": _WAIT_S}} if sqlite else {"pool_pre_ping": True},
    }
    kind = online_store.get("type")
    try:
        return RepoConfig(
            project=name,
            provider="local",
            registry=defaults | dict(registry) | {"path": url.render_as_string(hide_password=False)},
            online_store=dict(online_store) | {"type": _OURS.get(str(kind), kind)},
            offline_store={"type": "ml_assets.resources.duckdb_offline_store.LakeOfflineStore"} | dict(offline_store),
            entity_key_serialization_version=3,
        )
    except ValidationError as error:
        # Its own text shows the values, passwords too.
        mistakes = [f"{'.'.join(map(str, found['loc']))}: {found['msg']}" for found in error.errors()]
        raise FeastConfigurationError(mistakes) from None


def _opened(config: Any, url: sa.URL) -> Any:
    from feast import FeatureStore as Feast

    if url.get_backend_name() == "sqlite":
        Path(str(url.database)).parent.mkdir(parents=True, exist_ok=True)
        engine = sa.create_engine(url, poolclass=sa.pool.NullPool)
        with engine.connect() as connection:
            connection.exec_driver_sql("PRAGMA journal_mode = WAL")  # readers do not wait for a writer
    store = Feast(config=config)
    with_savepoints(store.registry)
    return _with_versions(store)


def _with_versions(store: Any) -> Any:
    """Number each copy of the registry: Feast caches what it finds in one by its address and `version_id`.

    Its SQL registry sets none, so a refreshed copy that happens to lie at the address of the former one is
    answered from the former one.
    """
    read: Callable[[], Any] = store.registry.proto

    def numbered() -> Any:
        copy = read()
        copy.version_id = uuid4().hex
        return copy

    store.registry.proto = numbered
    store.refresh_registry()
    return store
