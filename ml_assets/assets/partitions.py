"""Cadence -> Dagster partitions, and how the grids of windows and of training cutoffs depend on each other."""

from datetime import date, datetime

import dagster as dg

from ml_assets.ml.windows import DAY_FORMAT, HOUR_FORMAT
from ml_assets.spec import Cadence, FeatureSet

_AT_MOST = 60
"""Windows that the graph draws a training set's dependence on; what is read is the business of `ml/splits.py`."""


def windows(features: FeatureSet) -> dg.TimeWindowPartitionsDefinition:
    """One partition per window, named after the local time at which it starts."""
    return _grid(features.cadence, extra=0)


def cutoffs(features: FeatureSet) -> dg.TimeWindowPartitionsDefinition:
    """One partition per training cutoff: every window's start, and the end of the last window."""
    return _grid(features.cadence, extra=1)


def _grid(cadence: Cadence, *, extra: int) -> dg.TimeWindowPartitionsDefinition:
    form = HOUR_FORMAT if cadence.kind == "hourly" else DAY_FORMAT
    start = cadence.start
    day, hour = start.day, start.hour if isinstance(start, datetime) else 0
    cron = {
        "hourly": "0 * * * *",
        "daily": "0 0 * * *",
        "weekly": f"0 0 * * {start.isoweekday() % 7}",
        "monthly": f"0 0 {day} * *",
    }[cadence.kind]
    del hour
    return dg.TimeWindowPartitionsDefinition(
        start=start.strftime(form),
        end=_end(cadence, extra).strftime(form) if cadence.end else None,
        end_offset=0 if cadence.end else extra,
        cron_schedule=cron,
        timezone=cadence.timezone,
        fmt=form,
    )


def _end(cadence: Cadence, extra: int) -> date | datetime:
    raise NotImplementedError


def all_before() -> dg.TimeWindowPartitionMapping:
    """A training set reads the windows before its cutoff."""
    return dg.TimeWindowPartitionMapping(
        start_offset=-_AT_MOST, end_offset=-1, allow_nonexistent_upstream_partitions=True
    )


def up_to_now() -> dg.TimeWindowPartitionMapping:
    """A window is scored by a version whose cutoff is at most its start."""
    return dg.TimeWindowPartitionMapping(
        start_offset=-_AT_MOST, end_offset=0, allow_nonexistent_upstream_partitions=True
    )


# A feature window also reads source windows of its look-back. That is not a mapping here: Dagster's backfill of
# some source windows would then drag in the feature windows after them, whose own deliveries may not exist yet.
