"""Frames on their way into Feast and out of it: keys in registered types, values in declared dtypes.

Here belongs what keeps dtypes, order and rows whole. What is asked of Feast is in `feature_store`.
"""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pandas as pd
import pyarrow as pa

from ml_assets.errors import FeatureColumnCollisionError, JoinKeyTypeError
from ml_assets.resources.feast_objects import added_columns, known_at_column, ttl_of
from ml_assets.spec import FeatureSet, FeatureType, FeatureView

ARROW: dict[FeatureType, pa.DataType] = {"float": pa.float64(), "int": pa.int64(), "string": pa.string()}
PLACE = "__place"
"""Column that numbers rows on their way through a join."""
_NULLABLE = {pa.int64(): pd.Int64Dtype()}
"""Integers stay integers beside nulls."""
_MOMENT = pa.timestamp("us", tz="UTC")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def refuse_collisions(features: FeatureSet, rows: pd.DataFrame) -> None:
    """Refuse rows that already have a column that the join adds."""
    if clash := [name for name in [*added_columns(features), PLACE] if name in rows.columns]:
        raise FeatureColumnCollisionError("The frame of rows", clash)


def keys_of(views: Mapping[str, Any], rows: pd.DataFrame) -> pd.DataFrame:
    """The join keys of registered views alone, in their registered types (str or Int64).

    Raises:
        JoinKeyTypeError: A key is missing, or holds what is not of its type.
    """
    keys: dict[str, Any] = {}
    for view in views.values():
        for field in view.entity_columns:
            keys[field.name] = _key(view.name, field.name, str(field.dtype), rows)
    return to_pandas(pa.table(keys))


def _key(view: str, name: str, registered: str, rows: pd.DataFrame) -> pa.Array:
    if name not in rows.columns:
        raise JoinKeyTypeError(name, f"of view '{view}' is no column of the rows; add it")
    wanted = pa.int64() if registered == "Int64" else pa.string()
    try:
        # From pandas, so that NaN is null: floats stand for integers with gaps.
        given = pa.array(rows[name], from_pandas=True)
        if pa.types.is_dictionary(given.type):
            given = given.dictionary_decode()
        if wanted == pa.string() and not (pa.types.is_null(given.type) or pa.types.is_string(given.type)):
            raise JoinKeyTypeError(name, f"is {given.type} but text in view '{view}': cast it")
        return given.cast(wanted)
    except pa.ArrowException as error:
        raise JoinKeyTypeError(name, f"holds what is no {wanted}, as view '{view}' has it: cast it") from error


def with_values(features: FeatureSet, rows: pd.DataFrame, values: dict[str, Any]) -> pd.DataFrame:
    """`rows` with the added columns in their order and dtypes: float64, Int64, object, datetime64[us, UTC].

    Args:
        features: The declaration.
        rows: n rows.
        values: Column -> n values (arrow); `<view>__known_at` in microseconds since 1970. It is emptied on the
            way: where nobody else holds its columns, little more than the result is in memory.
    """
    kinds = {name: ARROW[kind] for view in features.feature_views for name, kind in view.features.items()}
    kinds |= {known_at_column(view): pa.int64() for view in features.feature_views}
    times = {known_at_column(view) for view in features.feature_views}
    whole = rows.copy()
    columns = {name: whole[name] for name in whole}
    for name, kind in kinds.items():
        values_of = values.pop(name).cast(kind)
        columns[name] = _series(values_of.cast(_MOMENT) if name in times else values_of, rows.index)
    # Not by `concat`, which has all columns twice for a while.
    return pd.DataFrame(columns, copy=False)


def _series(column: Any, index: pd.Index) -> pd.Series:
    series: pd.Series = column.to_pandas(types_mapper=_NULLABLE.get)
    series.index = index
    return series


def usable_at(event: pa.Array, known: pa.Array, view: FeatureView, now: datetime) -> pa.Array:
    """Whether values (times in microseconds since 1970) hold, are known, and are not expired at `now`."""
    moment = microseconds(now)
    oldest = moment - ttl_of(view) // timedelta(microseconds=1)
    since = event.to_pandas()
    return pa.array((since >= oldest) & (since <= moment) & (known.to_pandas() <= moment), pa.bool_())


def microseconds(moment: datetime) -> int:
    """Microseconds since 1970; how Feast keeps our times."""
    return (utc(moment) - _EPOCH) // timedelta(microseconds=1)


def to_pandas(table: pa.Table) -> pd.DataFrame:
    """A frame whose integers stay integers beside nulls."""
    return table.to_pandas(types_mapper=_NULLABLE.get)


def batches(frame: pd.DataFrame, rows: int) -> Iterator[pd.DataFrame]:
    """The frame in parts of at most so many rows."""
    return (frame.iloc[start : start + rows] for start in range(0, len(frame), rows))


def utc(moment: datetime) -> datetime:
    """In UTC; a time without a zone is taken as UTC, as Feast does."""
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
