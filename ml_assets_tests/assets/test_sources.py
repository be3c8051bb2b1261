"""The sources as assets: what was dropped or mended is metadata, per window; what is refused leaves the former file."""

from datetime import date, datetime
from pathlib import Path

import dagster as dg
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from ml_assets import errors
from ml_assets.assets import keys
from ml_assets.assets.sources import build_sources
from ml_assets.resources.lake import Lake
from ml_assets.spec import Cadence, FeatureSet, PostgreSql, Source

JANUARY, FEBRUARY = "2020-01-01", "2020-02-01"


def _features(folder: Path, cleaning: dict) -> FeatureSet:
    lines = Source.model_validate(
        {
            "name": "lines",
            "read": {"kind": "parquet", "path": "lines.parquet"},
            "columns": {"id": "int64", "sold_at": "timestamp"},
            "event_time": "sold_at",
            "cleaning": cleaning,
        }
    )
    cadence = Cadence(kind="monthly", start=date(2020, 1, 1), end=date(2020, 4, 1))
    return FeatureSet(name="shop", cadence=cadence, sources=(lines,)).in_folder(folder)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """January: 3 rows, one of them cancelled and one twice; February: 1; one row in 1999, one without a time."""
    times = [
        datetime(2020, 1, 5),
        datetime(2020, 1, 6),
        datetime(2020, 1, 6),
        datetime(2020, 2, 1),
        datetime(1999, 1, 1),
        None,
    ]
    table = pa.table({"id": [-1, 2, 2, 3, 4, 5], "sold_at": pa.array(times, pa.timestamp("us"))})
    pq.write_table(table, tmp_path / "lines.parquet")
    return tmp_path


def _run(features: FeatureSet, *, first: str, last: str | None = None) -> dg.ExecuteInProcessResult:
    lake = Lake(root=str(features.folder / "lake"), landing=str(features.folder / "landing"))
    job = dg.define_asset_job("land", [build_sources(features)])
    defs = dg.Definitions([build_sources(features)], jobs=[job], resources={"lake": lake})
    tags = {"dagster/asset_partition_range_start": first, "dagster/asset_partition_range_end": last or first}
    return defs.resolve_job_def("land").execute_in_process(
        partition_key=None if last else first, tags=tags if last else None, raise_on_error=False
    )


def _metadata(result: dg.ExecuteInProcessResult) -> dict[str, dict]:
    """Metadata of each window."""
    found = result.get_asset_materialization_events()
    events = [event.step_materialization_data.materialization for event in found]
    return {event.partition: {name: value.value for name, value in event.metadata.items()} for event in events}


CLEANING = {"exact_duplicates": 0.5, "drop": {"cancelled": {"where": "id < 0"}}}


@pytest.mark.parametrize("last", [None, FEBRUARY], ids=["one window", "a range"])
def test_what_was_dropped_is_metadata_of_each_window(folder: Path, last: str | None) -> None:
    features = _features(folder, CLEANING)
    result = _run(features, first=JANUARY, last=last)
    assert result.success
    metadata = _metadata(result)
    assert list(metadata) == ([JANUARY, FEBRUARY] if last else [JANUARY])
    numbers = {name: value for name, value in metadata[JANUARY].items() if isinstance(value, int)}
    assert numbers == {
        "dagster/row_count": 1,
        "delivered_rows": 3,
        "dropped_cancelled": 1,
        "dropped_exact_duplicates": 1,
        "rows_in_no_window": 2,
    }
    assert "| exact duplicates | dropped |  | 1 | 33.333% | id=2, sold_at=2020-01-06" in metadata[JANUARY]["findings"]
    if last:
        assert metadata[FEBRUARY]["dropped_cancelled"] == 0
        assert metadata[FEBRUARY]["findings"] == "Nothing was dropped or mended."


def test_a_refused_window_leaves_the_former_file(folder: Path) -> None:
    assert _run(_features(folder, CLEANING), first=JANUARY).success
    [landed] = (folder / "lake").rglob("*.parquet")
    before = landed.read_bytes()
    strict = _run(_features(folder, CLEANING | {"exact_duplicates": 0.1}), first=JANUARY)
    [event] = [event for event in strict.all_events if event.is_step_failure]
    error = event.step_failure_data.error
    assert (error.cause or error).cls_name == errors.ToleranceError.__name__
    assert [path.read_bytes() for path in (folder / "lake").rglob("*") if path.is_file()] == [before]


def test_the_catalogue_shows_where_a_source_is_read_and_no_address(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SHOP_URL", "postgresql://anna:hunter2@db/shop")
    features = _features(folder, {})
    read = PostgreSql(kind="postgresql", url_env="SHOP_URL", query="SELECT 1")
    [lines] = features.sources
    features = features.model_copy(update={"sources": (lines.model_copy(update={"read": read}),)})
    [spec] = build_sources(features).specs
    assert spec.key == keys.source(features, "lines")
    assert spec.metadata["read"] == "postgresql: address in SHOP_URL"
    assert "hunter2" not in repr(spec)


def test_another_function_is_another_code_version(folder: Path) -> None:
    def version(text: str) -> str | None:
        (folder / "f.py").write_text(text)
        [lines] = _features(folder, {}).sources
        read = {"kind": "python", "function": "f.py:load"}
        source = Source.model_validate(lines.model_dump() | {"read": read})
        features = FeatureSet(name="shop", cadence=_features(folder, {}).cadence, sources=(source,)).in_folder(folder)
        return next(iter(build_sources(features).specs)).code_version

    assert version("def load(window): ...") == version("def load(window): ...") != version("def load(window):  ...")
