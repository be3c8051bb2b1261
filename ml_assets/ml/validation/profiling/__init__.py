"""What a reference table teaches: the validation rules that it keeps, and a summary of its columns for a person.

Pure computing on a frame. Reading the table, writing files and pages is the business of `ml_assets.profiling`.
"""

from ml_assets.ml.validation.profiling.learning import Roles, learn_rules
from ml_assets.ml.validation.profiling.summaries import ColumnSummary, summarize

__all__ = ["ColumnSummary", "Roles", "learn_rules", "summarize"]
