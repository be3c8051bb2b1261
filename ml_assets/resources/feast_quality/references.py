"""Training sets saved in Feast as references, and rows held against them: the data-quality hook as Feast documents it.

`create_saved_dataset`, `as_reference` and `to_df(validation_reference=...)` are Feast's; here belongs which rows go in
and what comes back. What a profile is stands in `profile`.
"""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa

from ml_assets.errors import NoReferenceError
from ml_assets.ml.validation.expectations import RuleResult
from ml_assets.resources.feature_store import FeatureStore
from ml_assets.spec import FeatureType, Problem
from ml_assets.telemetry import disable_telemetry

_HOURS = {"hourly": 1, "daily": 24, "weekly": 168, "monthly": 730}
"""Length of a window, whose like later rows come in: the tolerances lie in what such stretches differ by."""


def save_reference(store: FeatureStore, problem: Problem, cutoff: str, joined: pd.DataFrame, path: Path) -> int:
    """Save a training set as Feast dataset `<problem>_<cutoff>`, and its profile as a reference of that name.

    Saving it again replaces both.

    Args:
        store: Where the problem's features are applied.
        problem: The declaration.
        cutoff: What the training set is for.
        joined: Rows as `FeatureStore.training_rows` returns them.
        path: Parquet file of the saved dataset.

    Returns:
        Rules learned.
    """
    from feast.infra.offline_stores.file_source import SavedDatasetFileStorage

    from ml_assets.resources.feast_quality.profile import GEProfiler

    feast, name = _feast(store, problem), reference_name(problem, cutoff)
    with _as_stable_as_it_gets(), store.writing(problem):
        saved = feast.create_saved_dataset(
            _job(problem, joined), name, SavedDatasetFileStorage(str(path)), {"cutoff": cutoff}, allow_overwrite=True
        )
        reference = saved.as_reference(name, GEProfiler(_columns(problem), _HOURS[problem.cadence.kind]))
        rules = reference.profile.rules  # learned here, and kept with the reference
        feast.registry.apply_validation_reference(reference, feast.project)
    return len(rules)


def against_reference(
    store: FeatureStore, problem: Problem, cutoff: str, joined: pd.DataFrame
) -> tuple[RuleResult, ...]:
    """Hold rows against the training set of a cutoff.

    Args:
        store: Where the reference was saved.
        problem: The declaration.
        cutoff: Whose reference.
        joined: Rows as `FeatureStore.training_rows` returns them.

    Returns:
        One result per rule of the reference's profile.

    Raises:
        NoReferenceError: No reference was saved for that cutoff.
    """
    from feast.dqm.errors import ValidationFailed
    from feast.errors import SavedDatasetNotFound, ValidationReferenceNotFound

    feast = _feast(store, problem)
    with _as_stable_as_it_gets():
        try:
            reference = feast.get_validation_reference(reference_name(problem, cutoff))
        except (ValidationReferenceNotFound, SavedDatasetNotFound) as error:
            raise NoReferenceError(problem.name, cutoff) from error
        report = _Remembered(reference)
        try:
            _job(problem, joined).to_df(validation_reference=report)
        except ValidationFailed as failed:
            return failed.report.results  # type: ignore[attr-defined]  # it is what our profile returned
        return report.results


def reference_name(problem: Problem, cutoff: str) -> str:
    """Name of a cutoff's saved dataset and reference in Feast."""
    return f"{problem.name}_{cutoff}"


class _Remembered:
    """A reference whose results can be read when all is well, too: Feast hands them out only with its exception."""

    def __init__(self, reference: Any) -> None:
        self._reference, self.results = reference, ()

    @property
    def profile(self) -> "_Remembered":
        return self

    def validate(self, dataset: pd.DataFrame) -> Any:
        report = self._reference.profile.validate(dataset)
        self.results = report.results
        return report


def _feast(store: FeatureStore, problem: Problem) -> Any:
    disable_telemetry()
    from ml_assets.resources.feast_quality.profile import stand_in

    stand_in()
    return store.feast(problem)


def _job(problem: Problem, joined: pd.DataFrame) -> Any:
    """The joined rows as the retrieval that gave them: keys, prediction time and the features of the views."""
    from feast.infra.offline_stores.offline_store import RetrievalMetadata

    from ml_assets.resources.duckdb_offline_store import LakeRetrievalJob

    views = problem.feature_views
    keys = list(dict.fromkeys(key for view in views for key in view.entities))
    table = pa.Table.from_pandas(joined[[*keys, "event_timestamp", *_columns(problem)]], preserve_index=False)
    times = joined["event_timestamp"]
    about = RetrievalMetadata(
        [f"{view.name}:{name}" for view in views for name in view.features], keys, times.min(), times.max()
    )
    return LakeRetrievalJob(lambda: table, about)


def _columns(problem: Problem) -> dict[str, FeatureType]:
    return {name: kind for view in problem.feature_views for name, kind in view.features.items()}


@contextmanager
def _as_stable_as_it_gets() -> Iterator[None]:
    """Feast warns at every call that its hook is experimental; the pinned version and the tests answer for that."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", category=RuntimeWarning, module="feast")
        yield
