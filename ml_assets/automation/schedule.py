"""The schedule that runs a window once it is over and its deliveries have had time to arrive."""

from datetime import UTC, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import dagster as dg

from ml_assets.ml.windows import window_at, windows_over
from ml_assets.spec import Cadence

if TYPE_CHECKING:
    from dagster._core.definitions.unresolved_asset_job_definition import UnresolvedAssetJobDefinition as AssetJob

_LAST_CRON_DAY = 28


def build_window_schedule(cadence: Cadence, job: "AssetJob") -> dg.ScheduleDefinition:
    """One run per window, `landing_delay_hours` after its end."""

    @dg.schedule(
        name=f"{job.name}_{cadence.kind}",
        job=job,
        cron_schedule=cron(cadence),
        execution_timezone=cadence.timezone,
        description=f"Each {cadence.kind} window, {cadence.landing_delay_hours} hours after its end.",
    )
    def window_schedule(context: dg.ScheduleEvaluationContext) -> dg.RunRequest | dg.SkipReason:
        key = due(cadence, context)
        if key is None:
            return dg.SkipReason("No window is due.")
        return dg.RunRequest(run_key=key, partition_key=key)

    return window_schedule


def cron(cadence: Cadence) -> str:
    """When to look for a window that is due, in the cadence's time zone."""
    days, hour = divmod(cadence.landing_delay_hours, 24)
    if cadence.kind == "hourly":
        return "0 * * * *"
    if cadence.kind == "weekly":
        return f"0 {hour} * * {(cadence.start.isoweekday() + days) % 7}"
    if cadence.kind == "monthly" and cadence.start.day + days <= _LAST_CRON_DAY:
        return f"0 {hour} {cadence.start.day + days} * *"
    return f"0 {hour} * * *"  # daily; a monthly window due at a month's end asks each day and is requested once


def due(cadence: Cadence, context: dg.ScheduleEvaluationContext) -> str | None:
    """Key of the newest window that ended at least the delay ago; None outside the cadence."""
    zone = ZoneInfo(cadence.timezone)
    # By the clock on the wall, as cron goes: a day with a clock change must not push a window to the next tick.
    local = context.scheduled_execution_time.astimezone(zone).replace(tzinfo=None)
    moment = (local - timedelta(hours=cadence.landing_delay_hours)).replace(tzinfo=zone).astimezone(UTC)
    window = window_at(cadence, moment).shift(-1)
    inside = windows_over(cadence, window.start, window.end)  # none before the cadence's start or after its end
    return window.key if inside else None
