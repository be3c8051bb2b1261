"""Fitted scikit-learn objects as bytes without pickle: skops' format, made the same in every process.

skops names arrays and objects by their addresses in memory, and writes the time. Here arrays are named by their
content, addresses are left out (an object that stands in two places is then read as two), and the time is always the
same.
"""

import hashlib
import io
import json
import warnings
import zipfile
from collections.abc import Sequence
from typing import Any

_SCHEMA = "schema.json"
_UNREADABLE = (zipfile.BadZipFile, KeyError, TypeError)
_TIME = (1980, 1, 1, 0, 0, 0)
"""The first that a zip file can hold."""


def skops_bytes(fitted: Any) -> bytes:
    """A fitted object as a zip file of arrays and JSON: the same object, the same bytes."""
    import skops.io

    with zipfile.ZipFile(io.BytesIO(skops.io.dumps(fitted))) as written:
        contents = {name: written.read(name) for name in written.namelist()}
    names = {name: f"{hashlib.sha256(content).hexdigest()[:20]}.npy" for name, content in contents.items()}
    schema = json.dumps(_canonical(json.loads(contents.pop(_SCHEMA)), names))
    files = {names[name]: content for name, content in contents.items()} | {_SCHEMA: schema.encode()}
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name in sorted(files):
            archive.writestr(zipfile.ZipInfo(name, _TIME), files[name], zipfile.ZIP_DEFLATED, compresslevel=6)
    return buffer.getvalue()


def from_skops_bytes(content: bytes, trusted: Sequence[str]) -> Any:
    """The object that `skops_bytes` wrote.

    Args:
        content: The bytes.
        trusted: Full names of the types that it may hold beside numpy's and scikit-learn's own estimators.

    Raises:
        ValueError: It is none of these bytes, holds another type, or was written by another scikit-learn.
    """
    import skops.io
    from sklearn.exceptions import InconsistentVersionWarning
    from skops.io.exceptions import UntrustedTypesFoundException

    with warnings.catch_warnings():
        warnings.simplefilter("error", InconsistentVersionWarning)
        try:
            return skops.io.loads(content, trusted=list(trusted))
        except (
            zipfile.BadZipFile,
            KeyError,
            TypeError,
            UntrustedTypesFoundException,
            InconsistentVersionWarning,
        ) as error:
            raise ValueError(" ".join(str(error).split())) from error


def _canonical(node: Any, names: dict[str, str]) -> Any:
    """The schema without addresses, and with arrays named by their content."""
    if isinstance(node, list):
        return [_canonical(value, names) for value in node]
    if not isinstance(node, dict):
        return node
    plain = {name: _canonical(value, names) for name, value in node.items() if name != "__id__"}
    return plain | {"file": names[node["file"]]} if node.get("file") in names else plain
