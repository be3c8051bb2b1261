"""The benchmark of alarms: it runs on made-up rows, and large faults are found where nothing else is."""

import sys

import pytest

from benchmarks import drift_alarms
from benchmarks.drift_faults import FAULTS


@pytest.mark.slow
def test_the_quick_run_finds_large_faults_and_nothing_else(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "argv", ["drift_alarms", "--quick"])
    drift_alarms.main()
    lines = capsys.readouterr().out.splitlines()
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines if line.startswith("| made up")]
    assert {row[1]: row[3] for row in cells[:2]} == {"random splits": "0.0%", "following in time": "0.0%"}
    found = {(row[1], row[2]): row[4] for row in cells[2:]}
    assert {fault for fault, _ in found} == {fault.name for fault in FAULTS}
    for fault, size in (("shift of 3 features", "2"), ("missing values in 3 features", "0.5"), ("concept change", "1")):
        assert found[fault, size] == "100.0%"
