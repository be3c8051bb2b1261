"""The names in a declaration as it is written, good or bad: sources, readers, features. It judges nothing.

Relations are judged on the text and not on the spec, since Pydantic makes no spec where any field is wrong, and then
says nothing of the relations.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from ml_assets.components.places import KeyPath


@dataclass(frozen=True)
class Reader:
    """What reads sources: a feature view, the rows or the label."""

    path: KeyPath
    what: str
    part: Mapping[str, Any]
    sources: tuple[str, ...]

    @property
    def plain(self) -> bool:
        """Whether it takes its source as it is."""
        return self.part.get("sql") is None and self.part.get("function") is None


@dataclass(frozen=True)
class Outline:
    """A declaration's attributes, and those of the FeatureViews that it names (None where it has its own).

    Attributes:
        attributes: As read from YAML; any part may be of any type.
        shared: Attributes of the FeatureViews.
    """

    attributes: Mapping[str, Any]
    shared: Mapping[str, Any] | None = None

    @cached_property
    def sources(self) -> dict[str, Mapping[str, Any]]:
        """Sources by their names, own or shared."""
        declared = named(self.shared if self.shared is not None else self.attributes, "sources")
        return {str(source["name"]): source for _, source in declared}

    @cached_property
    def views(self) -> dict[str, Mapping[str, Any]]:
        """Feature views that the declaration uses, by their names, own or shared."""
        views = named(self.shared if self.shared is not None else self.attributes, "feature_views")
        used = self.attributes.get("use_views") if self.shared is not None else None
        return {str(v["name"]): v for _, v in views if not isinstance(used, list) or v["name"] in used}

    @cached_property
    def readers(self) -> list[Reader]:
        """All that the declaration itself makes read sources."""
        found: list[tuple[KeyPath, str, Mapping[str, Any]]] = [
            (("feature_views", i), f"feature view '{v['name']}'", v) for i, v in self.own_views
        ]
        for name in ("rows", "label"):
            if isinstance(part := self.attributes.get(name), Mapping):
                found.append(((name,), name, part))
        return [Reader(path, what, part, self._sources_of(part)) for path, what, part in found]

    @property
    def own_views(self) -> Iterator[tuple[int, Mapping[str, Any]]]:
        """Feature views declared here, with their positions."""
        return named(self.attributes, "feature_views")

    @property
    def row_features(self) -> dict[str, Any]:
        """Features that the rows carry."""
        return features_of(self.attributes.get("rows"))

    @property
    def features(self) -> dict[str, Any]:
        """All model inputs with their types."""
        return self.row_features | {k: t for view in self.views.values() for k, t in features_of(view).items()}

    @property
    def join_keys(self) -> list[str]:
        """Join keys of all views, each once."""
        return list(dict.fromkeys(key for view in self.views.values() for key in texts(view.get("entities"))))

    def _sources_of(self, part: Mapping[str, Any]) -> tuple[str, ...]:
        named_here = texts(part.get("sources"))
        return tuple(named_here) if named_here or len(self.sources) != 1 else tuple(self.sources)


def named(attributes: Any, field: str) -> Iterator[tuple[int, Mapping[str, Any]]]:
    """Items of a list that are mappings with a name, with their positions."""
    for position, item in enumerate(entries(attributes.get(field) if isinstance(attributes, Mapping) else None)):
        if isinstance(item, Mapping) and isinstance(item.get("name"), str):
            yield position, item


def features_of(part: Any) -> dict[str, Any]:
    """Features of a view or of the rows, with their types."""
    found = part.get("features") if isinstance(part, Mapping) else None
    return {str(name): kind for name, kind in found.items()} if isinstance(found, Mapping) else {}


def columns_of(source: Mapping[str, Any]) -> dict[str, Any]:
    """Columns of a source's contract, with their types."""
    found = source.get("columns")
    return {str(name): kind for name, kind in found.items()} if isinstance(found, Mapping) else {}


def texts(value: Any) -> list[str]:
    """The texts in a list."""
    return [each for each in value if isinstance(each, str)] if isinstance(value, list) else []


def entries(value: Any) -> list[Any]:
    """What is in a list; nothing where it is none."""
    return value if isinstance(value, list) else []
