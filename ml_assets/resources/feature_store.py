"""The feature store: Feast's registry, point-in-time training rows, and the online store.

Here belongs what assets and the server ask of Feast. How a declaration looks there is in `feast_objects`, how
the offline store reads the lake in `duckdb_offline_store`. One Feast project per feature set, in one registry.

Feast's traps that this resource keeps from its callers: the stores are opened once, not at every call; online
reads ignore the TTL; an old window materialised late overwrites newer values; a registry that lacks the
problem answers as if it were empty; a refreshed registry is answered from the former one; a killed
`materialize` of Feast's own leaves a view that serves nobody.
"""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import dagster as dg
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from pydantic import Field, PrivateAttr

from ml_assets.errors import NotAppliedError, RowsChangedError
from ml_assets.resources.feast_objects import (
    DECLARATION,
    EVENT,
    added_columns,
    declared_objects,
    event_time_column,
    feast_types,
    known_at_column,
    ttl_of,
)
from ml_assets.resources.feature_frames import (
    ARROW,
    PLACE,
    batches,
    keys_of,
    refuse_collisions,
    to_pandas,
    usable_at,
    utc,
    with_values,
    without_large_integers_beside_nulls,
)
from ml_assets.spec import FeatureSet, FeatureView
from ml_assets.telemetry import disable_telemetry

_BATCH = 10_000
"""Keys per online read or write: SQLite takes a bounded number of them in one statement."""


