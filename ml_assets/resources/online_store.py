"""What goes into Feast's online store, and comes out of it: the newest values of a window, the values of keys.

Here belongs what is the same for every online store of Feast's. Which rows a caller sees at which moment is said
in `feature_store`; how SQLite and Redis are written, in their own modules.
"""

from datetime import datetime
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from ml_assets.errors import OfflineReadError
from ml_assets.resources.feast_objects import EVENT, KNOWN, event_time_column
from ml_assets.resources.feast_project import FeastProject
from ml_assets.resources.feature_frames import ARROW, PLACE, batches, microseconds
from ml_assets.spec import FeatureView

BATCH = 10_000
"""Keys per online read or write: what is in memory at a time, and in one transaction."""
_WAIT_S = 3600.0
"""Longest wait for another materialisation of the same view."""
_VALUE_FIELDS = {pa.float64(): "double_val", pa.int64(): "int64_val", pa.string(): "string_val"}


def materialize_view(project: FeastProject, view: FeatureView, first: datetime, last: datetime) -> int:
    """Write of each key the newest value with first <= event_timestamp <= last, unless a later window has written.

    One batch is in memory at a time. Only one materialisation of a view runs at a time: two would not see each
    other's values.

    Args:
        project: Where the view is registered.
        view: The declaration.
        first: The window's first microsecond, UTC.
        last: Its last one.

    Returns:
        Keys written.

    Raises:
        LockTimeoutError: Another run has materialised the view for an hour.
        OfflineReadError: A file of feature values cannot be read.
    """
    written = 0
    with project.alone_with(f"online.{view.name}", wait_s=_WAIT_S):
        with project.writing() as store:
            registered = store.registry.get_feature_view(view.name, project.name)
            newest = registered.most_recent_end_time
            # Recorded before it is done: after a run that was killed half way, older windows look before they write.
            store.registry.apply_materialization(registered, project.name, first, last)
        # Within the window the lake is right, also where its value is an older one than what is online.
        guarded = newest is not None and newest > last
        for batch in _latest(store, view, registered, first, last).to_batches(BATCH):
            rows = _rows(view, registered, batch)
            if guarded:
                rows = _not_hidden(store, view, registered, rows, last)
            store.provider.online_write_batch(store.config, registered, rows, None)
            written += len(rows)
    return written


def online_values(store: Any, view: FeatureView, asked: pd.DataFrame, names: list[str]) -> dict[str, pa.Array]:
    """Online values of each row of keys, expired or not; a null key finds nothing.

    Args:
        store: Feast's.
        view: The declaration.
        asked: (n,) keys, in their registered types.
        names: Columns of the view in Feast.

    Returns:
        Column -> (n,) values.
    """
    unique = asked.dropna().drop_duplicates().reset_index(drop=True)
    found: dict[str, list[Any]] = {name: [] for name in names}
    for batch in batches(unique, BATCH):
        keys = {key: batch[key].tolist() for key in view.entities}
        answer = store.get_online_features([f"{view.name}:{name}" for name in names], keys).to_dict()
        for name in names:
            found[name] += answer[name]
    numbered = unique.assign(**{PLACE: pd.array(range(len(unique)), dtype="Int64")})
    place = asked.merge(numbered, how="left", on=list(view.entities))[PLACE]
    kinds = {name: ARROW[view.features.get(name, "int")] for name in names}
    return {name: pa.array(found[name], kind).take(pa.array(place)) for name, kind in kinds.items()}


def _latest(store: Any, view: FeatureView, registered: Any, first: datetime, last: datetime) -> Any:
    source = registered.batch_source
    return store.provider.offline_store.pull_latest_from_table_or_query(
        store.config,
        source,
        join_key_columns=list(view.entities),
        feature_name_columns=[feature.name for feature in registered.features],
        timestamp_field=source.timestamp_field,
        created_timestamp_column=source.created_timestamp_column,
        start_date=first,
        end_date=last,
    )


def _rows(view: FeatureView, registered: Any, batch: pa.RecordBatch) -> list[Any]:
    """(key, values, event, known) of each row with a whole key, as Feast writes them.

    Built column by column. Feast's own way takes integers beside nulls through float64, which loses large ones.
    """
    from feast.protos.feast.types.EntityKey_pb2 import EntityKey

    for key in view.entities:
        batch = batch.filter(pc.is_valid(batch[key]))
    kinds = {field.name: str(field.dtype) for field in registered.entity_columns}
    keys = [_values(view, batch, key, pa.int64() if kinds[key] == "Int64" else pa.string()) for key in view.entities]
    names = [field.name for field in registered.features]
    columns = [_values(view, batch, name, ARROW[view.features.get(name, "int")]) for name in names]
    entities = list(view.entities)
    entity_keys = [EntityKey(join_keys=entities, entity_values=values) for values in zip(*keys, strict=True)]
    features = [dict(zip(names, values, strict=True)) for values in zip(*columns, strict=True)]
    times = batch[EVENT].to_pylist(), batch[KNOWN].to_pylist()
    return list(zip(entity_keys, features, *times, strict=True))


def _values(view: FeatureView, batch: pa.RecordBatch, name: str, kind: pa.DataType) -> list[Any]:
    """Feast's values of a column; null, and NaN as with Feast, is an empty one."""
    from feast.protos.feast.types.Value_pb2 import Value

    try:
        cast = batch[name].cast(kind)
    except pa.ArrowException as error:
        reason = f"holds what is no {kind} in '{name}'; materialise its windows again"
        raise OfflineReadError(f"Feature view '{view.name}'", reason) from error
    field, empty = _VALUE_FIELDS[kind], Value()
    return [empty if x is None or x != x else Value(**{field: x}) for x in cast.to_pylist()]


def _not_hidden(store: Any, view: FeatureView, registered: Any, rows: list[Any], last: datetime) -> list[Any]:
    """The rows whose key has no online value of a later window."""
    name = event_time_column(view)
    limit = microseconds(last)
    keys = [row[0] for row in rows]
    found = store.provider.online_read(store.config, registered, keys, [name])
    # An absent key has no values; an absent value, an empty one, which reads as the moment 0.
    events = [values[name].int64_val if values and name in values else 0 for _, values in found]
    return [row for row, event in zip(rows, events, strict=True) if event <= limit]
