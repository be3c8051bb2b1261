"""Declarations: frozen Pydantic models, one file per part of a problem. They import pydantic only."""

from ml_assets.spec.base import Column, Name, Spec
from ml_assets.spec.cadence import Cadence
from ml_assets.spec.features import FeatureType, FeatureView, Label, Rows
from ml_assets.spec.monitoring import CheckName, DriftPolicy, QualityPolicy, RetrainingPolicy
from ml_assets.spec.problem import Problem
from ml_assets.spec.source import ColumnType, MaxGap, Reference, Source
from ml_assets.spec.training import Choice, Distribution, Integer, LogUniform, Promotion, Search, Split, Uniform
from ml_assets.spec.validation import (
    Between,
    InSet,
    NotNull,
    QuantileBetween,
    RowCount,
    Severity,
    UniqueTogether,
    ValidationRule,
)

__all__ = [
    "Between",
    "Cadence",
    "CheckName",
    "Choice",
    "Column",
    "ColumnType",
    "Distribution",
    "DriftPolicy",
    "FeatureType",
    "FeatureView",
    "InSet",
    "Integer",
    "Label",
    "LogUniform",
    "MaxGap",
    "Name",
    "NotNull",
    "Problem",
    "Promotion",
    "QualityPolicy",
    "QuantileBetween",
    "Reference",
    "RetrainingPolicy",
    "RowCount",
    "Rows",
    "Search",
    "Severity",
    "Source",
    "Spec",
    "Split",
    "Uniform",
    "UniqueTogether",
    "ValidationRule",
]
