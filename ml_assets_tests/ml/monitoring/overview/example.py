"""A problem with half a year of windows, four versions, a failed training and an incident, made up."""

from datetime import UTC, datetime

import numpy as np

from ml_assets.ml.monitoring.alerting import Training
from ml_assets.ml.monitoring.overview.data import Cell, Mark, Notice, Overview, WindowFacts
from ml_assets.ml.promotion.decisions import LedgerRow
from ml_assets.ml.windows import window_of
from ml_assets.spec import Problem
from ml_assets_tests.flights import flights

FIRST = "2013-04-01"
CHECKS = ("data_drift", "prediction_drift", "target_drift", "model_quality")
DAGSTER, MLFLOW = "http://127.0.0.1:3070", "http://127.0.0.1:3071"


def key(place: int) -> str:
    """Key of a window, from the first on."""
    return window_of(flights().cadence, FIRST).shift(place).key


def decision(number: int, place: int, action: str = "promoted", **more: object) -> LedgerRow:
    """The gate's decision on a version trained for a window."""
    numbers = {"test_rmse": 38.0 + number}
    about = {"by": f"run-{number}", "reason": f"reason {number}", "cause": f"cause {number}", "sequence": number}
    about |= {"model_location": "file:///m", "model_sha256": "abc", "at": f"2026-11-2{number}T09:30:00+00:00"}
    return LedgerRow(**{"action": action, "version": number, "cutoff": key(place), "numbers": numbers} | about | more)  # type: ignore[arg-type]


def window(place: int, *failed: str, error: float | None = 38.5, **more: object) -> WindowFacts:
    """A judged window in which these checks failed."""
    drawn = np.random.default_rng(place)
    cells = {name: Cell(float(drawn.uniform(0, 2)), bool(drawn.uniform() < 0.2)) for name in flights().features}
    about = {
        "key": key(place),
        "version": 1,
        "error": error,
        "held_out": 39.0,
        "limit": 48.75,
        "rows": 6000,
        "cells": cells,
    }
    about |= {"marks": tuple(Mark(check, check not in failed, f"words on {check}") for check in CHECKS)}
    about |= {"report": f"drift/{key(place)}.html", "run": f"run-of-{place}"}
    return WindowFacts(**about | more)  # type: ignore[arg-type]


def overview(problem: Problem | None = None, *, weeks: int = 26, **changes: object) -> Overview:
    """The example."""
    judged = [window(n, *(["model_quality"] if n in (5, 8, 9) else []), error=36.0 + n % 7) for n in range(weeks)]
    about = {
        "problem": problem or flights(),
        "columns": tuple(key(n) for n in range(weeks + 1)),
        "windows": {each.key: each for each in judged},
        "decisions": (decision(1, 0), decision(2, 6, "rejected"), decision(3, 10)),
        "intervals": {1: (36.5, 41.0), 3: (38.0, 43.5)},
        "trainings": (
            Training(key(6), "run-a", "succeeded", "2 bad windows", datetime(2026, 11, 21, tzinfo=UTC), (key(5),)),
            Training(key(10), "run-b", "succeeded", "2 bad windows", datetime(2026, 11, 22, tzinfo=UTC), (key(8), key(9))),
        ),
        "notices": (Notice(key(8), "checks_failed", "model_quality failed", "2026-11-22T09:00:00+00:00", "2 sent"),),
        "importance": {name: 1 / (place + 2) for place, name in enumerate(sorted(flights().features))},
        "dagster_url": DAGSTER,
        "mlflow_url": MLFLOW,
        "as_of": "2026-11-24T09:30:00+00:00",
    }  # fmt: skip
    return Overview(**about | changes)  # type: ignore[arg-type]