class FeatureStore(dg.ConfigurableResource):
    """Feast over the lake. Dtypes of what it returns: float64, Int64 (nullable), object (str or None)."""

    root: str = Field(description="Folder of `registry.db` and `online.db`.")
    registry: dict[str, Any] | None = Field(
        default=None,
        description="Feast's `registry` block, e.g. {path: postgresql+psycopg://...}; left out: SQLite.",
    )
    online_store: dict[str, Any] | None = Field(
        default=None, description="Feast's `online_store` block, e.g. {type: redis, ...}; left out: SQLite."
    )
    offline_store: dict[str, Any] = Field(
        default_factory=dict, description="DuckDB's `threads` and `memory_limit`, when not its own choice."
    )
    _stores: dict[str, Any] = PrivateAttr(default_factory=dict)

    def apply(self, features: FeatureSet, folders: Mapping[str, Path]) -> tuple[str, ...]:
        """Bring the registry in line with the declaration; let one asset be its only caller.

        A view whose keys or features changed loses its online values, which no longer fit.

        Args:
            features: The declaration.
            folders: View name -> folder of its `<window>.parquet` files.

        Returns:
            What changed, e.g. ("added view weather", "removed entity dest"); empty when nothing did.
        """
        wanted = declared_objects(features, folders)
        store = self._open(features)
        found = _registered(store)
        added = [label for label in wanted if label not in found]
        removed = [label for label in found if label not in wanted]
        kept = [label for label in wanted if label in found]
        changed = [x for x in kept if wanted[x].tags[DECLARATION] != found[x].tags.get(DECLARATION)]
        reshaped = [x for x in changed if x.startswith("view ") and _shape(wanted[x]) != _shape(found[x])]
        if removed or reshaped:
            store.apply([], objects_to_delete=[found[x] for x in removed + reshaped], partial=False)
        if added or changed:
            store.apply(list(wanted.values()))
        done = {"added": added, "changed": changed, "removed": removed}
        return tuple(f"{verb} {label}" for verb, labels in done.items() for label in labels)

    def training_rows(self, features: FeatureSet, rows: pd.DataFrame) -> pd.DataFrame:
        """Join each row with the feature values known at its prediction time t.

        Of a view's values with the row's keys, event_timestamp <= t, known_at <= t and event_timestamp >=
        t - TTL (exactly as old as the TTL still counts, as in Feast's own stores), the one with the greatest
        (event_timestamp, known_at) answers. A null key or time matches nothing.

        Args:
            features: The declaration, as applied.
            rows: n rows: join keys, `event_timestamp` (t, UTC) and any other columns.

        Returns:
            The n rows, unchanged and in order, then the features in the order of the views, then
            `<view>__known_at` of each view (datetime64[us, UTC]): when the value joined became known.

        Raises:
            FeatureColumnCollisionError: `rows` already has one of those columns.
            JoinKeyTypeError: A join key is missing or of another type than registered.
            NotAppliedError: The registry does not hold the problem as declared.
            OfflineReadError: A file of feature values cannot be read.
            RowsChangedError: The offline store lost or reordered rows.
        """
        if not features.feature_views:
            return rows.copy()
        store, views = self._applied(features)
        refuse_collisions(features, rows)
        asked = keys_of(views, rows)
        asked[EVENT] = pd.to_datetime(rows[EVENT], utc=True).array
        asked[PLACE] = np.arange(len(rows))
        # The views that this problem uses, by name: the registered service has all views of the feature set.
        names = [f"{v.name}:{name}" for v in features.feature_views for name in (*v.features, known_at_column(v))]
        job = store.get_historical_features(asked, features=names, filter_by_created_timestamp=True)
        table = job.to_arrow()
        if not np.array_equal(table[PLACE].to_numpy(), asked[PLACE].to_numpy()):
            raise RowsChangedError(features.feature_group, len(rows), table.num_rows)
        return with_values(features, rows, {name: table[name] for name in added_columns(features)})

    def materialize(self, features: FeatureSet, start: datetime, end: datetime) -> dict[str, int]:
        """Write the latest values with start <= event_timestamp < end into the online store.

        Of each key only what is not older than its online value is written, so windows may come in any order
        and as often as they like. Equal event times are written again: the lake holds the later correction.
        (A value that vanished from the lake stays online until a newer one comes or it expires.)

        Returns:
            View name -> keys written.

        Raises:
            NotAppliedError, OfflineReadError: As `training_rows`.
        """
        if not features.feature_views:
            return {}
        store, views = self._applied(features)
        first, last = utc(start), utc(end) - timedelta(microseconds=1)  # Feast includes both
        return {view.name: _materialize(store, view, views[view.name], first, last) for view in features.feature_views}

    def online_rows(self, features: FeatureSet, keys: pd.DataFrame, *, now: datetime) -> pd.DataFrame:
        """The online values of each row's keys: `training_rows` at t = now, all being materialised.

        A value is left out when at `now` it has expired, does not hold yet, or is not known yet. (The online
        store keeps one value per key: what a not yet known correction replaced is gone until that is known.)

        Returns:
            The rows, unchanged and in order, with the columns, order and dtypes of `training_rows`.

        Raises:
            FeatureColumnCollisionError, JoinKeyTypeError, NotAppliedError: As `training_rows`.
        """
        store, views = self._applied(features)
        refuse_collisions(features, keys)
        columns: dict[str, pa.Array] = {}
        for view in features.feature_views:
            names = [*view.features, known_at_column(view), event_time_column(view)]
            found = _online(store, view, keys_of({view.name: views[view.name]}, keys), names)
            usable = usable_at(found[event_time_column(view)], found[known_at_column(view)], view, utc(now))
            columns |= {
                name: pc.if_else(usable, values, pa.scalar(None, values.type)) for name, values in found.items()
            }
        return with_values(features, keys, columns)

    def _applied(self, features: FeatureSet) -> tuple[Any, dict[str, Any]]:
        """The store and its views by name, when they are as declared."""
        if not self.registry and not Path(self.root, "registry.db").exists():
            raise NotAppliedError(features.feature_group, "is unknown")
        store = self._open(features)
        store.refresh_registry()
        held = store.registry.list_feature_views(store.project, allow_cache=True)
        views = {view.name: view for view in held}
        if not views:
            raise NotAppliedError(features.feature_group, "is unknown")
        for view in features.feature_views:
            got = views.get(view.name)
            types = {field.name: str(field.dtype) for field in got.features} if got else {}
            if not got or types != feast_types(view) or got.ttl != ttl_of(view):
                raise NotAppliedError(features.feature_group, f"has another view '{view.name}' than declared")
        return store, {view.name: views[view.name] for view in features.feature_views}

    def _open(self, features: FeatureSet) -> Any:
        if features.feature_group not in self._stores:
            disable_telemetry()
            from feast import FeatureStore as Feast
            from feast import RepoConfig

            root = Path(self.root).absolute()
            root.mkdir(parents=True, exist_ok=True)
            # A cache without expiry, refreshed at every call: within a call the registry is read once.
            registry = {
                "path": f"sqlite:///{root / 'registry.db'}",
                "registry_type": "sql",
                "cache_ttl_seconds": 0,
            }
            offline_store = {"type": "ml_assets.resources.duckdb_offline_store.LakeOfflineStore"}
            config = RepoConfig(
                project=features.feature_group,
                provider="local",
                registry=registry | (self.registry or {}),
                online_store=self.online_store or {"type": "sqlite", "path": str(root / "online.db")},
                offline_store=offline_store | self.offline_store,
                entity_key_serialization_version=3,
            )
            self._stores[features.feature_group] = _with_versions(Feast(config=config))
        return self._stores[features.feature_group]


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


