"""A mistake in a declaration: where, what, and how to mend it. Which mistakes there are is found elsewhere."""

import difflib
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ml_assets.components.places import Document, KeyPath


@dataclass(frozen=True)
class Mistake:
    """What is wrong at a path of a document; culprit and remedy are sentences without their full stop.

    Attributes:
        path: Where.
        culprit: What is wrong.
        remedy: What to do.
        whole: The part whose fields do not fit each other, where a validator of that part says so.
        file: Another file that the mistake is in, with its line.
        line: That line.
    """

    path: KeyPath
    culprit: str
    remedy: str = ""
    whole: KeyPath | None = None
    file: Path | None = None
    line: int = 1

    def below(self, *steps: str) -> "Mistake":
        """The same mistake of a document in which the part is below some keys."""
        return replace(self, path=(*steps, *self.path))


@dataclass(frozen=True, order=True)
class LocatedMistake:
    """A mistake with its file and line, as it is shown: `file:line: culprit. remedy.`"""

    file: Path
    line: int
    culprit: str
    remedy: str

    def __str__(self) -> str:
        said = ". ".join(" ".join(part.split()).rstrip(". ") for part in (self.culprit, self.remedy) if part)
        return f"{shown_file(self.file)}:{self.line}: {said}" + ("" if said.endswith("?") else ".")


def locate(document: Document, mistakes: Iterable[Mistake]) -> list[LocatedMistake]:
    """Mistakes of a document with their lines, in the order of the lines, each once."""
    located = {
        LocatedMistake(m.file or document.file, m.line if m.file else document.line(m.path), m.culprit, m.remedy)
        for m in mistakes
    }
    return sorted(located)


def shown_file(file: Path) -> str:
    """A file as people name it: from the working folder where it lies below it."""
    relative = os.path.relpath(file)
    return str(file) if relative.startswith("..") else relative


def shown_path(path: KeyPath, value: Any) -> str:
    """A path as people say it, items of a list by their names: `sources[flights].columns`."""
    text = ""
    for step in path:
        inner = value[step] if _holds(value, step) else None
        if isinstance(step, int) and isinstance(value, list):
            text += f"[{inner['name'] if isinstance(inner, Mapping) and 'name' in inner else step}]"
        else:
            text += f".{step}" if text else str(step)
        value = inner
    return text


def shown_value(value: Any) -> str:
    """A value in a message: in quotes, one line, not too long."""
    if value is None:
        return "empty"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, Mapping | list | tuple):
        return "a mapping" if isinstance(value, Mapping) else "a list"
    text = " ".join(str(value).split())
    text = text if len(text) <= 60 else text[:57] + "..."
    return f"'{text}'" if isinstance(value, str) else text


def nearest(word: object, known: Iterable[object]) -> str:
    """`Did you mean ...?`, or what there is to choose from."""
    names = [str(name) for name in known]
    # Half of a name is enough: `arr_delays`, `arrival_delay` and `ArrDelay` all mean `arr_delay`.
    by_case = {name.casefold(): name for name in names}
    close = difflib.get_close_matches(str(word).casefold(), by_case, n=1, cutoff=0.5)
    if close:
        return f"Did you mean '{by_case[close[0]]}'?"
    return f"There is {', '.join(names[:20])}{', ...' if len(names) > 20 else ''}" if names else "Add it"


def _holds(value: Any, step: str | int) -> bool:
    if isinstance(value, list):
        return isinstance(step, int) and step < len(value)
    return isinstance(value, Mapping) and step in value
