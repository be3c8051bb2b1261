"""What a model costs to keep and to run: its size, and the time that it takes to score. The gate's other limits."""

import statistics
import time

import numpy as np
import pandas as pd

from ml_assets.ml.training.model import Model

ROWS, REPEATS, WARM_UPS = 1000, 21, 3
"""Rows of one scoring; scorings whose median counts; scorings before, which pay for caches (conventions)."""


def model_bytes(model: Model) -> int:
    """Size of the model's files together, in bytes."""
    return sum(len(content) for content in model.to_files().values())


def latency_ms(model: Model, frame: pd.DataFrame) -> float:
    """Median time in ms to score 1,000 rows in memory, encoding included, on this machine as it is now.

    Args:
        model: Scores them.
        frame: (n, ...) rows with its features, n > 0; repeated where they are fewer.

    Raises:
        ValueError: There is no row.
    """
    if frame.empty:
        raise ValueError("there is no row to score")
    rows = frame.iloc[np.arange(ROWS) % len(frame)]
    times = []
    for _ in range(WARM_UPS + REPEATS):
        started = time.perf_counter()
        model.scores(rows)
        times.append(time.perf_counter() - started)
    return 1000 * statistics.median(times[WARM_UPS:])
