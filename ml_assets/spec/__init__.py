"""Declarations: frozen Pydantic models, one file per part of a problem. They import pydantic only."""

from ml_assets.spec.alerts import AlertEvent, Alerts, QuietHours
from ml_assets.spec.base import Column, Name, Spec
from ml_assets.spec.cadence import Cadence
from ml_assets.spec.cleaning import Cleaning, Drop
from ml_assets.spec.computation import Computation
from ml_assets.spec.compute import Compute
from ml_assets.spec.feature_set import FeatureSet
from ml_assets.spec.features import FeatureType, FeatureView, Label, Rows
from ml_assets.spec.metrics import GREATER_IS_BETTER, METRICS, SEARCH_LOSSES, MetricName, Task
from ml_assets.spec.monitoring import CheckName, DriftPolicy, QualityPolicy
from ml_assets.spec.parity import Parity
from ml_assets.spec.problem import Problem, ProblemDeclaration
from ml_assets.spec.pruning import Pruning
from ml_assets.spec.reading import Csv, Deliveries, DuckDb, Parquet, PostgreSql, Python, Reading, Whole
from ml_assets.spec.retraining import RetrainingPolicy
from ml_assets.spec.search import Choice, Distribution, Integer, LogNormal, LogUniform, Normal, Search, Uniform
from ml_assets.spec.source import ColumnType, MaxGap, Reference, Source
from ml_assets.spec.training import Promotion, Segment, Split
from ml_assets.spec.validation import (
    Between,
    DistributionNear,
    InSet,
    NotNull,
    OfType,
    Ordered,
    QuantileBetween,
    RowCount,
    RowRule,
    Severity,
    UniqueTogether,
    ValidationRule,
)

__all__ = [
    "GREATER_IS_BETTER",
    "METRICS",
    "SEARCH_LOSSES",
    "AlertEvent",
    "Alerts",
    "Between",
    "Cadence",
    "CheckName",
    "Choice",
    "Cleaning",
    "Column",
    "ColumnType",
    "Computation",
    "Compute",
    "Csv",
    "Deliveries",
    "Distribution",
    "DistributionNear",
    "DriftPolicy",
    "Drop",
    "DuckDb",
    "FeatureSet",
    "FeatureType",
    "FeatureView",
    "InSet",
    "Integer",
    "Label",
    "LogNormal",
    "LogUniform",
    "MaxGap",
    "MetricName",
    "Name",
    "Normal",
    "NotNull",
    "OfType",
    "Ordered",
    "Parity",
    "Parquet",
    "PostgreSql",
    "Problem",
    "ProblemDeclaration",
    "Promotion",
    "Pruning",
    "Python",
    "QualityPolicy",
    "QuantileBetween",
    "QuietHours",
    "Reading",
    "Reference",
    "RetrainingPolicy",
    "RowCount",
    "RowRule",
    "Rows",
    "Search",
    "Segment",
    "Severity",
    "Source",
    "Spec",
    "Split",
    "Task",
    "Uniform",
    "UniqueTogether",
    "ValidationRule",
    "Whole",
]
