"""A profiler and a profile for Feast's `as_reference` and `validation_reference`, on Great Expectations 1.x.

A profile is a list of validation rules, learned by `ml.validation.profiling` and judged by
`ml.validation.expectations`. In Feast's registry both lie as JSON: Feast's own profiler keeps pickled code there,
which whoever may write the registry could have run.

Feast looks for its profiler in one module by name, whichever profiler is used; `stand_in` puts this one there.
"""

import json
import sys
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

# Subclasses of Feast's classes cannot import Feast any later; only `references` imports this module.
from feast.dqm.profilers.profiler import Profile, Profiler, ValidationError, ValidationReport  # noqa: TID253
from feast.protos.feast.core.ValidationProfile_pb2 import (  # noqa: TID253
    GEValidationProfile,
    GEValidationProfiler,
)
from pydantic import TypeAdapter

from ml_assets.ml.validation.expectations import RuleResult, judge
from ml_assets.ml.validation.profiling import Roles, learn_rules
from ml_assets.spec import FeatureType, RowCount, ValidationRule

_RULES: TypeAdapter[tuple[ValidationRule, ...]] = TypeAdapter(tuple[ValidationRule, ...])
_HOOK, _TIME = "feast.dqm.profilers.ge_profiler", "event_timestamp"


class QualityReport(ValidationReport):
    """What a profile found in a dataset; `results` has one entry per rule, in their order."""

    def __init__(self, results: Sequence[RuleResult]) -> None:
        self.results = tuple(results)

    @property
    def is_success(self) -> bool:
        """Whether every rule holds, whatever its severity."""
        return all(result.status == "passed" for result in self.results)

    @property
    def errors(self) -> list[ValidationError]:
        """The rules that do not hold, as Feast names them."""
        return [
            ValidationError(
                check_name=result.rule,
                column_name=result.column or "",
                check_config={"severity": result.severity, "notes": result.notes},
                unexpected_percent=None if result.unexpected_share is None else 100 * result.unexpected_share,
            )
            for result in self.results
            if result.status != "passed"
        ]


class GEProfile(Profile):
    """Validation rules, judged by Great Expectations. (The name is the one that Feast asks for.)"""

    def __init__(self, rules: Sequence[ValidationRule]) -> None:
        self.rules = tuple(rules)

    def validate(self, dataset: pd.DataFrame) -> QualityReport:
        """Judge every rule on a frame that has the rules' columns."""
        return QualityReport(judge(dataset, self.rules))

    def to_proto(self) -> GEValidationProfile:
        """As Feast's registry keeps it: JSON."""
        return GEValidationProfile(expectation_suite=_RULES.dump_json(self.rules))

    @classmethod
    def from_proto(cls, proto: GEValidationProfile) -> "GEProfile":
        """From Feast's registry.

        Raises:
            pydantic.ValidationError: It holds something else than rules of this version.
        """
        return cls(_RULES.validate_json(proto.expectation_suite))


class GEProfiler(Profiler):
    """Learns a profile from a saved dataset. (The name is the one that Feast asks for.)

    Args:
        columns: Columns that are profiled, with their types; others of the dataset (keys, times) are left out.
        hours: Length of the stretches that later rows come in; the tolerances lie in what such stretches differ by.
    """

    def __init__(self, columns: Mapping[str, FeatureType], hours: int) -> None:
        self.columns, self.hours = dict(columns), hours

    def analyze_dataset(self, dataset: pd.DataFrame) -> GEProfile:
        """Rules for the columns, each for one stretch of rows."""
        roles = Roles(types=self.columns, per_part=True, part=f"stretches of {self.hours} hours")
        rules = learn_rules(dataset[list(self.columns)], parts=self._parts(dataset[_TIME]), roles=roles)
        # How many rows come at once is up to who asks, and says nothing of the features.
        return GEProfile([rule for rule in rules if not isinstance(rule, RowCount)])

    def to_proto(self) -> GEValidationProfiler:
        """As Feast's registry keeps it: JSON where Feast's own has pickled code."""
        body = json.dumps({"columns": self.columns, "hours": self.hours}).encode()
        return GEValidationProfiler(profiler=GEValidationProfiler.UserDefinedProfiler(body=body))

    @classmethod
    def from_proto(cls, proto: GEValidationProfiler) -> "GEProfiler":
        """From Feast's registry; nothing in it is run.

        Raises:
            ValueError, KeyError: It holds something else, e.g. the pickled code of Feast's own profiler.
        """
        found: dict[str, Any] = json.loads(proto.profiler.body)
        return cls(found["columns"], int(found["hours"]))

    def _parts(self, times: pd.Series) -> np.ndarray:
        """(n,) which stretch, from the first time on, each time lies in."""
        return ((times - times.min()) // pd.Timedelta(hours=self.hours)).to_numpy()


def stand_in() -> None:
    """Have Feast find this module where it looks for its own profiler, which Great Expectations 1.x cannot load."""
    sys.modules[_HOOK] = sys.modules[__name__]
