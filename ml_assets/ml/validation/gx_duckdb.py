"""Great Expectations' pandas engine with its counting done by DuckDB: one query for the counts of all rules.

Here belongs what is asked when; the SQL is `counting.py`'s. Everything else (quantiles, examples of what broke a rule)
is left to GX's own pandas code, and so is every metric that SQL would answer otherwise than pandas: a column of mixed
values, a text compared with a number.

GX has a DuckDB engine of its own, by SQLAlchemy. It is not used: it fails on every rule unless a private list is
patched (gx#10738), takes another quantile than pandas, and does not count two rows without a key as alike. What it
costs stands in benchmarks/validation_cost.py.
"""

from collections.abc import Iterable, Mapping
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from ml_assets.ml.validation.counting import COUNTS, Counting, Sql, quoted_name

if TYPE_CHECKING:
    from great_expectations.execution_engine import PandasExecutionEngine
    from great_expectations.validator.metric_configuration import MetricConfiguration

_UNREAD = ("unexpected_index_list", "unexpected_index_query")
"""Parts of a result that nobody here reads; pandas would write a list of all rows for them."""


def pushdown_engine(frame: pd.DataFrame) -> "PandasExecutionEngine":
    """A GX engine for this one frame."""
    return _engine_class()(Counting(frame))


def _pushed(counting: Counting, metric: "MetricConfiguration", name: str = "") -> Sql | None:
    """A metric's SQL; None where pandas has to compute it. With a name, of another metric on the same rows."""
    count = COUNTS.get(name or metric.metric_name)
    return count(counting, metric.metric_domain_kwargs, metric.metric_value_kwargs or {}) if count else None


def _value_counts(counting: Counting, metric: "MetricConfiguration") -> pd.Series | None:
    column = metric.metric_domain_kwargs.get("column")
    if metric.metric_name != "column.value_counts" or counting.kind(column) not in ("number", "text"):
        return None
    name = quoted_name(str(column))
    rows = counting.ask(f"SELECT {name}, count(*) FROM t WHERE {name} IS NOT NULL GROUP BY 1 ORDER BY 1")
    index = pd.Index([value for value, _ in rows], name="value")
    return pd.Series([count for _, count in rows], index=index, name="count", dtype=np.int64)


def _counts(counting: Counting, metrics: Iterable["MetricConfiguration"]) -> dict[Any, Any]:
    """Metric id -> value, of those that SQL answers: all counts in one query."""
    answers: dict[Any, Any] = {}
    asked: dict[Any, Sql] = {}
    for metric in metrics:
        if (pushed := _pushed(counting, metric)) is not None:
            asked[metric.id] = pushed
        elif (counts := _value_counts(counting, metric)) is not None:
            answers[metric.id] = counts
    if asked:
        expressions = ", ".join(expression for expression, _ in asked.values())
        [row] = counting.ask(
            f"SELECT {expressions} FROM t", [value for _, values in asked.values() for value in values]
        )
        answers |= dict(zip(asked, row, strict=True))
    return answers


@cache
def _engine_class() -> Any:
    from great_expectations.exceptions import MetricResolutionError
    from great_expectations.execution_engine import PandasExecutionEngine

    class PushdownEngine(PandasExecutionEngine):
        """GX's pandas engine, asking DuckDB where it can."""

        def __init__(self, counting: Counting) -> None:
            super().__init__()
            self._counting = counting
            self._broken: dict[Any, int] = {}  # by the id of the mask that pandas would have made

        def resolve_metrics(
            self,
            metrics_to_resolve: Iterable["MetricConfiguration"],
            metrics: dict[Any, Any] | None = None,
            runtime_configuration: dict[str, Any] | None = None,
        ) -> dict[Any, Any]:
            wanted, known = list(metrics_to_resolve), metrics or {}
            answers = _counts(self._counting, wanted)
            for metric in wanted:
                _, _, last = metric.metric_name.rpartition(".")
                if last == "unexpected_count" and metric.id in answers:
                    self._broken[metric.metric_dependencies["unexpected_condition"].id] = answers[metric.id]
            for metric in wanted:
                base, _, last = metric.metric_name.rpartition(".")
                if last in _UNREAD:
                    answers[metric.id] = None
                elif last == "condition" and _pushed(self._counting, metric, f"{base}.unexpected_count"):
                    answers[metric.id] = (None, {}, {})
                elif last == "unexpected_values":
                    answers |= self._examples(metric, known)
            rest = [metric for metric in wanted if metric.id not in answers]
            return {**(super().resolve_metrics(rest, known, runtime_configuration) if rest else {}), **answers}

        def _examples(self, metric: "MetricConfiguration", known: dict[Any, Any]) -> dict[Any, Any]:
            """Values that broke a rule: the mask is made where there are any."""
            mask = metric.metric_dependencies["unexpected_condition"]
            if mask.id not in self._broken:
                return {}
            broken = self._broken[mask.id]
            if metric.metric_name == "column_values.nonnull.unexpected_values":
                shown = metric.metric_value_kwargs["result_format"]["partial_unexpected_count"]
                return {metric.id: [None] * min(broken, shown)}
            if not broken:
                return {metric.id: []}
            narrow = self._of_columns(metric.metric_domain_kwargs)
            try:
                made = narrow.resolve_metrics([mask], known)
                return narrow.resolve_metrics([metric], {**known, **made})
            except MetricResolutionError as error:
                # GX tries again whatever it did not ask for itself, without an end.
                raise MetricResolutionError(str(error), failed_metrics=(metric,)) from error

        def _of_columns(self, domain: Mapping[str, Any]) -> PandasExecutionEngine:
            """GX's own engine on a domain's columns alone: it copies whole rows where it leaves out nulls."""
            given = [domain.get(name) for name in ("column", "column_A", "column_B")]
            names = [*(name for name in given if name is not None), *domain.get("column_list", ())]
            frame = self._counting.frame[list(dict.fromkeys(names))]
            engine = PandasExecutionEngine()
            engine.load_batch_data(domain.get("batch_id") or "rows", frame)
            return engine

    return PushdownEngine
