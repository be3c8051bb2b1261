"""The benchmark of point-in-time joins runs, and compares what it times."""

from pathlib import Path

import pytest

from benchmarks import point_in_time
from benchmarks.point_in_time import OURS, PLAIN, DisagreementError, Task, main, run

pytestmark = pytest.mark.slow


def test_all_contestants_join_and_agree_where_they_are_asked_the_same(tmp_path: Path) -> None:
    pytest.importorskip("polars")
    pytest.importorskip("ibis")
    report = main(["--quick", "--scratch", str(tmp_path), "--out", str(tmp_path / "out" / "r.md")])
    assert (tmp_path / "out" / "r.md").read_text() == report
    lines = [line for line in report.splitlines() if line.startswith("| 2,000 |")]
    assert len(lines) == 5
    assert any("duckdb store" in line and "100.00%" in line for line in lines)
    assert not any("ASOF join" in line and "100.00%" in line for line in lines)
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_a_plain_asof_join_gives_other_answers_when_values_are_known_late(tmp_path: Path) -> None:
    late, prompt = (run(Task(2_000, late, [OURS, PLAIN], 1), tmp_path)[1]["as ours"] for late in (True, False))
    assert prompt == "100.00%"
    assert float(late.removesuffix("%")) < 99


def test_contestants_that_disagree_end_the_benchmark(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(point_in_time, "_agreement", lambda folder, name: None if name == OURS else 0.99999)
    with pytest.raises(DisagreementError, match="ASOF"):
        run(Task(500, False, [OURS, PLAIN], 1), tmp_path)
    assert not list(tmp_path.iterdir())
