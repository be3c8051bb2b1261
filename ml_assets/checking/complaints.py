"""What is wrong with the data of a declaration, collected over the windows that are looked at, each thing once."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ml_assets.components.mistakes import Mistake
from ml_assets.components.places import KeyPath

_DEEP = 3


@dataclass
class Complaints:
    """Mistakes of one document; the same thing in another window is the same mistake.

    Attributes:
        attributes: The declaration as it is written, to find the line that a message is about.
    """

    attributes: Mapping[str, Any]
    _found: dict[tuple[KeyPath, str], Mistake] = field(default_factory=dict)

    def add(
        self,
        part: KeyPath,
        error: object,
        remedy: str = "",
        *,
        field: KeyPath = (),
        place: tuple[Path, int] | None = None,
    ) -> None:
        """Note an error of a part of the declaration, e.g. ("sources", 0).

        Args:
            part: The part.
            error: What is wrong; the name that it quotes first says the line.
            remedy: What to do, unless the error says so itself.
            field: The field of the part that it is about, where that is known.
            place: File and line of it, where it is in another file that the part names.
        """
        path = self._place(part, field, str(error))
        kind = type(error).__name__ if isinstance(error, Exception) else re.sub(r"[\d.,:%-]+", "", str(error))
        file, line = place or (None, 1)
        self._found.setdefault((path, kind), Mistake(path, str(error), remedy, file=file, line=line))

    @property
    def mistakes(self) -> list[Mistake]:
        """All that were noted, with paths from the top of the attributes."""
        return list(self._found.values())

    def _place(self, part: KeyPath, field: KeyPath, message: str) -> KeyPath:
        place, value = _follow(self.attributes, (*part, *field))
        names = dict.fromkeys(re.findall(r"['\"`]([^'\"`]+)['\"`]", message))
        for name in [*names, *re.findall(r"\w+", message)] if field else names:
            if found := _find(value, name, _DEEP):
                return (*place, *found)
        return place


def _follow(value: Any, path: KeyPath) -> tuple[KeyPath, Any]:
    """As far along a path as the declaration goes."""
    done: list[str | int] = []
    for step in path:
        if not (step in value if isinstance(value, Mapping) else isinstance(value, list) and isinstance(step, int)):
            break
        value = value[step]
        done.append(step)
    return tuple(done), value


def _find(value: Any, name: str, deep: int) -> KeyPath:
    """Path of a key, or of an item of a list, of that name."""
    if deep == 0 or not isinstance(value, Mapping | list):
        return ()
    steps = list(value) if isinstance(value, Mapping) else list(range(len(value)))
    for step in steps:
        if (step if isinstance(value, Mapping) else value[step]) == name:
            return (step,)
    for step in steps:
        if inside := _find(value[step], name, deep - 1):
            return (step, *inside)
    return ()
