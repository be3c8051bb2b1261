"""Three weeks of days whose concept turns round on the ninth: what a replay has to see. It needs a lake and no more."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from ml_assets.ml.windows import Window, all_windows
from ml_assets.replay.landed import Landed
from ml_assets.replay.replay import replay
from ml_assets.replay.report import Report
from ml_assets.resources.feature_store import FeatureStore
from ml_assets.resources.lake import Lake
from ml_assets.spec import Problem

FIRST, TURN, LAST = "2024-01-06", "2024-01-09", "2024-01-20"
DAYS = 20
ROWS = 150
COLUMNS = {"id": "int64", "seen_at": "timestamp", "x": "float64", "z": "float64", "y": "float64"}
DECLARED: dict[str, Any] = {
    "name": "planted",
    "cadence": {"kind": "daily", "start": "2024-01-01", "end": "2024-01-21"},
    "sources": [{"name": "visits", "columns": COLUMNS, "event_time": "seen_at", "row_known_at": "seen_at"}],
    "rows": {"key": ["id"], "sources": ["visits"], "features": {"x": "float", "z": "float"}},
    "label": {"name": "y", "sources": ["visits"]},
    "split": {"test_windows": 1, "validation_windows": 1, "train_windows": 2},
    "search": {"space": {}, "fixed": {"eta": 0.3, "max_depth": 3}, "max_rounds": 20, "early_stopping_rounds": None},
    "quality": {"max_ratio": 1.5, "min_rows": 50},
    "drift": {"min_rows": 50},
    # By the fourth day after the turn a training knows nothing of the time before it.
    "retraining": {"checks": ["model_quality"], "bad_windows": 4, "quality_windows": 4, "cooldown_windows": 2},
}


def declared(**changes: object) -> Problem:
    """y is x until the turn, and -x from then on."""
    return Problem.model_validate(DECLARED | changes)


def land(home: Path, problem: Problem, *, late_hours: int = 1) -> Lake:
    """Rows and labels of all days; labels of days after the turn become known so late."""
    lake = Lake(root=str(home / "lake"), landing=str(home / "landing"))
    for number, window in enumerate(all_windows(problem.cadence)):
        rows, labels = day(problem, window, number, late_hours)
        lake.write(lake.stage(problem, "rows", window.key), rows)
        lake.write(lake.stage(problem, "labels", window.key), labels)
    return lake


def day(problem: Problem, window: Window, number: int, late_hours: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Rows of a day, and their labels."""
    x, z, noise = np.random.default_rng(number).normal(size=(3, ROWS))
    at = (pd.Timestamp(window.start) + pd.to_timedelta(np.arange(ROWS) * 500, unit="s")).as_unit("us")
    turned = window.key >= TURN
    y = (-x if turned else x) + 0.2 * noise
    y = (y > 0).astype(float) if problem.task == "binary" else y
    ids = number * ROWS + np.arange(ROWS)
    known_at = at + pd.Timedelta(hours=late_hours if turned else 1)
    rows = pd.DataFrame({"id": ids, "event_timestamp": at, "x": x, "z": z})
    return rows, pd.DataFrame({"id": ids, "y": y, "known_at": known_at})


def read(home: Path, problem: Problem) -> Landed:
    """The history, as the command reads it."""
    lake = Lake(root=str(home / "lake"), landing=str(home / "landing"))
    return Landed.read(problem, lake, FeatureStore(root=str(home / "feast")))


def replayed(home: Path, problem: Problem, *policies: str, **options: Any) -> Report:
    """The report on some policies."""
    given = {"scratch": home / "scratch" / "replay", "cutoff": FIRST} | options
    return replay(read(home, problem), policies=policies, **given)
