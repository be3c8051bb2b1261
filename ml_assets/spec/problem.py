"""The whole declaration of one problem, and the relations between its parts."""

from collections.abc import Mapping
from typing import Any

from pydantic import Field, model_validator

from ml_assets.spec.alerts import Alerts
from ml_assets.spec.base import Name, Spec
from ml_assets.spec.cadence import Cadence
from ml_assets.spec.compute import Compute
from ml_assets.spec.feature_set import FeatureSet, name_the_only_source
from ml_assets.spec.features import FeatureType, FeatureView, Label, Rows
from ml_assets.spec.metrics import METRICS, SEARCH_LOSSES, MetricName, Task
from ml_assets.spec.monitoring import DriftPolicy, QualityPolicy
from ml_assets.spec.parity import Parity
from ml_assets.spec.retraining import RetrainingPolicy
from ml_assets.spec.search import Search
from ml_assets.spec.source import Source
from ml_assets.spec.training import Promotion, Split
from ml_assets.spec.validation import YAML_FILE, ValidationRule

OWN_COLUMNS = frozenset({"prediction", "model_version", "model_cutoff", "split", "label_known_at"})
"""Columns that training sets and predictions have beside the declared ones."""

_METRIC_FIELDS = {"search": "loss", "promotion": "metric", "quality": "metric"}


class ProblemParts(Spec):
    """What a problem declares of its own, whoever declares its features."""

    task: Task = Field("regression", description="Kind of label.", examples=["binary"])
    metric: MetricName | None = Field(
        None,
        description="What the search, the gate and the watch go by. Left out: rmse, or logloss for classes.",
        examples=["mae"],
    )
    rows: Rows = Field(description="What is predicted, and when.", examples=[{"key": ["customer_id"]}])
    label: Label = Field(description="The truth, and when it is known.", examples=[{"name": "churned"}])
    split: Split = Field(Split(), description="Train, validation and test by time.", examples=[{"test_windows": 2}])
    validation: tuple[ValidationRule, ...] = Field(
        (),
        description="What must hold of a training set.",
        examples=[[{"kind": "row_count", "low": 1000}]],
    )
    validation_file: str | None = Field(
        None,
        pattern=YAML_FILE,
        description="A file of more such rules beside defs.yaml, as `ml-assets profile` writes it.",
        examples=["validation/dataset.yaml"],
    )
    search: Search = Field(Search(), description="Hyper-parameter search.", examples=[{"max_trials": 10}])
    compute: Compute = Field(
        Compute(),
        description="Where trials and trainings run: here, on a Spark cluster, from disk, on a GPU.",
        examples=[{"device": "cuda"}],
    )
    promotion: Promotion = Field(Promotion(), description="Gate to production.", examples=[{"confidence": 0.9}])
    drift: DriftPolicy = Field(DriftPolicy(), description="When a window has drifted.", examples=[{"min_rows": 500}])
    quality: QualityPolicy = Field(
        QualityPolicy(), description="When a window's error is too large.", examples=[{"max_ratio": 1.25}]
    )
    retraining: RetrainingPolicy = Field(
        RetrainingPolicy(), description="When bad windows lead to a retraining.", examples=[{"bad_windows": 2}]
    )
    alerts: Alerts = Field(Alerts(), description="Who is told of it.", examples=[{"to": ["ml-team@example.com"]}])

    @model_validator(mode="before")
    @classmethod
    def _one_metric_for_all(cls, data: Any) -> Any:
        """Search, gate and quality go by the problem's metric unless they name their own."""
        if not isinstance(data, Mapping):
            return data
        task = data.get("task", "regression")
        default = next((fitting[0] for known, fitting in METRICS.items() if known == task), None)
        metric = data.get("metric") or default
        filled = {part: _with_metric(data.get(part), field, metric) for part, field in _METRIC_FIELDS.items()}
        data = {**data, **filled} if metric else data
        return name_the_only_source(data, "rows", "label")

    @model_validator(mode="after")
    def _metrics_fit_the_task(self) -> "ProblemParts":
        allowed = {
            "metric": METRICS,
            "promotion.metric": METRICS,
            "quality.metric": METRICS,
            "search.loss": SEARCH_LOSSES,
        }
        named = {"promotion.metric": self.promotion.metric, "quality.metric": self.quality.metric}
        for field, metric in (named | {"search.loss": self.search.loss, "metric": self.metric}).items():
            if metric is not None and metric not in (fits := allowed[field][self.task]):
                raise ValueError(f"`{field}` {metric} does not fit task {self.task}; use one of {', '.join(fits)}")
        if self.label.positive is not None and self.task != "binary":
            raise ValueError(f"`label.positive` is for binary labels; the task is {self.task}")
        if self.quality.max_bias is not None and self.task == "multiclass":
            raise ValueError("`quality.max_bias` is for numbers and binary labels; leave it out")
        return self

    @model_validator(mode="after")
    def _device_is_said_once(self) -> "ProblemParts":
        for part in ("space", "fixed"):
            if "device" in getattr(self.search, part):
                raise ValueError(f"`search.{part}.device`: say it as `compute.device`; leave it out there")
        if self.compute.trials == "spark" and self.search.parallel_trials > 1:
            raise ValueError(
                "`search.parallel_trials` is for trials on this machine; on Spark it is `compute.parallel_trials`"
            )
        return self

    @model_validator(mode="after")
    def _the_place_can_train_the_estimator(self) -> "ProblemParts":
        wanted = {
            f"`compute.training: {self.compute.training}`": self.compute.training != "local",
            "`compute.device: cuda`": self.compute.device == "cuda",
        }
        for said in (name for name, is_wanted in wanted.items() if is_wanted):
            if self.search.estimator != "xgboost":
                raise ValueError(
                    f"{said} is for `search.estimator` xgboost, which is {self.search.estimator}; leave one of them out"
                )
        return self