def _registered(store: Any) -> dict[str, Any]:
    """What the registry holds of the project, by label; data sources live and die with their views."""
    from feast.feature_view import DUMMY_ENTITY_NAME

    project, registry = store.project, store.registry
    entities = [entity for entity in registry.list_entities(project) if entity.name != DUMMY_ENTITY_NAME]
    return (
        {f"entity {entity.name}": entity for entity in entities}
        | {f"view {view.name}": view for view in registry.list_feature_views(project)}
        | {f"service {service.name}": service for service in registry.list_feature_services(project)}
    )


def _shape(view: Any) -> set[tuple[str, str]]:
    return {(field.name, str(field.dtype)) for field in [*view.entity_columns, *view.features]}


def _materialize(store: Any, view: FeatureView, registered: Any, first: datetime, last: datetime) -> int:
    source = registered.batch_source
    job = store.provider.offline_store.pull_latest_from_table_or_query(
        store.config,
        source,
        join_key_columns=list(view.entities),
        feature_name_columns=[feature.name for feature in registered.features],
        timestamp_field=source.timestamp_field,
        created_timestamp_column=source.created_timestamp_column,
        start_date=first,
        end_date=last,
    )
    latest = to_pandas(job.to_arrow()).dropna(subset=list(view.entities))
    newest_so_far = registered.most_recent_end_time
    # Recorded before it is done: after a run that was killed half way, older windows look before they write.
    store.registry.apply_materialization(registered, store.project, first, last)
    if newest_so_far is not None and utc(newest_so_far) >= first:
        time = event_time_column(view)
        online = _online(store, view, latest[list(view.entities)], [time])[time].to_pandas()
        latest = latest[latest[time].to_numpy("int64") >= online.fillna(-np.inf).to_numpy()]
    for part in without_large_integers_beside_nulls(latest):
        for batch in batches(part, _BATCH):
            store.provider.ingest_df(registered, batch)
    return len(latest)


def _online(store: Any, view: FeatureView, asked: pd.DataFrame, names: list[str]) -> dict[str, pa.Array]:
    """Online values of each row of keys, expired or not; a null key finds nothing."""
    unique = asked.dropna().drop_duplicates().reset_index(drop=True)
    found: dict[str, list[Any]] = {name: [] for name in names}
    for batch in batches(unique, _BATCH):
        keys = {key: batch[key].tolist() for key in view.entities}
        answer = store.get_online_features([f"{view.name}:{name}" for name in names], keys).to_dict()
        for name in names:
            found[name] += answer[name]
    numbered = unique.assign(**{PLACE: pd.array(range(len(unique)), dtype="Int64")})
    place = asked.merge(numbered, how="left", on=list(view.entities))[PLACE]
    kinds = {name: ARROW[view.features.get(name, "int")] for name in names}
    return {name: pa.array(found[name], kind).take(pa.array(place)) for name, kind in kinds.items()}
