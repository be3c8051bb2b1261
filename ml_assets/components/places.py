"""YAML text with the line of everything in it, so that an error can name file and line.

Here belongs where a value stands. What it means, and whether it may, is the business of `shape.py`, `relations.py`.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import yaml

from ml_assets.errors import DeclarationSyntaxError

KeyPath: TypeAlias = tuple[str | int, ...]
"""Keys and list positions from the top of a document, e.g. ("search", "space", "eta", "low")."""

_MOST_VALUES = 100_000  # anchors can make a file of a few lines unfold without end

_Base: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class _Loader(_Base):
    """Plain values only; days and times stay text, as Dagster reads them."""

    yaml_implicit_resolvers = {  # noqa: RUF012
        first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:timestamp"]
        for first, resolvers in _Base.yaml_implicit_resolvers.items()
    }


@dataclass(frozen=True)
class Twin:
    """A key that a mapping holds twice; YAML would silently keep the second."""

    path: KeyPath
    line: int
    first_line: int


@dataclass(frozen=True)
class Document:
    """One document of a YAML file.

    Attributes:
        file: Where it stands.
        value: Mappings, lists, text, numbers, truth values, None.
        lines: Line of each key and list item, counted from 1.
        twins: Keys that are there twice.
    """

    file: Path
    value: Any
    lines: Mapping[KeyPath, int]
    twins: Sequence[Twin] = ()

    def line(self, path: KeyPath) -> int:
        """The line of a path; of what is missing, the line of what it is missing from."""
        while path not in self.lines:
            path = path[:-1]
        return self.lines[path]


def read_documents(file: Path) -> list[Document]:
    """All documents of a YAML file, empty ones left out.

    Raises:
        DeclarationSyntaxError: It is no YAML, or not in UTF-8.
    """
    try:
        return parse_documents(file.read_text(encoding="utf-8"), file)
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        raise DeclarationSyntaxError(file, line, "is not UTF-8", "Save the file in UTF-8") from error


def parse_documents(text: str, file: Path) -> list[Document]:
    """As `read_documents`, from text.

    Raises:
        DeclarationSyntaxError: It is no YAML.
    """
    try:
        loader = _Loader(text)
        try:
            nodes = _nodes(loader)
            return [_document(loader, node, file) for node in nodes]
        finally:
            loader.dispose()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        said = ", ".join(part for part in (error.context, error.problem) if part)
        raise DeclarationSyntaxError(file, mark.line + 1 if mark else 1, f"is no YAML ({said})") from error
    except (yaml.YAMLError, RecursionError) as error:
        raise DeclarationSyntaxError(file, 1, f"is no YAML ({str(error).splitlines()[0]})") from error


def _nodes(loader: Any) -> list[yaml.Node]:
    found = []
    while loader.check_node():
        found.append(loader.get_node())
    return [node for node in found if not (isinstance(node, yaml.ScalarNode) and node.value in ("", "null", "~"))]


def _document(loader: Any, node: yaml.Node, file: Path) -> Document:
    twins = tuple(_twins(node, (), [0]))
    value = loader.construct_document(node)  # unfolds `<<` in the nodes, so lines are looked up after it
    lines: dict[KeyPath, int] = {(): node.start_mark.line + 1}
    _number(loader, node, (), lines)
    return Document(file, value, lines, twins)


def _twins(node: yaml.Node, path: KeyPath, seen: list[int]) -> Iterator[Twin]:
    seen[0] += 1
    if seen[0] > _MOST_VALUES:
        raise yaml.YAMLError(f"it unfolds to more than {_MOST_VALUES:,} values")
    if isinstance(node, yaml.SequenceNode):
        for position, item in enumerate(node.value):
            yield from _twins(item, (*path, position), seen)
    elif isinstance(node, yaml.MappingNode):
        first: dict[str, int] = {}
        for key, value in node.value:
            if not isinstance(key, yaml.ScalarNode):
                raise yaml.MarkedYAMLError(problem="a list or mapping is no key", problem_mark=key.start_mark)
            line = key.start_mark.line + 1
            if key.value in first and key.value != "<<":
                yield Twin((*path, key.value), line, first[key.value])
            first.setdefault(key.value, line)
            yield from _twins(value, (*path, key.value), seen)


def _number(loader: Any, node: yaml.Node, path: KeyPath, lines: dict[KeyPath, int]) -> None:
    if isinstance(node, yaml.SequenceNode):
        for position, item in enumerate(node.value):
            lines[(*path, position)] = item.start_mark.line + 1
            _number(loader, item, (*path, position), lines)
    elif isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            name = loader.construct_object(key)  # not always text: YAML reads `on` as true
            lines[(*path, name)] = key.start_mark.line + 1
            _number(loader, value, (*path, name), lines)
