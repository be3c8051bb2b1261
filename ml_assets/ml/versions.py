"""Versions of declared parts: what makes a table that was computed before another one than would be computed now.

Here belongs what counts as a change. Who compares versions (Dagster's stale marks, the registry) is elsewhere.
"""

import hashlib
import json
from pathlib import Path

from ml_assets.ml.functions import function_hash
from ml_assets.spec import Computation, Spec

_NOT_COMPUTED = {"description", "notes", "validation", "validation_file", "ttl_hours", "parity"}
"""Fields that say nothing of how rows are computed: a new rule or TTL leaves a view's rows as they are."""


def code_version(part: Spec, folder: Path | None = None) -> str:
    """Version of a declared part: it changes when, and only when, the declaration or a file of its code does.

    Args:
        part: A feature view, the rows, the label, a source, a search, or a whole problem.
        folder: Where the file of a declared function is looked up.

    Returns:
        12 hexadecimal digits.

    Raises:
        FunctionError: The declared function is not there.
    """
    declared = part.model_dump(mode="json", exclude=_NOT_COMPUTED if isinstance(part, Computation) else None)
    digest = hashlib.sha256(json.dumps(declared, sort_keys=True).encode())
    if isinstance(part, Computation) and part.function and folder is not None:
        digest.update(function_hash(part.function, folder).encode())
    return digest.hexdigest()[:12]
