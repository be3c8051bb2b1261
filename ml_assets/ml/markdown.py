"""Tables in Markdown, for metadata and model cards, with cells that show what data holds and do nothing."""

from collections.abc import Iterable, Sequence
from html import escape
from typing import Any

_SHOWN_CHARACTERS = 60


def markdown_table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table of cells that are Markdown already."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def data_cell(value: Any) -> str:
    """A value as one cell: markup, links and column ends of the data are shown and do nothing."""
    text = "" if value is None else " ".join(str(value).split())
    return escaped(text if len(text) <= _SHOWN_CHARACTERS else f"{text[: _SHOWN_CHARACTERS - 1]}…")


def escaped(text: str) -> str:
    """A line of any length, likewise."""
    return "".join(f"\\{sign}" if sign in "\\`*_[]|~!#" else sign for sign in escape(text, quote=False))