class Problem(ProblemParts, FeatureSet):
    """Everything the platform needs to know to build and run one lineage graph.

    On shared feature views, `sources`, `feature_views` and `cadence` are the other declaration's, and `features_from`
    names it.
    """

    name: Name = Field(description="Group of the assets, MLflow experiment and registered model.", examples=["churn"])
    features_from: Name | None = Field(
        None,
        description="FeatureViews that the sources and views come from; own ones when left out.",
        examples=["retail"],
    )

    @model_validator(mode="after")
    def _parts_fit(self) -> "Problem":
        self._require_sources([("rows", self.rows.sources), ("label", self.label.sources)])
        for reader, part in (("rows", self.rows), ("label", self.label)):
            if part.sql is None and part.function is None:
                self._require_plain(reader, part.sources, event_time=True)
        for view in self.feature_views:
            if twice := sorted(set(self.rows.features) & set(view.features)):
                raise ValueError(f"feature '{twice[0]}' is in both rows and {view.name}; rename one")
        if not self.features:
            raise ValueError("there is no feature: declare `feature_views` or `rows.features`")
        if self.label.name in self.features:
            raise ValueError(
                f"the label '{self.label.name}' is a feature, too: a model would only copy it; leave it out"
            )
        if taken := sorted(OWN_COLUMNS & {*self.features, *self.rows.key, self.label.name}):
            raise ValueError(f"'{taken[0]}' is a column of the platform's own; rename yours")
        watched = {"promotion": self.promotion.segments, "drift": self.drift.segments}
        for name, segments in (watched | {"quality": self.quality.segments}).items():
            columns = {segment.column for segment in segments}
            if unknown := sorted(columns - {*self.features, *self.rows.key}):
                raise ValueError(f"{name}.segments names {unknown}, which are no columns of the rows")
        for name, columns in {"ignore": set(self.drift.ignore), "seasonal": set(self.drift.seasonal)}.items():
            if unknown := sorted(columns - set(self.features)):
                raise ValueError(f"drift.{name} names {unknown}, which are no features")
        return self

    @property
    def feature_group(self) -> str:
        """Whose group the sources and feature views are in."""
        return self.features_from or self.name

    @property
    def features(self) -> dict[str, FeatureType]:
        """All model inputs, in the order in which the model sees them."""
        columns = dict(self.rows.features)
        for view in self.feature_views:
            columns.update(view.features)
        return columns


class ProblemDeclaration(ProblemParts):
    """A problem as it is written down: with features of its own, or on shared ones."""

    name: Name = Field(description="Group of the assets, MLflow experiment and registered model.", examples=["churn"])
    description: str = Field(
        "",
        description="One sentence: what is predicted, from what, when.",
        examples=["Which customers will not buy again within 90 days, at the end of each month."],
    )
    features_from: Name | None = Field(
        None,
        description="Name of a FeatureViews declaration (a sibling folder): its cadence, sources and views are used, "
        "and none are declared here.",
        examples=["retail"],
    )
    use_views: tuple[Name, ...] | None = Field(
        None,
        description="Those of the shared views that the model uses; all when left out.",
        examples=[["customer_spend"]],
    )
    cadence: Cadence | None = Field(
        None, description="The windows.", examples=[{"kind": "weekly", "start": "2012-12-31"}]
    )
    sources: tuple[Source, ...] = Field(
        (),
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
    def _own_or_shared(self) -> "ProblemDeclaration":
        if self.features_from is None:
            missing = [name for name in ("cadence", "sources") if not getattr(self, name)]
            if missing:
                raise ValueError(
                    f"{' and '.join(missing)} missing: declare them, or name FeatureViews in `features_from`"
                )
            if self.use_views is not None:
                raise ValueError("`use_views` selects shared views: it needs `features_from`")
        elif both := [name for name in ("cadence", "sources", "feature_views") if getattr(self, name)]:
            raise ValueError(f"{' and '.join(both)} come from '{self.features_from}' (`features_from`): leave them out")
        return self

    def problem(self, shared: FeatureSet | None = None) -> Problem:
        """The complete problem.

        Args:
            shared: What `features_from` names; None where the declaration has features of its own.

        Raises:
            pydantic.ValidationError: Its parts do not fit each other.
        """
        own = {name: getattr(self, name) for name in type(self).model_fields if name != "use_views"}
        if shared is not None:
            views = shared.feature_views
            if self.use_views is not None:
                known = [view.name for view in views]
                if unknown := [name for name in self.use_views if name not in known]:
                    raise ValueError(f"`use_views` names {unknown}, which '{shared.name}' lacks; it has {known}")
                views = tuple(view for view in views if view.name in self.use_views)
            own |= {
                "cadence": shared.cadence,
                "sources": shared.sources,
                "feature_views": views,
                "parity": shared.parity,
            }
        return Problem.model_validate(own)


def _with_metric(part: Any, field: str, metric: Any) -> Any:
    if part is None:
        return {field: metric}
    if isinstance(part, Mapping):
        return {field: metric, **part}
    if isinstance(part, Spec) and field not in part.model_fields_set:
        return part.model_copy(update={field: metric})
    return part
