"""JSON of what is kept for later windows: the same content, the same bytes; another format is refused by name."""

import json
from collections.abc import Mapping
from typing import Any

from ml_assets.errors import SummaryFormatError

_FORMAT = "format"


def to_bytes(plain: Mapping[str, Any], number: int) -> bytes:
    """JSON of `plain` under the number of its format."""
    return json.dumps({_FORMAT: number, **plain}, sort_keys=True, allow_nan=False, separators=(",", ":")).encode()


def from_bytes(text: bytes, number: int) -> dict[str, Any]:
    """What `to_bytes` wrote.

    Raises:
        SummaryFormatError: It is no JSON, or of another format.
    """
    try:
        plain = json.loads(text)
        found = plain.get(_FORMAT)
    except (ValueError, AttributeError):
        plain, found = {}, None
    if found != number:
        raise SummaryFormatError(found, number)
    return plain
