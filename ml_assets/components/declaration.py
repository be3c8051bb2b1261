"""A `defs.yaml` and the files it names become specs: `FeatureSet`s and `Problem`s. Nothing is run here."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, TypeVar

import yaml

from ml_assets.errors import MissingFeatureViewsError, MissingSqlFileError
from ml_assets.spec import FeatureSet, Problem, ProblemDeclaration, Spec

DEFS_YAML = "defs.yaml"
FEATURE_VIEWS, MODEL_PROBLEM = "FeatureViews", "ModelProblem"

Part = TypeVar("Part", bound=Spec)


def read_problem(defs_yaml: Path) -> Problem:
    """The only problem that a `defs.yaml` declares.

    Raises:
        pydantic.ValidationError: The declaration is wrong; every mistake is named.
        MissingSqlFileError: A named SQL file is not there.
        MissingFeatureViewsError: Shared feature views are not there.
    """
    [attributes] = declared(defs_yaml, MODEL_PROBLEM)
    return bound_problem(ProblemDeclaration.model_validate(attributes), defs_yaml.parent)


def read_feature_set(defs_yaml: Path, name: str | None = None) -> FeatureSet:
    """The feature views of that name (the only ones, where it is left out) that a `defs.yaml` declares.

    Raises:
        pydantic.ValidationError, MissingSqlFileError: As `read_problem`.
    """
    found = [a for a in declared(defs_yaml, FEATURE_VIEWS) if name is None or a.get("name") == name]
    return bound_feature_set(FeatureSet.model_validate(found[0]), defs_yaml.parent)


def declared(defs_yaml: Path, component: str) -> Iterator[Mapping[str, Any]]:
    """Attributes of each component of that class in a `defs.yaml`, which may hold several documents."""
    for document in yaml.safe_load_all(defs_yaml.read_text(encoding="utf-8")):
        if isinstance(document, Mapping) and str(document.get("type", "")).rpartition(".")[2] == component:
            yield document.get("attributes") or {}


def bound_problem(declaration: ProblemDeclaration, folder: Path) -> Problem:
    """The problem with its SQL files read and its shared features looked up.

    Raises:
        As `read_problem`.
    """
    shared = shared_features(declaration.features_from, folder) if declaration.features_from else None
    problem = declaration.problem(shared)
    texts = {name: _with_sql(getattr(problem, name), name, folder) for name in ("rows", "label")}
    if shared is None:
        texts |= _with_sql_files(problem, folder)
    return problem.model_copy(update=texts).in_folder(folder)


def bound_feature_set(features: FeatureSet, folder: Path) -> FeatureSet:
    """The feature set with its SQL files read.

    Raises:
        MissingSqlFileError: A named SQL file is not there.
    """
    return features.model_copy(update=_with_sql_files(features, folder)).in_folder(folder)


def shared_features(name: str, folder: Path) -> FeatureSet:
    """The FeatureViews of that name: in the same file, or in the sibling folder of that name.

    Raises:
        MissingFeatureViewsError: They are in neither.
    """
    for place in (folder, folder.parent / name):
        file = place / DEFS_YAML
        if file.is_file() and any(found.get("name") == name for found in declared(file, FEATURE_VIEWS)):
            return read_feature_set(file, name)
    raise MissingFeatureViewsError(name, folder)


def _with_sql_files(features: FeatureSet, folder: Path) -> dict[str, Any]:
    return {
        "sources": tuple(_with_sql(source, source.name, folder) for source in features.sources),
        "feature_views": tuple(_with_sql(view, view.name, folder) for view in features.feature_views),
    }


def _with_sql(part: Part, name: str, folder: Path) -> Part:
    sql = getattr(part, "sql")  # noqa: B009
    if sql is None or not sql.endswith(".sql"):
        return part
    path = (folder / sql).resolve()
    if not path.is_relative_to(folder.resolve()) or not path.is_file():
        raise MissingSqlFileError(name, sql, folder)
    return part.model_copy(update={"sql": path.read_text(encoding="utf-8")})
