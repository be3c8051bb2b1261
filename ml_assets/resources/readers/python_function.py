"""A function of the user's that loads a window."""

from pathlib import Path

import pyarrow as pa

from ml_assets.ml.features.functions import call_function
from ml_assets.ml.windows import Window
from ml_assets.resources.readers.integers import with_integers
from ml_assets.spec import Python, Source


def read_function(source: Source, read: Python, window: Window, folder: Path) -> pa.Table:
    """What the function returns for a window.

    Raises:
        FunctionError: It is not there, fails, or returns no table.
    """
    return with_integers(source, call_function(read.function, folder, window))
