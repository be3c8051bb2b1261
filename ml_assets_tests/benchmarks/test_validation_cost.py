"""The benchmark of validation runs, and GX's DuckDB engine still needs what we do to it."""

import sys
from pathlib import Path

import duckdb
import pytest

from benchmarks import validation_cost
from benchmarks.gx_sqlalchemy import judge_by_sql, patched
from ml_assets.spec import NotNull

RULE = NotNull(kind="not_null", column="a")


@pytest.fixture
def database(tmp_path: Path) -> Path:
    path = tmp_path / "rows.duckdb"
    with duckdb.connect(str(path)) as con:
        con.execute("CREATE TABLE rows AS FROM (VALUES (1), (NULL)) AS t(a)")
    return path


def test_the_duckdb_engine_of_great_expectations_works_with_the_patch_and_not_without(database: Path) -> None:
    assert judge_by_sql(database, "rows", [RULE])[0].status == "errored"
    with patched():
        assert judge_by_sql(database, "rows", [RULE])[0].unexpected_share == 0.5
    assert judge_by_sql(database, "rows", [RULE])[0].status == "errored"


def test_all_ways_judge_the_same_thirty_rules(tmp_path: Path) -> None:
    path = tmp_path / "flights.parquet"
    validation_cost.make(path, 5_000)
    assert len(validation_cost.rules()) == 30
    assert validation_cost.ours(str(path))() == validation_cost.gx_pandas(str(path))()
    assert len(validation_cost.by_hand(str(path))()) == 2


@pytest.mark.long
def test_the_quick_run_prints_a_table(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["validation_cost", "--quick"])
    validation_cost.main()
    printed = capsys.readouterr().out
    assert all(way in printed for way in ("by hand", "ours", "GX on DuckDB", "GX on pandas", "quantile_between"))
