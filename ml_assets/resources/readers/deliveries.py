"""Delivered files: one parquet per window, put into the landing folder by somebody else."""

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from ml_assets import errors
from ml_assets.ml.windows import Window
from ml_assets.spec import Source


def read_delivery(source: Source, window: Window, path: Path) -> pa.Table:
    """All columns and rows of a delivered file.

    Raises:
        MissingDeliveryError, UnreadableDeliveryError.
    """
    if not path.exists():
        raise errors.MissingDeliveryError(source.name, window.key, path)
    try:
        return pq.read_table(path)
    except (pa.ArrowInvalid, OSError) as error:
        raise errors.UnreadableDeliveryError(source.name, window.key, str(error).splitlines()[0]) from error
