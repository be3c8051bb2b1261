"""The base of all deliberate errors, and what their texts share."""

from collections.abc import Collection, Iterable
from difflib import get_close_matches


class MLAssetsError(Exception):
    """Base of all errors that a user can act on."""


def nearest_names(missing: Iterable[str], found: Collection[str]) -> str:
    """A hint at the names that may be meant; "" where none is near."""
    lower = {name.lower(): name for name in found}
    hints = {name: get_close_matches(name.lower(), lower, n=1, cutoff=0.6) for name in missing}
    near = [f"'{lower[hint[0]]}' for '{name}'" for name, hint in hints.items() if hint]
    return f" (perhaps {', '.join(near)})" if near else ""
