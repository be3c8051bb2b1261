"""A small problem with a view in SQL and a plain one, run from its deliveries to predictions in seconds."""

from pathlib import Path

import dagster as dg
import numpy as np
import pandas as pd

from ml_assets.assets import keys
from ml_assets.ml.windows import window_of
from ml_assets.spec import FeatureView, Problem
from ml_assets_tests.scenario import Scenario, failure

DAYS = tuple(f"2024-01-{day:02d}" for day in range(1, 7))
CUTOFF = "2024-01-07"
RECENT = """
SELECT id, seen_at AS event_timestamp, seen_at AS known_at, avg(x) OVER recently AS mean_x
FROM visits
WINDOW recently AS (PARTITION BY id ORDER BY seen_at RANGE BETWEEN INTERVAL 1 DAY PRECEDING AND CURRENT ROW)
"""


def declared() -> Problem:
    """Visits of 40 people, three a day each."""
    columns = {"id": "int64", "seen_at": "timestamp", "x": "float64", "z": "float64", "y": "float64"}
    return Problem.model_validate(
        {
            "name": "visits_model",
            "cadence": {"kind": "daily", "start": DAYS[0], "end": "2024-01-09"},
            "sources": [{"name": "visits", "columns": columns, "event_time": "seen_at", "row_known_at": "seen_at"}],
            "feature_views": [
                {
                    "name": "recent",
                    "entities": ["id"],
                    "sources": ["visits"],
                    "sql": RECENT,
                    "lookback_days": 1,
                    "ttl_hours": 48,
                    "features": {"mean_x": "float"},
                },
                {"name": "level", "entities": ["id"], "sources": ["visits"], "features": {"z": "float"}},
            ],
            "rows": {"key": ["id", "seen_at"], "sources": ["visits"]},
            "label": {"name": "y", "sources": ["visits"]},
            "split": {"test_windows": 1, "validation_windows": 1},
            "search": {"max_trials": 1, "max_rounds": 5, "early_stopping_rounds": None, "threads": 1},
            "parity": {"entities": 5},
        }
    )


def edited(problem: Problem, **changes: object) -> Problem:
    """The problem with another view `recent`."""
    view: FeatureView = problem.view("recent").model_copy(update=changes)
    return problem.model_copy(update={"feature_views": (view, problem.view("level"))})


def deliver(scenario: Scenario, *days: str) -> None:
    """What happened on these days."""
    for day in days:
        generator = np.random.default_rng(int(day[-2:]))
        start = pd.Timestamp(window_of(scenario.problem.cadence, day).start)
        x, z = generator.normal(size=120), generator.normal(size=120)
        at = (start + pd.to_timedelta(np.arange(120) * 600, unit="s")).as_unit("us")
        frame = pd.DataFrame({"id": np.tile(np.arange(40), 3), "seen_at": at, "x": x, "z": z, "y": x + z})
        window = window_of(scenario.problem.cadence, day)
        scenario.lake.write(scenario.lake.delivery(scenario.problem, "visits", window), frame)


def landed(problem: Problem) -> list[dg.AssetKey]:
    """What lands in a window."""
    views = [keys.features(problem, view.name) for view in problem.feature_views]
    return [keys.source(problem, "visits"), *views, *(keys.stage(problem, name) for name in ("rows", "labels"))]


def require(result: dg.ExecuteInProcessResult) -> dg.ExecuteInProcessResult:
    """A run that must have succeeded."""
    assert result.success, failure(result)
    return result


def whole(home: Path, instance: dg.DagsterInstance) -> Scenario:
    """Six days landed in one run of a range, one version trained, the next day landed and scored by itself."""
    scenario = Scenario(declared(), home, instance)
    problem = scenario.problem
    deliver(scenario, *DAYS, CUTOFF)
    require(scenario.run(keys.feature_store_job(problem)))
    require(scenario.run_range(keys.landing_job(problem), DAYS[0], DAYS[-1], landed(problem)))
    require(scenario.run(keys.training_job(problem), CUTOFF))
    require(scenario.run(keys.landing_job(problem), CUTOFF, asset_selection=landed(problem)))
    require(scenario.run(keys.scoring_job(problem), CUTOFF, asset_selection=[keys.stage(problem, "predictions")]))
    return scenario
