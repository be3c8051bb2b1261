"""The benchmark of drift reports: the same verdicts as Evidently's, whichever way ours comes to them."""

import sys
from pathlib import Path

import pytest

from benchmarks import drift_speed


def test_every_way_gives_evidently_s_verdicts(tmp_path: Path) -> None:
    drift_speed.make(tmp_path, 6_000, 10)
    theirs = drift_speed.evidently(str(tmp_path))()()["drifted"]
    assert len(theirs) == 11
    assert set(theirs.values()) == {True, False}
    for side in ("reference", "current"):
        drift_speed.summarise(str(tmp_path / side))()()
    for way in ("both", "window", "month"):
        assert drift_speed.ours(str(tmp_path), way)()()["drifted"] == theirs


@pytest.mark.long
def test_the_quick_run_prints_a_table(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["drift_speed", "--quick"])
    drift_speed.main()
    assert "11 of 11" in capsys.readouterr().out
