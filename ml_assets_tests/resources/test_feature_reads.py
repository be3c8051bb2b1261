"""Plain reads through the offline store: each key's latest value, whole and in batches."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ml_assets.errors import OfflineReadError
from ml_assets.resources.lake_retrieval_job import LakeRetrievalJob
from ml_assets_tests.resources.feature_lake import FeatureLake, after, problem, view

MOMENTS = st.integers(0, 15)
KEYS = st.sampled_from(["EWR", "JFK", None])
LINES = st.sampled_from([1, 2, None])


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> FeatureLake:
    lake = FeatureLake(tmp_path_factory.mktemp("lake"))
    lake.apply()
    return lake


def latest(lake: FeatureLake, name: str, first: float, last: float) -> LakeRetrievalJob:
    feast = lake.store.feast(lake.problem)
    registered = feast.get_feature_view(name)
    declared = lake.problem.view(name)
    return feast.provider.offline_store.pull_latest_from_table_or_query(
        feast.config,
        registered.batch_source,
        list(declared.entities),
        list(declared.features),
        "event_timestamp",
        "known_at",
        after(first),
        after(last),
    )


@settings(max_examples=40, derandomize=True, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    values=st.lists(st.tuples(KEYS, LINES, MOMENTS, st.one_of(MOMENTS, st.none())), max_size=40),
    first=MOMENTS,
    last=MOMENTS,
)
def test_each_key_has_its_newest_value_once(lake: FeatureLake, values: list[Any], first: int, last: int) -> None:
    lake.land(
        "route", [(o, n, after(e), None if k is None else after(k), float(i)) for i, (o, n, e, k) in enumerate(values)]
    )
    expected: dict[Any, Any] = {}
    for i, (origin, line, event, known) in enumerate(values):
        if first <= event <= last:
            rank = (event, -1 if known is None else known, i)
            expected[origin, line] = max(rank, expected.get((origin, line), rank))

    got = latest(lake, "route", first, last).to_arrow().to_pylist()

    assert {(row["origin"], row["line"]): row["delay"] for row in got} == {
        k: float(i) for k, (_, _, i) in expected.items()
    }
    assert len(got) == len(expected)


def test_batches_hold_what_the_table_holds(lake: FeatureLake) -> None:
    values = [(f"K{i % 7000}", after(i / 10_000), after(2), float(i), i, f"sky {i}") for i in range(10_000)]
    lake.land("station", values)
    job = latest(lake, "station", 0, 14)
    batches = list(job.to_batches(999))
    assert max(batch.num_rows for batch in batches) <= 999
    assert len(batches) >= 8
    order = [("origin", "ascending")]
    streamed = pa.Table.from_batches(batches).sort_by(order)
    assert streamed.equals(job.to_arrow().sort_by(order))
    assert streamed.num_rows == 7000


def test_no_values_give_no_batches(lake: FeatureLake) -> None:
    lake.land("station", [])
    job = latest(lake, "station", 0, 14)
    assert list(job.to_batches(10)) == []
    assert job.to_arrow().num_rows == 0


def test_batches_that_are_not_taken_leave_nothing_open(lake: FeatureLake) -> None:
    lake.land("station", [(f"K{i}", after(1), after(1), 1.0, i, "x") for i in range(5000)])
    some = latest(lake, "station", 0, 14).to_batches(100)
    assert next(some).num_rows == 100
    some.close()
    assert sum(batch.num_rows for batch in latest(lake, "station", 0, 14).to_batches(2000)) == 5000


def test_a_file_that_cannot_be_read_is_named(lake: FeatureLake) -> None:
    lake.land("station", [("EWR", after(1), after(1), 1.0, 1, "x")])
    path = lake.folders["station"] / "2013-01-14.parquet"
    path.write_bytes(b"PAR1 and then nothing")
    with pytest.raises(OfflineReadError, match="Feature view 'station' cannot be read"):
        list(latest(lake, "station", 0, 14).to_batches(10))
    path.unlink()


def test_features_may_be_called_like_anything_in_the_query(tmp_path: Path) -> None:
    names = ["event", "known", "f", "l", "s", "won", "file", "two words"]
    lake = FeatureLake(tmp_path, problem([view("odd", ("origin",), dict.fromkeys(names, "float"))], "odd"))
    lake.land("odd", [("EWR", after(day), after(3), *map(float, range(day, day + 8))) for day in (1, 2)])
    lake.apply()
    got = latest(lake, "odd", 0, 14).to_arrow().to_pandas()
    assert got[names].to_numpy().tolist() == [list(map(float, range(2, 10)))]


def test_a_result_that_is_no_query_comes_in_batches_too() -> None:
    table = pa.table({"x": np.arange(25)})
    batches = list(LakeRetrievalJob(lambda: table).to_batches(10))
    assert [batch.num_rows for batch in batches] == [10, 10, 5]
    assert pa.Table.from_batches(batches).equals(table)


def test_a_value_without_a_known_time_loses_to_one_that_has_it(lake: FeatureLake) -> None:
    lake.land("station", [("EWR", after(1), None, 1.0, 1, "x"), ("EWR", after(1), after(2), 2.0, 1, "x")])
    got = latest(lake, "station", 0, 14).to_df()
    pd.testing.assert_series_equal(got["wind"], pd.Series([2.0], name="wind"))
    assert pq.read_table(lake.folders["station"]).num_rows == 2
