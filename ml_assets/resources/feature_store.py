"""The feature store: Feast's registry, point-in-time training rows, and the online store.

Here belongs what assets and the server ask of Feast. How a declaration looks there is in `feast_objects`, how a
project is opened and written in `feast_project`, how the offline store reads the lake in `duckdb_offline_store`,
how online values are written and read in `online_store`. One Feast project per feature set, in one registry.

Feast's traps that this resource keeps from its callers: the stores are opened once, not at every call; online
reads ignore the TTL; an old window materialised late overwrites newer values; a registry that lacks the
problem answers as if it were empty; a killed `materialize` of Feast's own leaves a view that serves nobody.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import dagster as dg
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import sqlalchemy as sa
from pydantic import Field, PrivateAttr

from ml_assets.errors import NotAppliedError, RowsChangedError
from ml_assets.ml.features.parity import ViewParity
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
from ml_assets.resources.feast_project import FeastProject
from ml_assets.resources.feature_frames import PLACE, keys_of, refuse_collisions, usable_at, utc, with_values
from ml_assets.resources.online_parity import view_parity
from ml_assets.resources.online_store import materialize_view, online_values
from ml_assets.resources.server_addresses import redis_block, registry_url
from ml_assets.spec import FeatureSet


class FeatureStore(dg.ConfigurableResource):
    """Feast over the lake. Dtypes of what it returns: float64, Int64 (nullable), object (str or None)."""

    root: str = Field(description="Folder of `registry.db` and `online.db`.")
    registry_address: str | None = Field(
        default=None,
        repr=False,
        description="Address of the registry's database, postgresql://user:password@host/database; left out: SQLite. "
        "Give it as an EnvVar, which Dagster's UI shows by name.",
    )
    online_address: str | None = Field(
        default=None,
        repr=False,
        description="Address of the online store, redis://:password@host:6379/0; left out: SQLite. Likewise.",
    )
    registry: dict[str, Any] = Field(
        default_factory=dict, repr=False, description="More of Feast's `registry` block, when not its own choice."
    )
    online_store: dict[str, Any] | None = Field(
        default=None, repr=False, description="Feast's `online_store` block, where an address does not say enough."
    )
    offline_store: dict[str, Any] = Field(
        default_factory=dict, description="DuckDB's `threads` and `memory_limit`, when not its own choice."
    )
    _projects: dict[str, FeastProject] = PrivateAttr(default_factory=dict)

    def apply(self, features: FeatureSet, folders: Mapping[str, Path]) -> tuple[str, ...]:
        """Bring the registry in line with the declaration; any number of processes may, one at a time does.

        A view whose keys or features changed loses its online values, which no longer fit. One whose computation
        changed keeps them: they are as old as the files in the lake, which Dagster marks as stale.

        Args:
            features: The declaration.
            folders: View name -> folder of its `<window>.parquet` files.

        Returns:
            What changed, e.g. ("added view weather", "removed entity dest"); empty when nothing did.

        Raises:
            FeatureColumnCollisionError, FunctionError, JoinKeyTypeError: As `declared_objects`.
            LockTimeoutError, ServerAddressError: The registry is not to be had.
        """
        wanted = declared_objects(features, folders)
        with self.writing(features) as store:
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
            NotAppliedError: The registry does not hold the problem as declared. (A changed computation alone is
                none: what is joined lies in the lake's files, whatever computed them.)
            OfflineReadError: A file of feature values cannot be read.
            RowsChangedError: The offline store lost or reordered rows.
        """
        if not features.feature_views:
            return rows.copy()
        store, views = self._applied(features)
        refuse_collisions(features, rows)
        asked = keys_of(views, rows)
        asked[EVENT] = pd.to_datetime(rows[EVENT], utc=True, cache=False).array
        asked[PLACE] = np.arange(len(rows))
        # The views that this problem uses, by name: the registered service has all views of the feature set.
        names = [f"{v.name}:{name}" for v in features.feature_views for name in (*v.features, known_at_column(v))]
        job = store.get_historical_features(asked, features=names, filter_by_created_timestamp=True)
        table = job.to_arrow()
        if not np.array_equal(table[PLACE].to_numpy(), asked[PLACE].to_numpy()):
            raise RowsChangedError(features.feature_group, len(rows), table.num_rows)
        found = {name: table[name] for name in added_columns(features)}
        del asked, job, table  # each column's memory is free again once it is in the frame
        return with_values(features, rows, found)

    def materialize(self, features: FeatureSet, start: datetime, end: datetime) -> dict[str, int]:
        """Write the latest values with start <= event_timestamp < end into the online store.

        Windows may come in any order and as often as they like: a key that has an online value of a later window
        keeps that, and a window materialised again is written as the lake has it now. (Of a key that has vanished
        from the window the value stays online until a newer one comes or it expires.)

        Returns:
            View name -> keys written.

        Raises:
            LockTimeoutError, ServerAddressError: The registry or the online store is not to be had.
            NotAppliedError, OfflineReadError: As `training_rows`.
        """
        if not features.feature_views:
            return {}
        self._applied(features)
        first, last = utc(start), utc(end) - timedelta(microseconds=1)  # Feast includes both
        project = self._project(features)
        return {view.name: materialize_view(project, view, first, last) for view in features.feature_views}

    def online_rows(self, features: FeatureSet, keys: pd.DataFrame, *, now: datetime) -> pd.DataFrame:
        """The online values of each row's keys: `training_rows` at t = now, all being materialised.

        A value is left out when at `now` it has expired, does not hold yet, or is not known yet. (The online
        store keeps one value per key: what a not yet known correction replaced is gone until that is known.)

        Returns:
            The rows, unchanged and in order, with the columns, order and dtypes of `training_rows`.

        Raises:
            FeatureColumnCollisionError, JoinKeyTypeError, NotAppliedError: As `training_rows`.
            ServerAddressError: The online store does not answer.
        """
        store, views = self._applied(features)
        refuse_collisions(features, keys)
        columns: dict[str, pa.Array] = {}
        for view in features.feature_views:
            names = [*view.features, known_at_column(view), event_time_column(view)]
            found = online_values(store, view, keys_of({view.name: views[view.name]}, keys), names)
            usable = usable_at(found[event_time_column(view)], found[known_at_column(view)], view, utc(now))
            columns |= {
                name: pc.if_else(usable, values, pa.scalar(None, values.type)) for name, values in found.items()
            }
        return with_values(features, keys, columns)

    def online_parity(self, features: FeatureSet, draw: str) -> tuple[ViewParity, ...]:
        """Compare online values of some entities of each view with `training_rows` of the same moment.

        The moment is the last one of the view's newest materialised window.

        Args:
            features: The declaration; its `parity` says how many entities.
            draw: Another draw draws others, e.g. the key of the window that was materialised.

        Raises:
            NotAppliedError, OfflineReadError: As `training_rows`.
            ServerAddressError: The online store does not answer.
        """
        store, views = self._applied(features)
        seed = f"{features.parity.seed} {draw}"
        return tuple(
            view_parity(store, view, views[view.name], features.parity.entities, f"{seed} {view.name}")
            for view in features.feature_views
        )

    def feast(self, features: FeatureSet) -> Any:
        """Feast's own store of the feature set, with the registry as it is now."""
        return self._project(features).refreshed()

    @contextmanager
    def writing(self, features: FeatureSet) -> Iterator[Any]:
        """Feast's own store, while nobody else may write the registry. Do not ask for it inside itself."""
        with self._project(features).writing() as store:
            yield store

    def _applied(self, features: FeatureSet) -> tuple[Any, dict[str, Any]]:
        """The store and its views by name, when they are as declared."""
        url = self._url()
        if url.get_backend_name() == "sqlite" and not Path(str(url.database)).exists():
            raise NotAppliedError(features.feature_group, "is unknown")
        store = self.feast(features)
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

    def _url(self) -> sa.URL:
        """The registry's database."""
        below = f"sqlite:///{Path(self.root).absolute() / 'registry.db'}"
        return registry_url(self.registry_address or self.registry.get("path") or below)

    def _project(self, features: FeatureSet) -> FeastProject:
        name = features.feature_group
        if name not in self._projects:
            root = Path(self.root).absolute()
            root.mkdir(parents=True, exist_ok=True)
            online = self.online_store or {"type": "sqlite", "path": str(root / "online.db")}
            if self.online_address and not self.online_store:
                online = redis_block(self.online_address)
            self._projects[name] = FeastProject(name, self._url(), self.registry, online, self.offline_store)
        return self._projects[name]


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
