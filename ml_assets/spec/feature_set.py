"""Sources and feature views on one grid of windows: what several problems can share."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

from pydantic import Field, PrivateAttr, model_validator

from ml_assets.spec.base import Name, Spec
from ml_assets.spec.cadence import Cadence
from ml_assets.spec.features import FeatureView
from ml_assets.spec.parity import Parity
from ml_assets.spec.source import Source


class FeatureSet(Spec):
    """Sources and the feature views over them; one group of assets, one Feast project."""

    name: Name = Field(description="Group of the assets; problems name it in `features_from`.", examples=["retail"])
    description: str = Field("", description="One sentence for the catalogue.", examples=["Customers of a shop."])
    cadence: Cadence = Field(description="The windows.", examples=[{"kind": "monthly", "start": "2009-12-01"}])
    sources: tuple[Source, ...] = Field(
        min_length=1,
        description="What is delivered.",
        examples=[[{"name": "lines", "columns": {"id": "string", "at": "timestamp"}, "event_time": "at"}]],
    )
    feature_views: tuple[FeatureView, ...] = Field(
        (),
        description="What is known of the entities, and since when.",
        examples=[[{"name": "customer_spend", "entities": ["customer_id"], "features": {"spend": "float"}}]],
    )
    parity: Parity = Field(
        Parity(), description="Online values are compared with offline ones.", examples=[{"entities": 50}]
    )

    @model_validator(mode="before")
    @classmethod
    def _one_source_needs_no_naming(cls, data: Any) -> Any:
        return name_the_only_source(data, "feature_views")

    @model_validator(mode="after")
    def _sources_fit(self) -> "FeatureSet":
        _refuse_twins("source", [source.name for source in self.sources])
        _refuse_twins("feature view", [view.name for view in self.feature_views])
        self._require_sources([(f"feature view '{v.name}'", v.sources) for v in self.feature_views])
        references = [(f"source '{s.name}'", tuple(r.source for r in s.references)) for s in self.sources]
        self._require_sources([(reader, names) for reader, names in references if names])
        for view in self.feature_views:
            if view.sql is None and view.function is None:
                self._require_plain(f"feature view '{view.name}'", view.sources, event_time=True)
        if any(view.name == "dataset" for view in self.feature_views):
            raise ValueError("feature view 'dataset' is called like the training set; rename it")
        seen: dict[str, str] = {}
        for view in self.feature_views:
            for column in view.features:
                if column in seen:
                    raise ValueError(f"feature '{column}' is in both {seen[column]} and {view.name}; rename one")
                seen[column] = view.name
        return self

    _folder: Path = PrivateAttr(default_factory=Path)

    @property
    def folder(self) -> Path:
        """Where relative paths of data and functions start: the folder of the declaration."""
        return self._folder

    def in_folder(self, folder: Path) -> Self:
        """The same declaration, read from a folder."""
        copy = self.model_copy()
        copy._folder = folder
        return copy

    @property
    def feature_group(self) -> str:
        """Whose group the sources and feature views are in: of a problem on shared views, the other's."""
        return self.name

    def source(self, name: str) -> Source:
        """The source of that name."""
        return next(source for source in self.sources if source.name == name)

    def view(self, name: str) -> FeatureView:
        """The feature view of that name."""
        return next(view for view in self.feature_views if view.name == name)

    def _require_sources(self, readers: list[tuple[str, tuple[str, ...]]]) -> None:
        known = {source.name for source in self.sources}
        for reader, names in readers:
            if not names:
                raise ValueError(f"{reader} does not say which `sources` it reads; sources are {sorted(known)}")
            if missing := sorted(set(names) - known):
                raise ValueError(f"{reader} reads {missing}, which is no source; sources are {sorted(known)}")

    def _require_plain(self, reader: str, sources: tuple[str, ...], *, event_time: bool) -> None:
        """With neither SQL nor a function, exactly one source, and one that has times, is read as it is."""
        if len(sources) != 1:
            raise ValueError(f"{reader} reads {len(sources)} sources: it needs `sql` or `function`")
        if event_time and self.source(sources[0]).event_time is None:
            raise ValueError(f"{reader} reads '{sources[0]}' as it is, but that has no `event_time`")


def name_the_only_source(data: Any, *readers: str) -> Any:
    """Raw attributes in which each reader that names no source reads the one that is declared."""
    if not isinstance(data, Mapping):
        return data
    sources = data.get("sources")
    if not isinstance(sources, list | tuple) or len(sources) != 1:
        return data
    only = sources[0].get("name") if isinstance(sources[0], Mapping) else getattr(sources[0], "name", None)
    return {**data, **{field: _reading(data[field], only) for field in readers if data.get(field)}}


def _reading(part: Any, source: Any) -> Any:
    if isinstance(part, list | tuple):
        return [_reading(each, source) for each in part]
    if isinstance(part, Mapping):
        return part if part.get("sources") else {**part, "sources": [source]}
    if isinstance(part, Spec) and not getattr(part, "sources", True):
        return part.model_copy(update={"sources": (source,)})
    return part


def _refuse_twins(what: str, names: list[str]) -> None:
    if twins := sorted({name for name in names if names.count(name) > 1}):
        raise ValueError(f"{what} '{twins[0]}' is declared twice; rename one")
