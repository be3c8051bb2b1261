"""The point-in-time join against its definition, written out as a search through all values."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ml_assets.errors import OfflineReadError
from ml_assets.resources.feature_store import FeatureStore
from ml_assets.resources.point_in_time import files_between
from ml_assets_tests.resources.feature_lake import ROUTE, STATION, FeatureLake, after, asking, problem, view

ORIGINS = st.sampled_from(["EWR", "JFK", None])
LINES = st.sampled_from([1, 2, None])
# Days over three windows: coarse enough that ties, corrections and exact expiries are common.
MOMENTS = st.integers(0, 15)


def history(*keys: Any) -> Any:
    """Values as (keys ..., event, known); known before, at and after the event, and corrected later."""
    return st.lists(st.tuples(*keys, MOMENTS, MOMENTS), min_size=8, max_size=30, unique=True)


def answer(values: list[tuple[Any, ...]], keys: tuple[Any, ...], moment: int, ttl: int) -> tuple[int, int] | None:
    """Place and known time of the answering value, by looking at every one of them; times in days."""
    n = len(keys)
    visible = [
        (row[n], row[n + 1], place)
        for place, row in enumerate(values)
        if None not in keys and row[:n] == keys and row[n] <= moment and row[n + 1] <= moment
        if row[n] >= moment - ttl
    ]
    return (max(visible)[2], max(visible)[1]) if visible else None


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> FeatureLake:
    lake = FeatureLake(tmp_path_factory.mktemp("lake"))
    lake.apply()
    return lake


@settings(
    max_examples=60,
    derandomize=True,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    stations=history(ORIGINS),
    routes=history(ORIGINS, LINES),
    rows=st.lists(st.tuples(ORIGINS, LINES, MOMENTS), min_size=10, max_size=30),
)
def test_every_row_gets_the_newest_value_that_was_known(
    lake: FeatureLake, stations: list[Any], routes: list[Any], rows: list[Any]
) -> None:
    lake.land("station", [(o, after(e), after(k), float(i), i, f"sky {i}") for i, (o, e, k) in enumerate(stations)])
    lake.land("route", [(o, line, after(e), after(k), float(i)) for i, (o, line, e, k) in enumerate(routes)])

    got = lake.store.training_rows(lake.problem, asking(*((o, line, after(t)) for o, line, t in rows)))

    assert len(got) == len(rows)
    for (origin, line, moment), (_, row) in zip(rows, got.iterrows(), strict=True):
        station = answer(stations, (origin,), moment, ttl=3)
        route = answer(routes, (origin, line), moment, ttl=1)
        if station is None:
            assert pd.isna([row["wind"], row["gusts"], row["station__known_at"]]).all()
            assert row["sky"] is None
        else:
            place, known = station
            assert (row["wind"], row["gusts"], row["sky"]) == (float(place), place, f"sky {place}")
            assert row["station__known_at"] == after(known)
        assert pd.isna(row["delay"]) if route is None else row["delay"] == float(route[0])
        assert pd.isna(row["route__known_at"]) if route is None else row["route__known_at"] == after(route[1])


def test_a_late_correction_is_used_only_once_it_is_known(lake: FeatureLake) -> None:
    lake.land(
        "station",
        [
            ("EWR", after(1), after(1.5), 10.0, 1, "first"),
            ("EWR", after(1), after(2.5), 11.0, 1, "corrected"),
            ("EWR", after(2), after(2), 12.0, 1, "newer"),
        ],
    )
    moments = [1.4, 1.5, 1.9, 2.0, 2.6]
    got = lake.store.training_rows(lake.problem, asking(*(("EWR", 1, after(day)) for day in moments)))
    assert got["sky"].tolist() == [None, "first", "first", "newer", "newer"]


@pytest.mark.parametrize(
    ("age", "found"),
    [
        pytest.param(timedelta(hours=72), True, id="exactly as old as its TTL"),
        pytest.param(timedelta(hours=72, microseconds=1), False, id="one microsecond older"),
    ],
)
def test_a_value_counts_up_to_its_ttl(lake: FeatureLake, age: timedelta, found: bool) -> None:
    lake.land("station", [("EWR", after(1), after(1), 10.0, 1, "clear")])
    got = lake.store.training_rows(lake.problem, asking(("EWR", 1, after(1) + age)))
    assert got["wind"].notna().tolist() == [found]


def test_ten_thousand_rows_come_back_whole_and_in_order(lake: FeatureLake) -> None:
    rng = np.random.default_rng(0)
    lake.land("station", [("EWR", after(d / 10), after(d / 10), float(d), d, "x") for d in range(200)])
    times = [after(day) for day in rng.uniform(0, 25, 10_000)]
    rows = asking(*((o, 1, t) for o, t in zip(rng.choice(["EWR", "JFK"], 10_000), times, strict=True)))
    rows = pd.concat([rows, rows.head(500)])  # repeated rows, and an index with repeats
    got = lake.store.training_rows(lake.problem, rows)
    pd.testing.assert_frame_equal(got[rows.columns], rows)
    ewr = got[(got["origin"] == "EWR") & (got["event_timestamp"] < after(19.9))]
    expected = ((ewr["event_timestamp"] - after(0)).dt.total_seconds() / 8640).astype(int)
    assert (ewr["gusts"] == expected).all()
    assert got.loc[got["origin"] == "JFK", "gusts"].isna().all()


def test_integers_stay_exact_beside_nulls(lake: FeatureLake) -> None:
    large = 2**60 + 1  # no float holds it
    lake.land(
        "station",
        [("EWR", after(1), after(1), None, large, None), ("JFK", after(1), after(1), 1.0, None, "x")],
    )
    got = lake.store.training_rows(lake.problem, asking(("EWR", 1, after(2)), ("JFK", 1, after(2))))
    assert got["gusts"].dtype == "Int64"
    assert got["gusts"].tolist() == [large, pd.NA]


def test_no_landed_values_give_empty_columns(lake: FeatureLake) -> None:
    lake.land("station", [])
    for rows in (asking(("EWR", 1, after(2))), asking(("EWR", 1, after(2))).head(0)):
        got = lake.store.training_rows(lake.problem, rows)
        assert len(got) == len(rows)
        assert got["wind"].isna().all()
        assert str(got["station__known_at"].dtype) == "datetime64[us, UTC]"


def test_windows_that_cannot_matter_are_not_opened(lake: FeatureLake) -> None:
    lake.land("station", [("EWR", after(15), after(15), 10.0, 1, "clear")])
    folder = lake.folders["station"]
    for window in ("2013-01-07", "2013-01-28"):
        (folder / f"{window}.parquet").write_bytes(b"no parquet")
    assert lake.store.training_rows(lake.problem, asking(("EWR", 1, after(17.9))))["wind"].tolist() == [10.0]
    with pytest.raises(OfflineReadError, match="Feature view 'station' cannot be read"):
        lake.store.training_rows(lake.problem, asking(("EWR", 1, after(21))))
    for window in ("2013-01-07", "2013-01-28"):
        (folder / f"{window}.parquet").unlink()


def test_files_not_named_after_days_are_all_read() -> None:
    files = [Path("b.parquet"), Path("a.parquet")]
    assert files_between(files, after(3), after(4)) == [Path("a.parquet"), Path("b.parquet")]


def test_features_may_be_called_like_anything_in_the_query(tmp_path: Path) -> None:
    names = ["event", "known", "effective", "k0", "v1", "moment", "place", "file", "a", "two words"]
    odd = view("odd", ("origin",), dict.fromkeys(names, "float"))
    lake = FeatureLake(tmp_path, problem([odd], "odd"))
    lake.land(
        "odd",
        [("EWR", after(1), after(2), *map(float, range(10))), ("EWR", after(1), after(1), *[-1.0] * 10)],
    )
    lake.apply()
    got = lake.store.training_rows(lake.problem, asking(("EWR", 1, after(1.5)), ("EWR", 1, after(2))))
    assert got[names].to_numpy().tolist() == [[-1.0] * 10, list(map(float, range(10)))]


def test_it_agrees_with_feasts_own_duckdb_store(lake: FeatureLake) -> None:
    rng = np.random.default_rng(1)
    stations = [
        (origin, after(day + 0.01 * i), after(day + 0.01 * i), float(rng.normal()), i, f"sky {day}")
        for i, origin in enumerate(["EWR", "JFK"])
        for day in range(20)
        if rng.random() < 0.7
    ]
    lake.land("station", stations)
    lake.land("route", [("EWR", 1, after(day), after(day), float(day)) for day in range(0, 20, 2)])
    moments = [after(day) for day in rng.uniform(0, 22, 200)]
    rows = asking(*((["EWR", "JFK"][i % 2], 1, moment) for i, moment in enumerate(moments)))
    ours = lake.store.training_rows(lake.problem, rows)

    theirs = feasts_duckdb(lake, rows).sort_values("ticket").reset_index(drop=True)

    for column in [*STATION.features, *ROUTE.features]:
        assert theirs[column].astype(object).where(theirs[column].notna(), None).tolist() == (
            ours[column].astype(object).where(ours[column].notna(), None).tolist()
        )
    assert ours["wind"].notna().mean() > 0.5


def feasts_duckdb(lake: FeatureLake, rows: pd.DataFrame) -> pd.DataFrame:
    """The same rows from Feast's `duckdb` store, over a registry of its own and one file per view."""
    feast = pytest.importorskip("feast")
    pytest.importorskip("ibis")
    root = lake.root / "theirs"
    root.mkdir()
    store = feast.FeatureStore(
        config=feast.RepoConfig(
            project="theirs",
            provider="local",
            registry=str(root / "registry.pb"),
            offline_store={"type": "duckdb"},
            online_store={"type": "sqlite", "path": str(root / "online.db")},
            entity_key_serialization_version=3,
        )
    )
    entities = [feast.Entity(name=key, join_keys=[key]) for key in ("origin", "line")]
    types = {"float": feast.types.Float64, "int": feast.types.Int64, "string": feast.types.String}
    for declared in lake.problem.feature_views:
        path = root / f"{declared.name}.parquet"
        pd.concat(map(pd.read_parquet, sorted(lake.folders[declared.name].glob("*.parquet")))).to_parquet(
            path, coerce_timestamps="us"
        )
        keys = [entity for entity in entities if entity.name in declared.entities]
        key_types = {"origin": feast.types.String, "line": feast.types.Int64}
        fields = {key.name: key_types[key.name] for key in keys}
        fields |= {name: types[kind] for name, kind in declared.features.items()}
        source = feast.FileSource(
            path=str(path), timestamp_field="event_timestamp", created_timestamp_column="known_at"
        )
        store.apply(
            [
                *entities,
                feast.FeatureView(
                    name=declared.name,
                    entities=keys,
                    ttl=timedelta(hours=declared.ttl_hours),
                    schema=[feast.Field(name=name, dtype=kind) for name, kind in fields.items()],
                    source=source,
                ),
            ]
        )
    features = [f"{v.name}:{feature}" for v in lake.problem.feature_views for feature in v.features]
    asked = rows[["origin", "line", "event_timestamp", "ticket"]].assign(line=rows["line"].astype("int64"))
    return store.get_historical_features(asked, features, filter_by_created_timestamp=True).to_df()


def test_a_new_resource_on_the_same_folder_gives_the_same(lake: FeatureLake) -> None:
    lake.land("station", [("EWR", after(1), after(1), 10.0, 1, "clear")])
    rows = asking(("EWR", 1, after(2)), (None, None, after(2)))
    again = FeatureStore(root=lake.store.root).training_rows(lake.problem, rows)
    pd.testing.assert_frame_equal(again, lake.store.training_rows(lake.problem, rows))
