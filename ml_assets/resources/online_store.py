"""What goes into Feast's online store, and comes out of it: the newest values of a window, the values of keys.

Here belongs what is the same for every online store of Feast's. Which rows a caller sees at which moment is said
in `feature_store`; how SQLite and Redis are written, in their own modules.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from ml_assets.errors import OfflineReadError
from ml_assets.resources.feast_objects import EVENT, KNOWN, event_time_column
from ml_assets.resources.feast_project import FeastProject
from ml_assets.resources.feature_frames import ARROW, PLACE, batches, microseconds
from ml_assets.resources.online_columns import EncodedRows, encoded_column, encoded_keys, feast_rows
from ml_assets.spec import FeatureView

BATCH = 10_000
"""Keys per online read or write: what is in memory at a time, and in one transaction."""
_WAIT_S = 3600.0
"""Longest wait for another materialisation of the same view."""
SORTED_BYTES = 256_000_000
"""About so much is sorted by key before it is written."""
_KEY_BYTES = 150
"""What sorting takes for a row, beside its values."""
_PLAIN = pa.timestamp("us")


def materialize_view(project: FeastProject, view: FeatureView, first: datetime, last: datetime) -> int:
    """Write of each key the newest value with first <= event_timestamp <= last, unless a later window has written.

    In memory are `SORTED_BYTES` of rows and one encoded batch at a time. Only one materialisation of a view runs at
    a time: two would not see each other's values.

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
        latest = _latest(store, view, registered, first, last).to_batches(BATCH)
        for batch in _sorted_parts(view, registered, latest):
            kept = _not_hidden(store, view, registered, batch, last) if guarded else batch
            _write(store, registered, _encoded(view, registered, kept))
            written += kept.num_rows
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


def _sorted_parts(view: FeatureView, registered: Any, batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """All rows with whole keys, in batches of `BATCH`, ordered by their key's bytes within `SORTED_BYTES`.

    Stores that keep rows in that order, as SQLite does, are so written from front to back: else nearly every row is
    a page of its own to read, change and write.
    """
    for part in _parts(view, batches):
        keys = encoded_keys(_keys(view, registered, part))
        order = pa.array(sorted(range(len(keys)), key=keys.__getitem__), pa.int64())
        for start in range(0, len(order), BATCH):
            yield part.take(order.slice(start, BATCH))


def _parts(view: FeatureView, batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """The rows with whole keys, as many together as may be sorted at once."""
    held: list[pa.RecordBatch] = []
    size = 0
    for batch in batches:
        for key in view.entities:
            batch = batch.filter(pc.is_valid(batch[key]))
        held.append(batch)
        size += batch.nbytes + _KEY_BYTES * batch.num_rows
        if size >= SORTED_BYTES:
            yield pa.concat_batches(held)
            held, size = [], 0
    if held:
        yield pa.concat_batches(held)


def _keys(view: FeatureView, registered: Any, batch: pa.RecordBatch) -> dict[str, pa.Array]:
    kinds = {field.name: str(field.dtype) for field in registered.entity_columns}
    return {key: _cast(view, batch, key, pa.int64() if kinds[key] == "Int64" else pa.string()) for key in view.entities}


def _encoded(view: FeatureView, registered: Any, batch: pa.RecordBatch) -> EncodedRows:
    """The rows, as online stores keep them.

    Feast's own way takes integers beside nulls through float64, which loses large ones.
    """
    names = [field.name for field in registered.features]
    columns = {name: encoded_column(_cast(view, batch, name, ARROW[view.features.get(name, "int")])) for name in names}
    moments = (batch[time].cast(pa.timestamp("us", tz="UTC"), safe=False).cast(_PLAIN) for time in (EVENT, KNOWN))
    return EncodedRows(encoded_keys(_keys(view, registered, batch)), columns, *moments)


def _cast(view: FeatureView, batch: pa.RecordBatch, name: str, kind: pa.DataType) -> pa.Array:
    try:
        return batch[name].cast(kind)
    except pa.ArrowException as error:
        reason = f"holds what is no {kind} in '{name}'; materialise its windows again"
        raise OfflineReadError(f"Feature view '{view.name}'", reason) from error


def _write(store: Any, registered: Any, rows: EncodedRows) -> None:
    online = store.provider.online_store
    if hasattr(online, "write_columns"):
        online.write_columns(store.config, registered, rows)
    else:
        store.provider.online_write_batch(store.config, registered, feast_rows(rows), None)


def _not_hidden(
    store: Any, view: FeatureView, registered: Any, batch: pa.RecordBatch, last: datetime
) -> pa.RecordBatch:
    """The rows whose key has no online value of a later window."""
    from feast.infra.key_encoding_utils import deserialize_entity_key

    name = event_time_column(view)
    limit = microseconds(last)
    keys = [deserialize_entity_key(key, 3) for key in encoded_keys(_keys(view, registered, batch))]
    found = store.provider.online_read(store.config, registered, keys, [name])
    # An absent key has no values; an absent value, an empty one, which reads as the moment 0.
    events = [values[name].int64_val if values and name in values else 0 for _, values in found]
    return batch.filter(pa.array([event <= limit for event in events], pa.bool_()))
