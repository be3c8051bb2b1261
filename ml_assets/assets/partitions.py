"""Cadence -> Dagster partitions, and how the grids of windows and of training cutoffs depend on each other."""

import dagster as dg

from ml_assets.ml.windows import DAY_FORMAT, HOUR_FORMAT, all_windows, first_window
from ml_assets.spec import Cadence, FeatureSet

_DRAWN = 60
"""Windows before a cutoff that the graph draws; what is read is the business of `ml/training/splits.py`."""


def windows(features: FeatureSet) -> dg.TimeWindowPartitionsDefinition:
    """One partition per window, named after the local time at which it starts."""
    return _grid(features.cadence, extra=0)


def cutoffs(features: FeatureSet) -> dg.TimeWindowPartitionsDefinition:
    """One partition per training cutoff: every window's start, and the end of the last window."""
    return _grid(features.cadence, extra=1)


def _grid(cadence: Cadence, *, extra: int) -> dg.TimeWindowPartitionsDefinition:
    start = cadence.start
    return dg.TimeWindowPartitionsDefinition(
        start=first_window(cadence).key,
        end=all_windows(cadence)[-1].shift(1 + extra).key if cadence.end else None,
        end_offset=0 if cadence.end else extra,
        cron_schedule={
            "hourly": "0 * * * *",
            "daily": "0 0 * * *",
            "weekly": f"0 0 * * {start.isoweekday() % 7}",
            "monthly": f"0 0 {start.day} * *",
        }[cadence.kind],
        timezone=cadence.timezone,
        fmt=HOUR_FORMAT if cadence.kind == "hourly" else DAY_FORMAT,
    )


def all_before() -> dg.TimeWindowPartitionMapping:
    """A training set reads the windows before its cutoff."""
    return dg.TimeWindowPartitionMapping(
        start_offset=-_DRAWN, end_offset=-1, allow_nonexistent_upstream_partitions=True
    )


def up_to_now() -> dg.TimeWindowPartitionMapping:
    """A window is scored by a version whose cutoff is at most its start."""
    return dg.TimeWindowPartitionMapping(start_offset=-_DRAWN, end_offset=0, allow_nonexistent_upstream_partitions=True)


# A feature window also reads source windows of its look-back, and a late label those after it. Neither is a mapping
# here: Dagster's backfill of some source windows would then drag in windows whose own deliveries may not exist yet.
