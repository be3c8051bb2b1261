"""A mend of Great Expectations 1.24: of several quantile rules on one column, each is judged by its own quantile.

GX identifies a metric before it knows which quantile is asked for. All quantile expectations of a column then share
one metric, and are judged by the first one's value. Here the metric is identified once more, when that is known.
"""

from functools import cache
from typing import Any

_METRIC = "column.quantile_values"


@cache
def mend_quantiles() -> None:
    """Mend the expectation's class, once per process."""
    from great_expectations.expectations.core import ExpectColumnQuantileValuesToBeBetween as Expectation
    from great_expectations.validator.metric_configuration import MetricConfiguration

    as_shipped = Expectation.get_validation_dependencies

    def identified(self: Any, *arguments: Any, **named: Any) -> Any:
        dependencies = as_shipped(self, *arguments, **named)
        asked: Any = dependencies.get_metric_configuration(metric_name=_METRIC)
        again = MetricConfiguration(_METRIC, asked.metric_domain_kwargs, asked.metric_value_kwargs)
        dependencies.set_metric_configuration(metric_name=_METRIC, metric_configuration=again)
        return dependencies

    Expectation.get_validation_dependencies = identified  # type: ignore[method-assign]
