"""The contestants of the point-in-time benchmark: each prepares, and returns the join that is timed.

All are given the same pandas frame and the same parquet files, and end with an Arrow table (ours "end to end" with
a pandas frame). Afterwards, untimed, each keeps some of its rows, for the comparison.
"""

import tempfile
import time
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from benchmarks.point_in_time_data import EVENT, KEY, KNOWN, PLACE, VIEWS, asked_frame, history_file

COMPARED = 100_000
"""About so many rows of every result are compared."""
Work = Callable[[], Callable[[], dict[str, Any]]]
_STORES = {
    "ours": "ml_assets.resources.duckdb_offline_store.LakeOfflineStore",
    "duckdb": "duckdb",
    "dask": "dask",
}


def feast_join(folder: str, kind: str, ttl_days: int | None, answers: str | None) -> Work:
    """Feast's `get_historical_features`, known values only, over one of its offline stores."""
    from ml_assets.ml.features.query import connect

    connect().close()  # a process's first database takes 25 ms; the plain join's is made beforehand, too
    store = _feast_store(Path(folder), kind, ttl_days)
    frame = asked_frame(Path(folder))
    features = [f"{view}:{name}" for view, names in VIEWS.items() for name in names]

    def work() -> Callable[[], dict[str, Any]]:
        begin = time.process_time()
        job = store.get_historical_features(frame, features, filter_by_created_timestamp=True)
        planning_s = time.process_time() - begin
        return _report(job.to_arrow(), answers, planning_s)

    return work


def end_to_end(folder: str, ttl_days: int | None, answers: str | None) -> Work:
    """`FeatureStore.training_rows`, to pandas: what the platform's training sets are made with."""
    from ml_assets.resources.feature_store import FeatureStore
    from ml_assets.spec import FeatureSet, FeatureView, Source

    views = [
        FeatureView(
            name=view,
            entities=(KEY,),
            sources=("orders",),
            sql="SELECT 1",
            lookback_days=0,
            ttl_hours=ttl_days and ttl_days * 24,
            features=dict.fromkeys(names, "float"),
        )
        for view, names in VIEWS.items()
    ]
    orders = Source(name="orders", columns={KEY: "int64"}, key=(KEY,), event_time=None)
    cadence = {"kind": "weekly", "start": date(2013, 1, 7)}
    declared = FeatureSet(name="bench", cadence=cadence, sources=(orders,), feature_views=tuple(views))
    store = FeatureStore(root=tempfile.mkdtemp(dir=folder))
    store.apply(declared, {view: history_file(Path(folder), view).parent for view in VIEWS})
    frame = asked_frame(Path(folder))

    def work() -> Callable[[], dict[str, Any]]:
        rows = store.training_rows(declared, frame)
        return lambda: {"rows": len(rows)}

    return work


def plain_asof(folder: str, ttl_days: int | None, answers: str | None) -> Work:
    """DuckDB's ASOF join of both views on event time: no knowledge time, no TTL, rows in any order."""
    import duckdb

    frame = asked_frame(Path(folder))
    con = duckdb.connect()
    con.execute("SET TimeZone = 'UTC'").register("asked", frame)
    sql = f"SELECT a.*, {', '.join(name for names in VIEWS.values() for name in names)} FROM asked a"
    for view in VIEWS:
        table = f"read_parquet('{history_file(Path(folder), view)}')"
        sql += f" ASOF LEFT JOIN {table} {view} ON a.{KEY} = {view}.{KEY} AND a.{EVENT} >= {view}.{EVENT}"
    return lambda: _report(con.sql(sql).to_arrow_table(), answers)


def polars_asof(folder: str, ttl_days: int | None, answers: str | None) -> Work:
    """Polars' `join_asof` of both views on event time with the TTL: no knowledge time, rows by time."""
    import polars as pl

    frame = asked_frame(Path(folder))
    tolerance = ttl_days and timedelta(days=ttl_days)

    def work() -> Callable[[], dict[str, Any]]:
        rows = pl.from_pandas(frame).lazy().sort(EVENT)
        for view, names in VIEWS.items():
            values = pl.scan_parquet(history_file(Path(folder), view)).select(KEY, EVENT, *names).sort(EVENT)
            rows = rows.join_asof(values, on=EVENT, by=KEY, tolerance=tolerance, check_sortedness=False)
        return _report(rows.collect().to_arrow(), answers)

    return work


def _feast_store(folder: Path, kind: str, ttl_days: int | None) -> Any:
    import feast
    from feast.types import Float64, Int64

    root = Path(tempfile.mkdtemp(dir=folder))
    config = feast.RepoConfig(
        project="bench",
        provider="local",
        registry=str(root / "registry.pb"),
        offline_store={"type": _STORES[kind]},
        online_store={"type": "sqlite", "path": str(root / "online.db")},
        entity_key_serialization_version=3,
    )
    customer = feast.Entity(name=KEY, join_keys=[KEY], value_type=feast.ValueType.INT64)
    views = [
        feast.FeatureView(
            name=view,
            entities=[customer],
            ttl=timedelta(days=ttl_days or 0),
            schema=[feast.Field(name=KEY, dtype=Int64), *(feast.Field(name=name, dtype=Float64) for name in names)],
            source=feast.FileSource(
                path=str(history_file(folder, view)), timestamp_field=EVENT, created_timestamp_column=KNOWN
            ),
        )
        for view, names in VIEWS.items()
    ]
    store = feast.FeatureStore(config=config)
    store.apply([customer, *views])
    return store


def _report(table: pa.Table, answers: str | None, planning_s: float | None = None) -> Callable[[], dict[str, Any]]:
    """What is told of a result: its rows, and some of them as a file."""

    def report() -> dict[str, Any]:
        if answers:
            step = max(table.num_rows // COMPARED, 1)
            place = table[PLACE]
            some = table.filter(pc.equal(pc.subtract(place, pc.multiply(pc.divide(place, step), step)), 0))
            names = [PLACE, *(name for names in VIEWS.values() for name in names)]
            pq.write_table(some.select(names).sort_by(PLACE), answers)
        return {"rows": table.num_rows, "planning_s": planning_s}

    return report
