"""What Dagster's UI says of a partition: whether it is up to date, and if not, why."""

import dagster as dg
from dagster._core.definitions.data_version import CachingStaleStatusResolver, StaleCauseCategory
from dagster._core.loader import LoadingContextForTest

from ml_assets.spec import Problem
from ml_assets_tests.scenario import Scenario


class Stale:
    """What Dagster's UI says of a partition, by the resolver that answers it, under another declaration."""

    def __init__(self, scenario: Scenario, problem: Problem) -> None:
        graph = Scenario(problem, scenario.home, scenario.instance).defs.resolve_asset_graph()
        context = LoadingContextForTest(scenario.instance)
        self._resolver = CachingStaleStatusResolver(scenario.instance, graph, context)

    def causes(self, key: dg.AssetKey, partition: str) -> set[tuple[StaleCauseCategory, str]]:
        """Category and reason; empty when fresh."""
        assert self._resolver.get_status(key, partition).value != "MISSING"
        found = self._resolver.get_stale_root_causes(key, partition)
        return {(cause.category, cause.reason) for cause in found}
