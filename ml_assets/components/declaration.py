"""A `defs.yaml` and the files it names become specs: `FeatureSet`s and `Problem`s. Nothing is run here."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, TypeVar

from ml_assets.components.beside import inside
from ml_assets.components.documents import (
    DEFS_YAML,
    FEATURE_VIEWS,
    MODEL_PROBLEM,
    attributes_of,
    documents_of,
    shared_document,
)
from ml_assets.components.places import Document
from ml_assets.components.rules_files import with_rules
from ml_assets.components.static import document_mistakes
from ml_assets.errors import DeclarationError, MissingFeatureViewsError, MissingSqlFileError
from ml_assets.spec import FeatureSet, Problem, ProblemDeclaration, Spec

__all__ = [
    "DEFS_YAML",
    "FEATURE_VIEWS",
    "MODEL_PROBLEM",
    "bound_feature_set",
    "bound_problem",
    "declared",
    "feature_set_of",
    "problem_of",
    "read_feature_set",
    "read_problem",
    "shared_features",
]

Part = TypeVar("Part", bound=Spec)


def read_problem(defs_yaml: Path, name: str | None = None) -> Problem:
    """The problem of that name (the first, where it is left out) that a `defs.yaml` declares.

    Raises:
        DeclarationError: The declaration has mistakes; all are named, each with file and line.
        DeclarationSyntaxError: The file is no YAML.
    """
    return problem_of(_document(defs_yaml, MODEL_PROBLEM, name))


def read_feature_set(defs_yaml: Path, name: str | None = None) -> FeatureSet:
    """The feature views of that name (the first, where it is left out) that a `defs.yaml` declares.

    Raises:
        DeclarationError, DeclarationSyntaxError: As `read_problem`.
    """
    return feature_set_of(_document(defs_yaml, FEATURE_VIEWS, name))


def problem_of(document: Document) -> Problem:
    """The problem that a document declares.

    Raises:
        DeclarationError: As `read_problem`.
    """
    _require_no_mistakes(document)
    return bound_problem(ProblemDeclaration.model_validate(attributes_of(document)), document.file.parent)


def feature_set_of(document: Document) -> FeatureSet:
    """The feature views that a document declares.

    Raises:
        DeclarationError: As `read_problem`.
    """
    _require_no_mistakes(document)
    return bound_feature_set(FeatureSet.model_validate(attributes_of(document)), document.file.parent)


def declared(defs_yaml: Path, component: str) -> Iterator[Mapping[str, Any]]:
    """Attributes of each component of that class in a `defs.yaml`, which may hold several documents.

    Raises:
        DeclarationSyntaxError: The file is no YAML.
    """
    return map(attributes_of, documents_of(defs_yaml, component))


def bound_problem(declaration: ProblemDeclaration, folder: Path) -> Problem:
    """The problem with its SQL files and files of rules read, and its shared features looked up.

    Raises:
        MissingSqlFileError: A named SQL file is not there.
        MissingRulesFileError: A named file of rules is not there.
        MissingFeatureViewsError: Shared feature views are not there.
        DeclarationError: Shared feature views have mistakes.
        pydantic.ValidationError: Its parts do not fit each other.
    """
    shared = shared_features(declaration.features_from, folder) if declaration.features_from else None
    problem = declaration.problem(shared)
    texts = {name: _with_sql(getattr(problem, name), name, folder) for name in ("rows", "label")}
    if shared is None:
        texts |= _with_files(problem, folder)
    return with_rules(problem, problem.name, folder).model_copy(update=texts).in_folder(folder)


def bound_feature_set(features: FeatureSet, folder: Path) -> FeatureSet:
    """The feature set with its SQL files and files of rules read.

    Raises:
        MissingSqlFileError: A named SQL file is not there.
        MissingRulesFileError: A named file of rules is not there.
    """
    return features.model_copy(update=_with_files(features, folder)).in_folder(folder)


def shared_features(name: str, folder: Path) -> FeatureSet:
    """The FeatureViews of that name: in the same file, or in the sibling folder of that name.

    Raises:
        MissingFeatureViewsError: They are in neither.
        DeclarationError: They have mistakes.
    """
    document = shared_document(name, folder / DEFS_YAML)
    if document is None:
        raise MissingFeatureViewsError(name, folder)
    return feature_set_of(document)


def _document(defs_yaml: Path, component: str, name: str | None) -> Document:
    for document in documents_of(defs_yaml, component):
        if name in (None, attributes_of(document).get("name")):
            return document
    named = f" named '{name}'" if name else ""
    raise DeclarationError([f"{defs_yaml}:1: it declares no {component}{named}. Add a document of that type."])


def _require_no_mistakes(document: Document) -> None:
    if mistakes := document_mistakes(document):
        raise DeclarationError([str(mistake) for mistake in mistakes])


def _with_files(features: FeatureSet, folder: Path) -> dict[str, Any]:
    return {
        "sources": tuple(_with_sql(source, source.name, folder) for source in features.sources),
        "feature_views": tuple(
            with_rules(_with_sql(view, view.name, folder), view.name, folder) for view in features.feature_views
        ),
    }


def _with_sql(part: Part, name: str, folder: Path) -> Part:
    sql = getattr(part, "sql")  # noqa: B009
    if sql is None or not sql.endswith(".sql"):
        return part
    path = inside(folder, sql)
    if path is None:
        raise MissingSqlFileError(name, sql, folder)
    return part.model_copy(update={"sql": path.read_text(encoding="utf-8")})
