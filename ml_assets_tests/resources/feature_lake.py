"""A small lake of feature values, and the problem that declares it, for the tests of the feature store."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from ml_assets.resources.feature_store import FeatureStore
from ml_assets.spec import FeatureView, Label, Problem, QualityPolicy, Rows, Search, Source

START = datetime(2013, 1, 7, tzinfo=UTC)
WEEK = timedelta(days=7)
_ARROW = {"float": pa.float64(), "int": pa.int64(), "string": pa.string()}


def after(days: float) -> datetime:
    """A moment so many days after the first window's start."""
    return START + timedelta(days=days)


def view(name: str, entities: tuple[str, ...], features: dict[str, Any], ttl_hours: float = 72) -> FeatureView:
    return FeatureView(
        name=name,
        entities=entities,
        sources=("trips",),
        sql="SELECT 1",
        lookback_days=0,
        ttl_hours=ttl_hours,
        features=features,
    )


STATION = view("station", ("origin",), {"wind": "float", "gusts": "int", "sky": "string"})
ROUTE = view("route", ("origin", "line"), {"delay": "float"}, ttl_hours=24)


def problem(views: Sequence[FeatureView] = (STATION, ROUTE), name: str = "trips") -> Problem:
    return Problem(
        name=name,
        cadence={"kind": "weekly", "start": START.date()},
        sources=(
            Source(name="trips", columns={"origin": "string", "line": "int64"}, key=("origin",), event_time=None),
        ),
        feature_views=tuple(views),
        rows=Rows(sql="SELECT 1", sources=("trips",), key=("origin",), horizon_hours=1),
        label=Label(name="late", sql="SELECT 1", sources=("trips",)),
        search=Search(space={}),
        quality=QualityPolicy(max_bias=1),
    )


@dataclass
class FeatureLake:
    """Folders of feature values beside a feature store of their own."""

    root: Path
    problem: Problem = field(default_factory=problem)

    @property
    def store(self) -> FeatureStore:
        return self.__dict__.setdefault(
            "_store", FeatureStore(root=str(self.root / "feast"), offline_store={"threads": 1})
        )

    @property
    def folders(self) -> dict[str, Path]:
        return {declared.name: self.root / "lake" / declared.name for declared in self.problem.feature_views}

    def apply(self) -> tuple[str, ...]:
        return self.store.apply(self.problem, self.folders)

    def land(self, name: str, values: Sequence[Sequence[Any]]) -> None:
        """Write all values of a view, as (keys ..., event, known, features ...), into their windows."""
        declared = self.problem.view(name)
        columns = [*declared.entities, "event_timestamp", "known_at", *declared.features]
        moment = pa.timestamp("us", tz="UTC")
        keys = {"origin": pa.string(), "line": pa.int64()}
        schema = pa.schema(
            [(c, keys.get(c, moment if c not in declared.features else _ARROW[declared.features[c]])) for c in columns]
        )
        folder = self.folders[name]
        folder.mkdir(parents=True, exist_ok=True)
        for old in folder.glob("*.parquet"):
            old.unlink()
        windows: dict[date, list[dict[str, Any]]] = {}
        for row in values:
            event = row[len(declared.entities)]
            windows.setdefault((START + (event - START) // WEEK * WEEK).date(), []).append(
                dict(zip(columns, row, strict=True))
            )
        for window, rows in windows.items():
            pq.write_table(pa.Table.from_pylist(rows, schema), folder / f"{window}.parquet")


def asking(*rows: tuple[Any, ...]) -> pd.DataFrame:
    """Rows to predict as (origin, line, prediction time), with a column of their own."""
    frame = pd.DataFrame(list(rows), columns=["origin", "line", "event_timestamp"])
    frame["event_timestamp"] = pd.to_datetime(frame["event_timestamp"], utc=True)
    return frame.assign(line=frame["line"].astype("Int64"), ticket=range(100, 100 + len(frame)))
