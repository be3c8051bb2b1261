"""Feast's Redis online store, with the same content, without its losses.

Here belongs what differs from Feast's own, which leaves out a correction of the same instant as a late value, and
which at the removal of a view also takes the values of another project whose name ends alike. Feast finds this
store, and its config, by their names.
"""

from itertools import chain
from typing import Any

import pyarrow as pa

# Subclasses of Feast's classes cannot import Feast any later; only Feast itself imports this module.
from feast import FeatureView, RepoConfig  # noqa: TID253
from feast.infra.online_stores.helpers import _mmh3, _redis_key_prefix, compute_versioned_name  # noqa: TID253
from feast.infra.online_stores.redis import RedisOnlineStore, RedisOnlineStoreConfig  # noqa: TID253
from google.protobuf.timestamp_pb2 import Timestamp
from redis.exceptions import RedisError

from ml_assets.resources.online_columns import EncodedRows
from ml_assets.resources.server_addresses import redis_error

_KEYS = 1_000
"""Keys per round trip at a removal."""


class LakeRedisOnlineStoreConfig(RedisOnlineStoreConfig):
    """Feast's `online_store` block: `connection_string`, host:port,db=0,password=..."""

    type: str = "ml_assets.resources.redis_online_store.LakeRedisOnlineStore"  # type: ignore[assignment]
    skip_dedup: bool = True
    """Write what is given: which of two values is the newer one was decided before."""


class LakeRedisOnlineStore(RedisOnlineStore):
    """One hash per key, with the values of all views that have the same join keys."""

    def _get_client(self, online_store_config: RedisOnlineStoreConfig) -> Any:
        if self._client is None:
            client = super()._get_client(online_store_config)
            try:
                client.ping()
            except RedisError:
                self._client = None
                raise redis_error("nothing answers there, or it refuses the login") from None
        return self._client

    def write_columns(self, config: RepoConfig, table: FeatureView, rows: EncodedRows) -> None:
        """Write all rows; each key's values at once."""
        client, project, view = self._get_client(config.online_store), config.project.encode(), _name(config, table)
        times = [_timestamp(moment) for moment in rows.event.cast(pa.int64()).to_pylist()]
        fields = [f"_ts:{view}".encode(), *(_mmh3(f"{view}:{name}") for name in rows.columns)]
        values = zip(times, *(column.encoded for column in rows.columns.values()), strict=True)
        expires = config.online_store.key_ttl_seconds
        with client.pipeline(transaction=False) as pipe:
            for key, row in zip(rows.keys, values, strict=True):
                pipe.execute_command("HSET", key + project, *chain.from_iterable(zip(fields, row, strict=True)))
                if expires:
                    pipe.expire(key + project, expires)
            pipe.execute()

    def delete_table(self, config: RepoConfig, table: FeatureView) -> None:
        """Delete the view's values of this project, and keys that hold nothing else."""
        client = self._get_client(config.online_store)
        project, name = config.project.encode(), compute_versioned_name(table)
        fields = [_mmh3(f"{name}:{field.name}") for field in table.features] + [f"_ts:{name}".encode()]
        start = _redis_key_prefix(table.join_keys)
        found: list[bytes] = []
        for key in client.scan_iter(match=_literal(start) + b"*" + _literal(project), count=_KEYS):
            if key[_key_length(key, start, len(table.join_keys)) :] == project:
                found.append(key)
            if len(found) == _KEYS:
                _remove(client, found, fields)
                found = []
        _remove(client, found, fields)


def _name(config: RepoConfig, view: FeatureView) -> str:
    return compute_versioned_name(view, config.registry.enable_online_feature_view_versioning)


def _timestamp(moment: int) -> bytes:
    """Feast's bytes of a moment in microseconds since 1970."""
    found = Timestamp()
    found.FromMicroseconds(moment)
    return found.SerializeToString()


def _remove(client: Any, keys: list[bytes], fields: list[bytes]) -> None:
    with client.pipeline(transaction=False) as pipe:
        for key in keys:
            pipe.hdel(key, *fields)  # Redis drops a hash with its last field
        pipe.execute()


def _key_length(key: bytes, start: bytes, values: int) -> int:
    """Bytes that the entity takes of a key; the rest is the project. Each value is its type, length and bytes."""
    place = len(start)
    for _ in range(values):
        place += 8 + int.from_bytes(key[place + 4 : place + 8], "little")
    return place


def _literal(text: bytes) -> bytes:
    """As it is in a pattern of Redis."""
    return b"".join(b"\\" + bytes([byte]) if byte in b"*?[]\\^-" else bytes([byte]) for byte in text)
