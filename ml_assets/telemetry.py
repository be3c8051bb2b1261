"""Telemetry of every package, off unless the user's environment says otherwise."""

import os

_OFF = {
    "DAGSTER_DISABLE_TELEMETRY": "yes",
    "DO_NOT_TRACK": "1",
    "FEAST_USAGE": "False",
    "GX_ANALYTICS_ENABLED": "false",
    "MLFLOW_DISABLE_TELEMETRY": "true",
}


def disable_telemetry() -> None:
    """Switch off telemetry in this process and its children; what the user set stays."""
    for name, value in _OFF.items():
        os.environ.setdefault(name, value)
