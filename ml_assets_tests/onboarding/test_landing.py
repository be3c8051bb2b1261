"""What is written runs as it stands: every window of it lands, and its features, rows and labels are computed."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml
from sklearn.datasets import load_wine

from ml_assets.ml.features.compute import compute_labels, compute_rows, compute_view
from ml_assets.ml.features.query import Tables
from ml_assets.ml.landing.window import land
from ml_assets.ml.windows import Window, all_windows
from ml_assets.onboarding.command import new
from ml_assets.resources.readers import read_window
from ml_assets.spec import Problem, ProblemDeclaration
from ml_assets_tests.onboarding.tables import shops, to_csv, to_parquet, visits


def _declared(frame: pd.DataFrame, folder: Path, write: Callable = to_parquet, **flags: str) -> Problem:
    """The problem that the command writes for a table."""
    said = [text for flag, value in flags.items() for text in (f"--{flag.replace('_', '-')}", value)]
    new.main(
        ["problem", "--from", str(write(frame, folder)), "--into", str(folder), "--yes", "--copy", *said],
        standalone_mode=False,
    )
    file = folder / "problem" / "defs.yaml"
    attributes = yaml.safe_load(file.read_text(encoding="utf-8"))["attributes"]
    return ProblemDeclaration.model_validate(attributes).problem().in_folder(file.parent)


def _landed(problem: Problem, window: Window, folder: Path) -> Tables:
    [source] = problem.sources
    table = land(source, window, read_window(source, window, problem.folder, Path("nowhere")), {}).table
    path = folder / f"{window.key}.parquet"
    pq.write_table(table, path)
    return Tables((source,), {source.name: [path]}, problem.folder)


def _run(problem: Problem, folder: Path) -> dict[str, pa.Table]:
    """All windows of the landed source, the views, the rows and the labels."""
    parts: dict[str, list[pa.Table]] = {"rows": [], "labels": [], "view": []}
    for window in all_windows(problem.cadence):
        tables = _landed(problem, window, folder)
        for view in problem.feature_views:
            parts["view"].append(compute_view(view, tables, window, cut=0.5).table)
        parts["rows"].append(compute_rows(problem, tables, window, cut=0.5).table)
        parts["labels"].append(compute_labels(problem, tables, window, cut=0.5).table)
    return {name: pa.concat_tables(tables) for name, tables in parts.items() if tables}


def _dirty_shops() -> pd.DataFrame:
    """Exact duplicates, missing keys, infinities, numbers as text with words among them, an empty and a constant
    column, rows years off, and a month without rows."""
    frame = shops(500).astype({"shop_id": "Int64"})
    frame["visitors"] = frame["visitors"].astype(str).where(frame.index % 70 != 0, "many")
    frame.loc[frame.index % 31 == 0, "temperature_c"] = np.inf
    frame.loc[frame.index % 41 == 0, "shop_id"] = pd.NA
    frame.loc[frame.index[:3], "day"] = pd.Timestamp("1970-01-01")
    frame = frame[(frame["day"] < "2022-09-01") | (frame["day"] >= "2022-10-01")]
    frame = pd.concat([frame, frame.iloc[100:180]]).assign(constant=1, empty=None)
    return frame.sample(frac=1, random_state=1)


def test_a_clean_panel_lands_and_every_row_has_its_features(tmp_path: Path) -> None:
    frame = shops()
    found = _run(_declared(frame, tmp_path, label="sold"), tmp_path)
    assert [table.num_rows for table in found.values()] == [len(frame)] * 3
    values = found["view"].to_pandas().merge(found["rows"].to_pandas(), on=["shop_id", "event_timestamp"])
    assert len(values) == len(frame)
    assert values["visitors"].sum() == frame["visitors"].sum()


@pytest.mark.parametrize("write", [to_parquet, to_csv], ids=["parquet", "csv"])
def test_a_dirty_panel_lands_with_what_is_left(tmp_path: Path, write: Callable) -> None:
    frame = _dirty_shops()
    found = _run(_declared(frame, tmp_path, write, label="sold", entity="shop_id"), tmp_path)
    kept = frame.drop_duplicates().dropna(subset=["shop_id"])
    kept = kept[kept["day"] > "2000-01-01"]
    assert [table.num_rows for table in found.values()] == [len(kept)] * 3
    assert np.isfinite(found["view"]["temperature_c"].to_pandas().dropna()).all()


def test_numbered_lines_of_one_entity_at_one_time_all_keep_their_values(tmp_path: Path) -> None:
    frame = shops(300)
    twice = pd.concat([frame, frame.assign(sold=frame["sold"] + 1, visitors=frame["visitors"] + 5)])
    found = _run(_declared(twice, tmp_path, label="sold", entity="shop_id"), tmp_path)
    assert found["view"].num_rows == len(twice)
    assert sum(found["view"]["visitors"].to_pylist()) == twice["visitors"].sum()


@pytest.mark.parametrize("write", [to_parquet, to_csv], ids=["parquet", "csv"])
def test_a_label_in_words_becomes_one_and_zero_and_known_later(tmp_path: Path, write: Callable) -> None:
    frame = visits().assign(churned=lambda f: f["churned"].map({"yes": "gone", "no": "here"}))
    labels = _run(_declared(frame, tmp_path, write, positive="gone", known_after="30"), tmp_path)["labels"].to_pandas()
    assert labels["churned"].sum() == (frame["churned"] == "gone").sum()
    later = (frame["visited_at"] + pd.Timedelta(days=30)).dt.tz_localize("UTC")
    assert sorted(labels["known_at"]) == sorted(later)


def test_a_time_called_as_the_platforms_own_lands(tmp_path: Path) -> None:
    frame = shops().rename(columns={"day": "event_timestamp"})
    found = _run(_declared(frame, tmp_path, label="sold"), tmp_path)
    assert [table.num_rows for table in found.values()] == [len(frame)] * 3


@pytest.mark.parametrize("form", ["%d/%m/%Y %H:%M", "%m/%d/%Y"])
def test_times_in_another_format_and_zone_land(tmp_path: Path, form: str) -> None:
    frame = shops().assign(day=lambda f: f["day"].dt.strftime(form))
    found = _run(_declared(frame, tmp_path, to_csv, label="sold", timezone="America/New_York"), tmp_path)
    assert found["rows"].num_rows == len(frame)


def test_mixed_offsets_and_hours_that_the_clocks_change_land(tmp_path: Path) -> None:
    hours = pd.date_range("2024-02-26", periods=24 * 60, freq="h", tz="UTC")
    texts = [t.isoformat() if n % 2 else t.tz_convert("Europe/Berlin").isoformat() for n, t in enumerate(hours)]
    frame = pd.DataFrame({"at": texts, "x": np.arange(len(hours)) % 17, "target": np.arange(len(hours)) % 5 / 3})
    problem = _declared(frame, tmp_path, timezone="Europe/Berlin")
    found = _run(problem, tmp_path)
    assert found["rows"].num_rows == len(hours)
    assert found["rows"]["event_timestamp"].to_pandas().is_unique


def test_a_file_as_a_spreadsheet_saves_it_lands(tmp_path: Path) -> None:
    """With a byte order mark and semicolons."""
    frame = shops()

    def write(frame: pd.DataFrame, folder: Path) -> Path:
        return to_csv(frame, folder, sep=";", encoding="utf-8-sig")

    found = _run(_declared(frame, tmp_path, write, label="sold"), tmp_path)
    assert [table.num_rows for table in found.values()] == [len(frame)] * 3


def test_a_real_table_with_names_that_cannot_be_declared_lands(tmp_path: Path) -> None:
    frame = load_wine(as_frame=True).frame
    frame["measured_at"] = pd.Timestamp("2021-01-04") + pd.to_timedelta(np.arange(len(frame)), "D")
    found = _run(_declared(frame, tmp_path), tmp_path)
    assert found["labels"]["target"].value_counts().to_pylist() == [
        {"values": "0", "counts": 59},
        {"values": "1", "counts": 71},
        {"values": "2", "counts": 48},
    ]
    assert "od280_od315_of_diluted_wines" in found["rows"].column_names


def test_hours_land_on_the_day_that_has_one_twice(tmp_path: Path) -> None:
    times = pd.date_range("2024-10-26T20:00", "2024-10-27T06:00", freq="5min", tz="UTC", inclusive="left")
    frame = pd.DataFrame({"at": times, "x": np.arange(len(times)) % 17, "target": np.arange(len(times)) % 7 / 3})
    problem = _declared(frame, tmp_path, timezone="Europe/Berlin")
    assert (problem.cadence.kind, len(all_windows(problem.cadence))) == ("hourly", 10)
    assert _run(problem, tmp_path)["rows"].num_rows == len(times)
