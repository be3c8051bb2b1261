"""The benchmark of searches: what it compares, and that it runs."""

import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from benchmarks import tuning, tuning_ways
from benchmarks.tuning_ways import least


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Made-up rows with the columns of flights."""
    rng, path = np.random.default_rng(0), tmp_path / "rows.parquet"
    columns = {
        name: rng.choice(["a", "b"], 1200) if kind == "string" else rng.integers(0, 9, 1200)
        for name, kind in tuning_ways.problem().features.items()
    }
    frame = pd.DataFrame(columns).assign(split=["train"] * 900 + ["validation"] * 300)
    first = next(name for name, kind in tuning_ways.problem().features.items() if kind != "string")
    frame["arr_delay"] = frame[first] ** 2 + rng.normal(size=1200)
    frame.to_parquet(path)
    return path


@pytest.mark.slow
def test_all_ways_search_as_often_as_they_are_asked_and_find_something(data: Path) -> None:
    for name in tuning.WAYS.values():
        if name in ("optuna_tpe", "optuna_logged", "plain"):
            continue  # Optuna may be absent, the recipe changes MLflow's global state: the long test runs both
        ended = getattr(tuning_ways, name)(str(data), trials=3, seconds=60, seed=1)()
        assert len(ended) == 3
        assert 0.5 < (least(ended) or 0) < 15
        assert min(each["s"] or 0 for each in ended) > 0


@pytest.mark.long
def test_the_quick_run_prints_a_table(
    data: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "argv", ["tuning", "--quick", "--data", str(data)])
    tuning.main()
    printed = capsys.readouterr().out
    assert "| way " in printed
    assert "| plain recipe |" in printed
    assert "| ours, 2 at once |" in printed
    assert "| Optuna TPE |" in printed or "Optuna was left out" in printed


def test_the_least_loss_is_that_of_the_first_trials_or_seconds() -> None:
    ended = [{"cpu_s": 1.0, "loss": 5.0}, {"cpu_s": 2.0, "loss": None}, {"cpu_s": 3.0, "loss": 4.0}]
    assert least(ended) == 4
    assert least(ended, trials=2) == 5
    assert least(ended, trials=4) is None
    assert least(ended, seconds=2.5) == 5
    assert least(ended, seconds=0.5) is None
