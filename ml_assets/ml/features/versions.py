"""Versions of declared parts: what makes a table that was computed before another one than would be computed now.

Here belongs what counts as a change. Who compares versions (Dagster's stale marks, the registry) is elsewhere.
A version of a table holds the versions of all that it is computed from, down to the sources: so an edited SELECT is
seen at once everywhere below it, before anything has run again. Text counts, also a comment in it.
"""

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ml_assets.ml.features.functions import function_hash
from ml_assets.spec import (
    Computation,
    FeatureSet,
    FeatureView,
    Problem,
    Python,
    RowRule,
    Search,
    Source,
    Spec,
    ValidationRule,
)

_NOT_COMPUTED = {"description", "notes", "validation", "validation_file", "ttl_hours", "parity"}
"""Fields that say nothing of how rows are computed: a new rule or TTL leaves a view's rows as they are."""


def code_version(part: Spec, folder: Path | None = None) -> str:
    """Version of a declared part by itself: it changes when, and only when, the declaration or a file of its code does.

    Args:
        part: A feature view, the rows, the label, a source, a search, or a whole problem.
        folder: Where the file of a declared function is looked up.

    Returns:
        12 hexadecimal digits.

    Raises:
        FunctionError: The declared function is not there.
    """
    declared = part.model_dump(mode="json", exclude=_NOT_COMPUTED if isinstance(part, Computation | Source) else None)
    digest = hashlib.sha256(json.dumps(declared, sort_keys=True).encode())
    function = _function_of(part)
    if function and folder is not None:
        digest.update(function_hash(function, folder).encode())
    return digest.hexdigest()[:12]


def source_version(features: FeatureSet, source: Source) -> str:
    """Version of a landed source: of its declaration, its loading function, and the sources that its SQL reads."""
    read = [features.source(name) for name in sorted(sources_read(features, source))]
    return _combined(code_version(source, _folder(features, source)), [code_version(other) for other in read])


def sources_read(features: FeatureSet, source: Source) -> set[str]:
    """Other sources that the contract or the landing SQL of a source looks into."""
    words = set((source.sql or "").replace(".", " ").replace("(", " ").split())
    named = words | {reference.source for reference in source.references}
    return {other.name for other in features.sources if other.name in named and other.name != source.name}


def view_version(features: FeatureSet, view: FeatureView) -> str:
    """Version of a view's rows: of its SQL or function, its sources, and the rules that set rows aside.

    Each file of the view, and each model version trained on it, carries it.
    """
    return _combined(_computed(features, view), _set_aside(view.validation))


def rows_version(problem: Problem) -> str:
    """Version of the rows to score."""
    return _computed(problem, problem.rows)


def labels_version(problem: Problem) -> str:
    """Version of the labels."""
    return _combined(_computed(problem, problem.label), problem.task)


def training_version(problem: Problem) -> str:
    """Version of a training set's rows: rows, labels, the views used with their TTLs, and the split."""
    parts = (scoring_version(problem), labels_version(problem), code_version(problem.split))
    return _combined(*parts, _set_aside(problem.validation))


def dataset_version(problem: Problem) -> str:
    """Version of the dataset and of what is checked of it."""
    return _combined(training_version(problem), [rule.model_dump_json() for rule in problem.validation])


def search_version(problem: Problem) -> str:
    """Version of the tuned model: the training set's, the search, its seed included, and how it was computed.

    Not where a cluster is: the same search on another one is the same search.
    """
    place = problem.compute.model_dump(mode="json", exclude={"spark_master", "spark_settings", "gpu_required"})
    return _combined(training_version(problem), code_version(problem.search, problem.folder), place)


def gate_version(problem: Problem) -> str:
    """Version of the registered version: the tuned model's, and the promotion gate."""
    return _combined(search_version(problem), code_version(problem.promotion))


def scoring_version(problem: Problem) -> str:
    """Version of what a model sees when it scores: rows, the views used with their TTLs, the order of the features.

    Not the model's: a past window was scored by who was production then, and stays so after a new training.
    """
    views = [[view.name, view.ttl_hours, view_version(problem, view)] for view in problem.feature_views]
    return _combined(rows_version(problem), views, problem.features, problem.task, problem.label.name)


def _computed(features: FeatureSet, part: Computation) -> str:
    sources = [source_version(features, features.source(name)) for name in part.sources]
    return _combined(code_version(part, _folder(features, part)), sources)


def _set_aside(rules: Sequence[ValidationRule]) -> list[str]:
    """The rules that take rows out of a table."""
    return [rule.model_dump_json() for rule in rules if isinstance(rule, RowRule) and rule.max_quarantined > 0]


def _function_of(part: Spec) -> str | None:
    if isinstance(part, Computation):
        return part.function
    if isinstance(part, Search):
        return part.own_estimator
    return part.read.function if isinstance(part, Source) and isinstance(part.read, Python) else None


def _folder(features: FeatureSet, part: Spec) -> Path:
    """Where a part's function is looked up: of a shared source or view, beside the FeatureViews that declare it."""
    place = (_function_of(part) or "").partition(":")[0]
    if isinstance(features, Problem) and features.features_from and isinstance(part, Source | FeatureView):
        shared = features.folder.parent / features.features_from
        if (shared / place).is_file():
            return shared
    return features.folder


def _combined(*parts: Any) -> str:
    return hashlib.sha256(json.dumps(parts, default=str).encode()).hexdigest()[:12]
