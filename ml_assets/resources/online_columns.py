"""Rows on their way into an online store, encoded column by column, in the bytes that Feast writes.

Here belongs the encoding. Feast's own builds an object for every key and value, which takes most of the time of a
materialisation; here whole columns become bytes at once. How a store writes them is in its own module, which values
are written in `online_store`.
"""

import struct
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import pyarrow as pa

_TYPE_AND_LENGTH = struct.Struct("<II")


@dataclass(frozen=True)
class EncodedColumn:
    """One feature of n rows.

    Attributes:
        plain: n values; None where there is none.
        encoded: n times the bytes of Feast's `Value`; none of them where there is no value.
    """

    plain: Sequence[Any]
    encoded: Sequence[bytes]


@dataclass(frozen=True)
class EncodedRows:
    """n rows with whole keys.

    Attributes:
        keys: n entity keys, as Feast serialises them (version 3).
        columns: Feature -> its values.
        event: (n,) timestamp[us], UTC: since when they hold.
        known: Likewise, when they became known; may be null.
    """

    keys: Sequence[bytes]
    columns: Mapping[str, EncodedColumn]
    event: pa.Array
    known: pa.Array


class ColumnWriter(Protocol):
    """An online store that takes columns."""

    def write_columns(self, config: Any, table: Any, rows: EncodedRows) -> None:
        """Write all rows, or none."""


def encoded_keys(columns: Mapping[str, pa.Array]) -> list[bytes]:
    """The bytes of Feast's `serialize_entity_key`, version 3, of each row.

    Args:
        columns: Join key -> n values, int64 or string, none of them null.
    """
    from feast.infra.key_encoding_utils import serialize_entity_key_prefix

    names = sorted(columns)
    head = serialize_entity_key_prefix(names, 3)
    return [head + b"".join(parts) for parts in zip(*(_key_parts(columns[name]) for name in names), strict=True)]


def encoded_column(values: pa.Array) -> EncodedColumn:
    """A column of float64, int64 or string; null, and NaN as with Feast, is no value."""
    if pa.types.is_float64(values.type):
        return _floats(values)
    from feast.protos.feast.types.Value_pb2 import Value

    plain = values.to_pylist()
    if pa.types.is_int64(values.type):
        return EncodedColumn(plain, [b"" if x is None else Value(int64_val=x).SerializeToString() for x in plain])
    return EncodedColumn(plain, [b"" if x is None else Value(string_val=x).SerializeToString() for x in plain])


def feast_rows(rows: EncodedRows) -> list[tuple[Any, dict[str, Any], Any, Any]]:
    """(entity key, values, event, known) of each row, as the online stores of others take them."""
    from feast.infra.key_encoding_utils import deserialize_entity_key
    from feast.protos.feast.types.Value_pb2 import Value

    keys = (deserialize_entity_key(key, 3) for key in rows.keys)
    values = zip(*([Value.FromString(x) for x in column.encoded] for column in rows.columns.values()), strict=True)
    features = (dict(zip(rows.columns, row, strict=True)) for row in values)
    utc = pa.timestamp("us", tz="UTC")
    return list(zip(keys, features, rows.event.cast(utc).to_pylist(), rows.known.cast(utc).to_pylist(), strict=True))


def _key_parts(values: pa.Array) -> Iterator[bytes]:
    """Type, length and bytes of each value, as in Feast's keys."""
    from feast.protos.feast.types.Value_pb2 import ValueType

    if pa.types.is_int64(values.type):
        head = _TYPE_AND_LENGTH.pack(ValueType.INT64, 8)
        return (head + part for part in _slices(values.to_numpy().astype("<i8").view(np.uint8).reshape(-1, 8)))
    texts = (text.encode() for text in values.to_pylist())
    return (_TYPE_AND_LENGTH.pack(ValueType.STRING, len(text)) + text for text in texts)


def _floats(values: pa.Array) -> EncodedColumn:
    from feast.protos.feast.types.Value_pb2 import Value

    numbers = values.to_numpy(zero_copy_only=False)
    table = np.empty((len(numbers), 9), np.uint8)
    table[:, 0] = Value(double_val=1.0).SerializeToString()[0]  # the field's number and kind
    table[:, 1:] = np.ascontiguousarray(numbers, "<f8").view(np.uint8).reshape(-1, 8)
    encoded, plain = _slices(table), numbers.tolist()
    for i in np.flatnonzero(np.isnan(numbers)).tolist():
        encoded[i], plain[i] = b"", None
    return EncodedColumn(plain, encoded)


def _slices(table: np.ndarray) -> list[bytes]:
    """The rows of an (n, width) table of bytes."""
    width, whole = table.shape[1], table.tobytes()
    return [whole[start : start + width] for start in range(0, len(whole), width)]
