"""The small lake of feature values with an online store that a test chooses: SQLite or a real Redis."""

from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any

from ml_assets.resources.feature_store import FeatureStore
from ml_assets.spec import Problem
from ml_assets_tests.resources.feature_lake import FeatureLake, asking


@dataclass
class OnlineLake(FeatureLake):
    """A lake whose online values lie at an address; without one in SQLite."""

    online_address: str | None = None

    @cached_property
    def store(self) -> FeatureStore:
        return self.another_store()

    def another_store(self) -> FeatureStore:
        """A store of the same registry and online values, as another process has it."""
        root = str(self.root / "feast")
        return FeatureStore(root=root, online_address=self.online_address, offline_store={"threads": 1})

    def declared_as(self, problem: Problem) -> "OnlineLake":
        """The same lake under another declaration."""
        return OnlineLake(self.root, problem, self.online_address)

    def wind(self, now: datetime, origin: str = "EWR") -> Any:
        """The value of `station:wind` online."""
        rows = self.store.online_rows(self.problem, asking((origin, 1, now)), now=now)
        return rows["wind"].tolist()[0]
