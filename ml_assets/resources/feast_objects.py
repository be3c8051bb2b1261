"""A feature set's declaration as Feast objects: entities, sources, views and one service.

Here belongs what a view looks like in Feast. Writing it to the registry is the business of `feature_store`.
"""

import hashlib
import json
import math
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from ml_assets.errors import FeatureColumnCollisionError, JoinKeyTypeError
from ml_assets.ml.features.output_types import view_types
from ml_assets.ml.features.versions import view_version
from ml_assets.spec import FeatureSet, FeatureView

EVENT, KNOWN = "event_timestamp", "known_at"
DECLARATION = "declaration"
"""Tag with a fingerprint of what an object was declared from: equal tags, nothing to apply."""
CODE_VERSION = "code_version"
"""Tag of a view with the version of what computes it, as on its asset in Dagster."""
_FOR_EVER = timedelta(days=36_500)


def known_at_column(view: FeatureView) -> str:
    """Column that says when a view's joined value became known."""
    return f"{view.name}__known_at"


def event_time_column(view: FeatureView) -> str:
    """Column that says since when a view's value holds; only in the online store."""
    return f"{view.name}__event_time"


def added_columns(features: FeatureSet) -> list[str]:
    """What a point-in-time join adds to its rows, in order."""
    columns = [column for view in features.feature_views for column in view.features]
    return columns + [known_at_column(view) for view in features.feature_views]


def feast_types(view: FeatureView) -> dict[str, str]:
    """Columns of a view in Feast, keys aside, with the names of their types there."""
    names = {"float": "Float64", "int": "Int64", "string": "String"}
    times = {known_at_column(view): "Int64", event_time_column(view): "Int64"}
    return {column: names[kind] for column, kind in view.features.items()} | times


def ttl_of(view: FeatureView) -> timedelta:
    """The view's TTL; a century stands for ever, and a microsecond is the least (Feast reads 0 as none)."""
    hours = min(view.ttl_hours or math.inf, _FOR_EVER / timedelta(hours=1))
    return max(timedelta(hours=hours), timedelta(microseconds=1))


def declared_objects(features: FeatureSet, folders: Mapping[str, Path]) -> dict[str, Any]:
    """Feast's objects for a feature set.

    Args:
        features: The declaration.
        folders: View name -> folder of its `<window>.parquet` files; it need not exist yet.

    Returns:
        Label, e.g. "view weather" -> object.

    Raises:
        FeatureColumnCollisionError: A feature is called like a key, a time, or a column added by the join.
        FunctionError: A view's function is not there.
        JoinKeyTypeError: A join key's type cannot be found, or differs between views.
    """
    from feast import Entity, FeatureService
    from feast.value_type import ValueType

    _check_names(features)
    kinds = _join_key_kinds(features, folders)
    types = {"int64": ValueType.INT64, "string": ValueType.STRING}
    keys = {
        key: Entity(name=key, join_keys=[key], value_type=types[kind], tags=_tags(key, kind))
        for key, kind in kinds.items()
    }
    views = {
        view.name: _view(view, keys, folders[view.name], view_version(features, view))
        for view in features.feature_views
    }
    service = FeatureService(
        name=features.feature_group,
        # The event time is for online reads alone; training sets do not carry it.
        features=[views[v.name][[*v.features, known_at_column(v)]] for v in features.feature_views],
        description=features.description,
        tags=_tags(features.description, [[view.name, view.features] for view in features.feature_views]),
    )
    return (
        {f"entity {name}": entity for name, entity in keys.items()}
        | {f"view {name}": view for name, view in views.items()}
        | {f"service {features.feature_group}": service}
    )


def declared_version(features: FeatureSet, folders: Mapping[str, Path]) -> str:
    """Another one where Feast's registry would be another; arguments and errors as `declared_objects`."""
    return _tags({name: made.tags for name, made in declared_objects(features, folders).items()})[DECLARATION]


def _view(view: FeatureView, keys: Mapping[str, Any], folder: Path, version: str) -> Any:
    from feast import FeatureView as FeastView
    from feast import Field, FileSource
    from feast.data_format import ParquetFormat
    from feast.types import Float64, Int64, String, from_value_type

    types = {"Float64": Float64, "Int64": Int64, "String": String}
    columns = feast_types(view)
    place, ttl = str(folder.absolute()), ttl_of(view)
    entities = [keys[key] for key in view.entities]
    fields = [Field(name=key.name, dtype=from_value_type(key.value_type)) for key in entities]
    return FeastView(
        name=view.name,
        description=view.description,
        entities=entities,
        schema=[*fields, *(Field(name=column, dtype=types[kind]) for column, kind in columns.items())],
        ttl=ttl,
        source=FileSource(
            name=view.name,
            path=place,
            file_format=ParquetFormat(),
            timestamp_field=EVENT,
            created_timestamp_column=KNOWN,
        ),
        online=True,
        tags={CODE_VERSION: version}
        | _tags([key.tags for key in entities], columns, place, str(ttl), view.description, version),
    )


def _tags(*declared: object) -> dict[str, str]:
    return {DECLARATION: hashlib.sha256(json.dumps(declared).encode()).hexdigest()}


def _check_names(features: FeatureSet) -> None:
    reserved = {EVENT, KNOWN} | {key for view in features.feature_views for key in view.entities}
    for view in features.feature_views:
        reserved |= {known_at_column(view), event_time_column(view)}
    taken = {name.casefold() for name in reserved}  # SQL does not tell upper from lower case
    seen: set[str] = set()
    for view in features.feature_views:
        clash = [name for name in view.features if name.casefold() in taken | seen]
        if clash:
            raise FeatureColumnCollisionError(f"The join of view '{view.name}'", clash)
        seen |= {name.casefold() for name in view.features}


def _join_key_kinds(features: FeatureSet, folders: Mapping[str, Path]) -> dict[str, str]:
    kinds: dict[str, str] = {}
    for view in features.feature_views:
        for key in view.entities:
            kind = _kind(features, view, key, folders[view.name])
            if kind != kinds.setdefault(key, kind):
                raise JoinKeyTypeError(key, f"is {kind} in view '{view.name}' and {kinds[key]} elsewhere; cast one")
    return kinds


_INTEGERS = ("BIGINT", "INTEGER", "SMALLINT", "TINYINT", "UBIGINT", "UINTEGER", "USMALLINT", "UTINYINT")


def _kind(features: FeatureSet, view: FeatureView, key: str, folder: Path) -> str:
    """Type of a join key: as stored, or before anything is, as the view's SQL will return it."""
    for path in sorted(folder.glob("*.parquet"))[-1:]:
        schema = pq.read_schema(path)
        if key in schema.names:
            stored = schema.field(key).type
            kind = "int64" if pa.types.is_integer(stored) else "string" if _is_text(stored) else str(stored)
            break
    else:
        declared = [features.source(name).columns.get(key) for name in view.sources]
        kind = view_types(features, view).get(key) or next(filter(None, declared), "unknown before it is materialised")
        kind = "int64" if kind in _INTEGERS else "string" if kind == "VARCHAR" else kind
    if kind not in ("int64", "string"):
        raise JoinKeyTypeError(
            key,
            f"of view '{view.name}' is of type {kind}; Feast joins on int64 and string: cast it in the SQL",
        )
    return kind


def _is_text(kind: pa.DataType) -> bool:
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_dictionary(kind))
