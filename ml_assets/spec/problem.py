"""The whole declaration of one problem, and the relations between its parts."""

from typing import Literal

from pydantic import Field, model_validator

from ml_assets.spec.base import Name, Spec
from ml_assets.spec.cadence import Cadence
from ml_assets.spec.features import FeatureType, FeatureView, Label, Rows
from ml_assets.spec.monitoring import DriftPolicy, QualityPolicy, RetrainingPolicy
from ml_assets.spec.source import Source
from ml_assets.spec.training import Promotion, Search, Split
from ml_assets.spec.validation import ValidationRule


class Problem(Spec):
    """Everything the platform needs to know to build and run one lineage graph."""

    name: Name = Field(description="Group of the assets, MLflow experiment and registered model.")
    description: str = Field("", description="One sentence: what is predicted, from what, when.")
    task: Literal["regression"] = Field("regression", description="Kind of label.")
    cadence: Cadence
    sources: tuple[Source, ...] = Field(min_length=1)
    feature_views: tuple[FeatureView, ...] = Field(min_length=1)
    rows: Rows
    label: Label
    split: Split = Split()
    validation: tuple[ValidationRule, ...] = ()
    search: Search
    promotion: Promotion = Promotion()
    drift: DriftPolicy = DriftPolicy()
    quality: QualityPolicy
    retraining: RetrainingPolicy = RetrainingPolicy()

    @model_validator(mode="after")
    def _parts_fit(self) -> "Problem":
        known = {source.name for source in self.sources}
        readers = [(f"feature view '{v.name}'", v.sources) for v in self.feature_views]
        readers += [("rows", self.rows.sources), ("label", self.label.sources)]
        readers += [(f"source '{s.name}'", tuple(r.source for r in s.references)) for s in self.sources if s.references]
        for reader, names in readers:
            if missing := sorted(set(names) - known):
                raise ValueError(f"{reader} reads {missing}, which is no source; sources are {sorted(known)}")
        seen: dict[str, str] = {}
        for owner, columns in [("rows", self.rows.features)] + [
            (view.name, view.features) for view in self.feature_views
        ]:
            for column in columns:
                if column in seen:
                    raise ValueError(f"feature '{column}' is in both {seen[column]} and {owner}; rename one")
                seen[column] = owner
        if unknown := sorted(set(self.drift.ignore) - set(seen)):
            raise ValueError(f"drift.ignore names {unknown}, which are no features")
        return self

    @property
    def features(self) -> dict[str, FeatureType]:
        """All model inputs, in the order in which the model sees them."""
        columns = dict(self.rows.features)
        for view in self.feature_views:
            columns.update(view.features)
        return columns

    def source(self, name: str) -> Source:
        """The source of that name."""
        return next(source for source in self.sources if source.name == name)

    def view(self, name: str) -> FeatureView:
        """The feature view of that name."""
        return next(view for view in self.feature_views if view.name == name)
