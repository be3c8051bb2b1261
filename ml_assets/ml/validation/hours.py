"""The hour of the day at which something happened, as clocks on the wall of a place showed it."""

import pandas as pd


def hour_of_day(times: pd.Series, timezone: str) -> pd.Series:
    """(n,) float64, 0 <= hour < 24, with its fraction; NaN where there is no time.

    Args:
        times: (n,) datetimes; without a zone they are UTC, as everywhere on the platform.
        timezone: IANA name of the place, e.g. "Europe/London".
    """
    aware = times.dt.tz_localize("UTC") if times.dt.tz is None else times
    wall = aware.dt.tz_convert(timezone).dt.tz_localize(None)
    return (wall - wall.dt.floor("D")) / pd.Timedelta(hours=1)
