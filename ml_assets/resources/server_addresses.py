"""Addresses of the servers that Feast may use, as URLs in the environment, in the form that Feast wants.

Here belongs how an address is checked and translated. No text made here ever holds an address: it may hold a
password. Which variable is set is read by `settings`.
"""

import json
from typing import Any
from urllib.parse import SplitResult, unquote, urlsplit

import sqlalchemy as sa

from ml_assets.errors import ServerAddressError

FEAST_REGISTRY = "ML_ASSETS_FEAST_REGISTRY"
ONLINE_STORE = "ML_ASSETS_ONLINE_STORE"
_CONNECT_TIMEOUT_S = 10


def registry_url(address: str) -> sa.URL:
    """A registry's address as SQLAlchemy has it, with the driver that Feast brings along.

    Args:
        address: postgresql://user:password@host:port/database, or sqlite:////folder/registry.db.

    Raises:
        ServerAddressError: It is neither.
    """
    try:
        url = sa.engine.make_url(address)
        backend = "postgresql" if url.drivername == "postgres" else url.get_backend_name()
    except (sa.exc.ArgumentError, ValueError):
        raise registry_error("the address is none") from None
    if backend not in ("postgresql", "sqlite"):
        raise registry_error("the address is of another kind of database")
    if not url.database:
        raise registry_error("the address names no database")
    return url.set(drivername="postgresql+psycopg") if backend == "postgresql" else url


def redis_block(address: str) -> dict[str, Any]:
    """An online store's address as Feast's `online_store` block.

    Args:
        address: redis://user:password@host:port/number, all but the host optional; rediss:// is Redis over TLS.

    Raises:
        ServerAddressError: It is none, or one that Feast cannot take.
    """
    parts, port = _split(address)
    host, database = parts.hostname or "", parts.path.strip("/") or "0"
    if not host or ":" in host:
        raise redis_error("the address names no host by name or IPv4")
    if not database.isdigit() or parts.query or parts.fragment:
        raise redis_error("after the host there may be only a port and the number of the database")
    login = {"username": parts.username, "password": parts.password}
    # Written as JSON, which Feast reads: a password of digits stays text.
    words = {name: json.dumps(unquote(text)) for name, text in login.items() if text}
    if any("," in text for text in [host, *words.values()]):
        raise redis_error("the name or password holds a comma, at which Feast would cut it")
    words |= {"ssl": "true"} if parts.scheme == "rediss" else {}
    options = {"db": database, "socket_connect_timeout": str(_CONNECT_TIMEOUT_S), **words}
    return {
        "type": "redis",
        "connection_string": ",".join([f"{host}:{port}", *(f"{name}={text}" for name, text in options.items())]),
    }


def registry_error(reason: str) -> ServerAddressError:
    """What is wrong with the registry's address, without it."""
    form = "postgresql://user:password@host/database"
    return ServerAddressError("Feast's registry", FEAST_REGISTRY, reason, form)


def redis_error(reason: str) -> ServerAddressError:
    """What is wrong with the online store's address, without it."""
    return ServerAddressError("Feast's online store", ONLINE_STORE, reason, "redis://:password@host:6379/0")


def _split(address: str) -> tuple[SplitResult, int]:
    try:
        parts = urlsplit(address)
        port = parts.port or 6379
    except ValueError:
        raise redis_error("the address is none") from None
    if parts.scheme not in ("redis", "rediss"):
        raise redis_error("the address is of another kind of server")
    return parts, port
