"""The point-in-time join, case by case; against its definition in `test_point_in_time_oracle`."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from ml_assets.errors import OfflineReadError
from ml_assets.ml.features.query import connect
from ml_assets.resources import duckdb_offline_store
from ml_assets.resources.feature_store import FeatureStore
from ml_assets.resources.point_in_time import MOMENT, answers_as_of
from ml_assets.resources.stored_values import StoredValues, files_between
from ml_assets_tests.resources.feature_lake import FeatureLake, after, asking, problem, view


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> FeatureLake:
    lake = FeatureLake(tmp_path_factory.mktemp("lake"))
    lake.apply()
    return lake


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


def test_large_views_joined_one_after_the_other_give_the_same(
    lake: FeatureLake, monkeypatch: pytest.MonkeyPatch
) -> None:
    lake.land("station", [("EWR", after(d), after(d), float(d), d, "x") for d in range(9)])
    lake.land("route", [("EWR", 1, after(d), after(d), -float(d)) for d in range(9)])
    rows = asking(*(("EWR", 1, after(d + 0.5)) for d in range(12)))
    at_once = lake.store.training_rows(lake.problem, rows)
    monkeypatch.setattr(duckdb_offline_store, "_SMALL_BYTES", 0)
    pd.testing.assert_frame_equal(lake.store.training_rows(lake.problem, rows), at_once)
    assert at_once["delay"].tolist()[:9] == [-float(d) for d in range(9)]


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
    lake.land("station", [("EWR", after(16), after(16), 10.0, 1, "clear")])
    folder = lake.folders["station"]
    for window in ("2013-01-07", "2013-01-28"):
        (folder / f"{window}.parquet").write_bytes(b"no parquet")
    assert lake.store.training_rows(lake.problem, asking(("EWR", 1, after(18.5))))["wind"].tolist() == [10.0]
    with pytest.raises(OfflineReadError, match="Feature view 'station' cannot be read"):
        lake.store.training_rows(lake.problem, asking(("EWR", 1, after(21))))
    for window in ("2013-01-07", "2013-01-28"):
        (folder / f"{window}.parquet").unlink()


def test_a_window_of_another_time_zone_begins_on_the_day_before_in_utc() -> None:
    files = [Path("2013-01-07.parquet"), Path("2013-01-14.parquet")]
    in_rome = datetime(2013, 1, 13, 23, 30, tzinfo=UTC)  # Monday 14 January, half past midnight there
    assert files_between(files, None, in_rome) == files
    in_new_york = datetime(2013, 1, 14, 3, 30, tzinfo=UTC)  # still Sunday there
    assert files_between(files, in_new_york, None) == files
    assert files_between(files, None, datetime(2013, 1, 12, 23, tzinfo=UTC)) == files[:1]
    assert files_between(files, datetime(2013, 1, 15, tzinfo=UTC), None) == files[1:]


def test_of_hourly_windows_only_those_within_a_day_are_opened() -> None:
    names = [f"2013-11-{day:02d}-{hour:02d}:00" for day in (1, 2, 3, 4) for hour in range(24)]
    names.insert(names.index("2013-11-03-01:00") + 1, "2013-11-03-01:00-0500")  # the clocks repeat it
    files = files_between([Path(f"{name}.parquet") for name in names], None, datetime(2013, 11, 1, 2, tzinfo=UTC))
    assert [path.stem for path in files] == [name for name in names if name <= "2013-11-02-02:00"]
    moment = datetime(2013, 11, 4, 6, tzinfo=UTC)
    files = files_between([Path(f"{name}.parquet") for name in names], moment, moment)
    assert {path.stem for path in files} == {name for name in names if name >= "2013-11-03-06:00"}


def test_a_single_file_named_after_a_day_may_hold_earlier_events() -> None:
    assert files_between([Path("2013-01-14.parquet")], None, after(-30)) == [Path("2013-01-14.parquet")]


def test_files_not_named_after_days_are_all_read() -> None:
    files = [Path("b.parquet"), Path("a.parquet")]
    assert files_between(files, after(3), after(4)) == [Path("a.parquet"), Path("b.parquet")]


def test_a_file_replaced_while_it_is_read_is_noticed(lake: FeatureLake, tmp_path: Path) -> None:
    lake.land("station", [("EWR", after(1), after(1), 10.0, 1, "clear")])
    files = sorted(lake.folders["station"].glob("*.parquet"))
    stored = StoredValues(files, ("origin",), "event_timestamp", "known_at", {"wind": ("wind", "DOUBLE")})
    con = connect()
    moments = pa.chunked_array([pa.array([after(2)], MOMENT)])
    answers = answers_as_of(con, [pa.chunked_array([["EWR"]])], moments, stored, ttl=None)
    assert answers.values(con).to_pydict() == {"wind": [10.0]}
    lake.land("station", [("JFK", after(1), after(1), 11.0, 1, "clear")])
    with pytest.raises(OSError, match="files changed while they were read"):
        answers.values(con)
    con.close()


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


def test_a_new_resource_on_the_same_folder_gives_the_same(lake: FeatureLake) -> None:
    lake.land("station", [("EWR", after(1), after(1), 10.0, 1, "clear")])
    rows = asking(("EWR", 1, after(2)), (None, None, after(2)))
    again = FeatureStore(root=lake.store.root).training_rows(lake.problem, rows)
    pd.testing.assert_frame_equal(again, lake.store.training_rows(lake.problem, rows))
