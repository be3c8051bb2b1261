"""Entities drawn at random, and their online values held against the point-in-time join of the same moment.

Here belongs which entities are drawn and how both sides are read. The comparison is in `ml.features.parity`.
"""

from datetime import datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from ml_assets.ml.features.parity import ViewParity, compare
from ml_assets.ml.features.query import quoted
from ml_assets.resources.feast_objects import EVENT, event_time_column, known_at_column, ttl_of
from ml_assets.resources.feature_frames import ARROW, keys_of, microseconds, usable_at, utc
from ml_assets.resources.online_store import online_values
from ml_assets.resources.stored_values import files_between, moment_literal, scan
from ml_assets.spec import FeatureView


def view_parity(store: Any, view: FeatureView, registered: Any, entities: int, seed: str) -> ViewParity:
    """Compare some entities of a view as of the end of its newest materialised window.

    Args:
        store: Feast's.
        view: The declaration.
        registered: The view as registered.
        entities: How many are drawn, of those that the lake holds within the TTL, older windows included.
        seed: Another one draws others.

    Returns:
        The comparison; of no entity when nothing is materialised yet.

    Raises:
        OfflineReadError: A file of feature values cannot be read.
    """
    if registered.most_recent_end_time is None:
        return ViewParity(view.name, 0, 0, 0, ())
    now = utc(registered.most_recent_end_time)
    drawn = _drawn(store.config, view, Path(registered.batch_source.path), now, entities, seed)
    keys = keys_of({view.name: registered}, drawn.to_pandas())
    event, known = event_time_column(view), known_at_column(view)
    names = [*view.features, known, event]
    online = online_values(store, view, keys, names)
    usable = usable_at(online[event], online[known], view, now)
    waiting = pc.fill_null(pc.greater(online[known], microseconds(now)), False)
    visible = {name: pc.if_else(usable, values, pa.scalar(None, values.type)) for name, values in online.items()}
    references = [f"{view.name}:{name}" for name in names]
    job = store.get_historical_features(keys.assign(**{EVENT: now}), references, filter_by_created_timestamp=True)
    joined = job.to_arrow().combine_chunks()
    kinds = {name: ARROW[view.features.get(name, "int")] for name in names}
    offline = {name: pa.array(joined[name].cast(kind)) for name, kind in kinds.items()}
    return compare(view.name, event, drawn, visible, offline, waiting)


def _drawn(config: Any, view: FeatureView, folder: Path, now: datetime, entities: int, seed: str) -> pa.Table:
    """(up to `entities`,) distinct keys with an event within the TTL before `now`, in an order that the seed gives."""
    oldest = now - ttl_of(view)
    keys = ", ".join(map(quoted, view.entities))
    whole = " AND ".join(f"{quoted(key)} IS NOT NULL" for key in view.entities)
    files = files_between(sorted(folder.glob("*.parquet")), oldest, now)
    if not files:
        return pa.table({key: pa.array([], pa.string()) for key in view.entities})
    from ml_assets.resources.feast_sources import reading

    with reading(config, f"Feature view '{view.name}'") as con:
        return con.sql(
            f"SELECT {keys} FROM (SELECT DISTINCT {keys} FROM {scan(files)} WHERE {whole} "
            f"AND {EVENT} >= {moment_literal(oldest)} AND {EVENT} <= {moment_literal(now)}) "
            f"ORDER BY hash(?, {keys}), {keys} LIMIT ?",
            params=[seed, entities],
        ).to_arrow_table()
