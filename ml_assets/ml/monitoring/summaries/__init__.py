"""Mergeable summaries of tables, and how far two of them are apart: drift without rereading rows."""

from ml_assets.ml.monitoring.summaries.categories import CategorySummary, summarise_categories
from ml_assets.ml.monitoring.summaries.defaults import DefaultVerdict, default_verdict, distinct, few_values
from ml_assets.ml.monitoring.summaries.distances import Bounded, ColumnSummary, jensen_shannon, wasserstein_normed
from ml_assets.ml.monitoring.summaries.numbers import NumberSummary, summarise_numbers
from ml_assets.ml.monitoring.summaries.reading import summarise_files, summarise_table
from ml_assets.ml.monitoring.summaries.tables import TableSummary, merge

__all__ = [
    "Bounded",
    "CategorySummary",
    "ColumnSummary",
    "DefaultVerdict",
    "NumberSummary",
    "TableSummary",
    "default_verdict",
    "distinct",
    "few_values",
    "jensen_shannon",
    "merge",
    "summarise_categories",
    "summarise_files",
    "summarise_numbers",
    "summarise_table",
    "wasserstein_normed",
]
