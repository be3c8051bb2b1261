"""The code location: everything below `defs/`, and nothing else."""

import warnings
from pathlib import Path

import dagster as dg

from ml_assets.components.loading import load_defs
from ml_assets.telemetry import disable_telemetry


@dg.definitions
def defs() -> dg.Definitions:
    """All problems and resources."""
    disable_telemetry()
    # Partitioned checks are what tells the sensor which window failed; Dagster 1.13 calls them a preview.
    warnings.filterwarnings("ignore", category=dg.PreviewWarning)
    warnings.filterwarnings("ignore", category=dg.BetaWarning)
    return load_defs(Path(__file__).parent)
