"""Cadence -> Dagster partitions, and how the grids of windows and of training cutoffs depend on each other."""

from datetime import timedelta

import dagster as dg

from ml_assets.spec import Problem

FORMAT = "%Y-%m-%d"


def windows(problem: Problem) -> dg.WeeklyPartitionsDefinition:
    """One partition per window, named after its first day."""
    cadence = problem.cadence
    return dg.WeeklyPartitionsDefinition(
        start_date=cadence.start.isoformat(),
        end_date=cadence.end.isoformat() if cadence.end else None,
        day_offset=1,  # Monday
        timezone="UTC",
        fmt=FORMAT,
    )


def cutoffs(problem: Problem) -> dg.WeeklyPartitionsDefinition:
    """One partition per training cutoff: every window's first day, and the day after the last window."""
    cadence = problem.cadence
    return dg.WeeklyPartitionsDefinition(
        start_date=cadence.start.isoformat(),
        end_date=(cadence.end + timedelta(days=7)).isoformat() if cadence.end else None,
        end_offset=0 if cadence.end else 1,
        day_offset=1,
        timezone="UTC",
        fmt=FORMAT,
    )


def all_before() -> dg.TimeWindowPartitionMapping:
    """A training set reads the windows before its cutoff (the graph shows a year of them)."""
    return dg.TimeWindowPartitionMapping(start_offset=-52, end_offset=-1, allow_nonexistent_upstream_partitions=True)


def up_to_now() -> dg.TimeWindowPartitionMapping:
    """A window is scored by a version whose cutoff is at most its start."""
    return dg.TimeWindowPartitionMapping(start_offset=-52, end_offset=0, allow_nonexistent_upstream_partitions=True)


# A feature window also reads source windows of its look-back. That is not a mapping here: Dagster's backfill of
# some source windows would then drag in the feature windows after them, whose own deliveries may not exist yet.
