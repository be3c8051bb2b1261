"""The benchmark of external memory runs; its figures are not judged here."""

import pytest

from benchmarks import external_memory


@pytest.mark.slow
def test_the_quick_run_ends_with_a_table(capsys: pytest.CaptureFixture[str]) -> None:
    lines = external_memory.main(["--quick", "--rounds", "3"])
    assert [line["training"] for line in lines] == ["external", "in memory", "external"]
    assert lines[0]["validation RMSE"] == pytest.approx(lines[1]["validation RMSE"], rel=0.01)
    assert lines[0]["mean difference / std"] < 0.01
    assert "GB at most; the limit is 6 GB" in capsys.readouterr().out
