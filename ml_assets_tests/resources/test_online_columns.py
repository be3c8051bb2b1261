"""Keys and values encoded by column: the bytes are those of Feast."""

from typing import Any

import pyarrow as pa
import pytest
from feast.infra.key_encoding_utils import serialize_entity_key
from feast.protos.feast.types.EntityKey_pb2 import EntityKey
from feast.protos.feast.types.Value_pb2 import Value
from hypothesis import given
from hypothesis import strategies as st

from ml_assets.resources.online_columns import encoded_column, encoded_keys

INTEGERS, TEXTS = st.integers(-(2**63), 2**63 - 1), st.text(st.characters(exclude_categories=["Cs"]))
FIELDS = {pa.int64(): "int64_val", pa.string(): "string_val", pa.float64(): "double_val"}


@given(rows=st.lists(st.tuples(INTEGERS, TEXTS, INTEGERS)), names=st.permutations(["user", "Ort", "a"]))
def test_keys_of_several_columns_are_those_of_feast(rows: list[tuple[Any, ...]], names: list[str]) -> None:
    kinds = [pa.int64(), pa.string(), pa.int64()]
    columns = {name: pa.array([row[i] for row in rows], kinds[i]) for i, name in enumerate(names)}
    values = [[Value(**{FIELDS[kind]: x}) for kind, x in zip(kinds, row, strict=True)] for row in rows]
    wanted = [serialize_entity_key(EntityKey(join_keys=names, entity_values=each), 3) for each in values]
    assert encoded_keys(columns) == wanted


@given(data=st.data(), kind=st.sampled_from(list(FIELDS)))
def test_values_are_those_of_feast_and_null_or_nan_is_none(data: st.DataObject, kind: pa.DataType) -> None:
    one = {pa.int64(): INTEGERS, pa.string(): TEXTS, pa.float64(): st.floats()}[kind]
    values = data.draw(st.lists(st.none() | one))
    kept = [None if x is None or x != x else x for x in values]
    wanted = [b"" if x is None else Value(**{FIELDS[kind]: x}).SerializeToString() for x in kept]
    got = encoded_column(pa.array(values, kind))
    assert list(got.encoded) == wanted
    assert repr(list(got.plain)) == repr(kept)  # -0.0 is another text than 0.0


@pytest.mark.parametrize("kind", FIELDS, ids=str)
def test_a_slice_is_encoded_as_what_it_shows(kind: pa.DataType) -> None:
    values = pa.array([1, 2, None, 4]).cast(kind)
    assert encoded_column(values.slice(1, 2)) == encoded_column(pa.array([2, None]).cast(kind))
