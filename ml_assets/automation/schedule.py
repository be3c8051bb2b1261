"""The schedule that runs a window once it is over and its deliveries and labels have had time to arrive."""

from typing import TYPE_CHECKING

import dagster as dg

from ml_assets.assets import keys
from ml_assets.spec import Problem

if TYPE_CHECKING:
    from dagster._core.definitions.partitions.partitioned_schedule import (
        UnresolvedPartitionedAssetScheduleDefinition as PartitionedSchedule,
    )
    from dagster._core.definitions.unresolved_asset_job_definition import (
        UnresolvedAssetJobDefinition as AssetJob,
    )


def build_window_schedule(problem: Problem, job: "AssetJob") -> "dg.ScheduleDefinition | PartitionedSchedule":
    """Weekly, `landing_delay_hours` after the window's end."""
    days, hour = divmod(problem.cadence.landing_delay_hours, 24)
    return dg.build_schedule_from_partitioned_job(
        job,
        name=f"{keys.window_job(problem)}_weekly",
        day_of_week=(1 + days) % 7,
        hour_of_day=hour,
        minute_of_hour=0,
    )
