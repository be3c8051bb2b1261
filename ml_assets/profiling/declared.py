"""Where the part that is profiled is declared: its spec, its file, and where its rules go."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ml_assets.components.catalogue import defs_files
from ml_assets.components.declaration import (
    DEFS_YAML,
    FEATURE_VIEWS,
    MODEL_PROBLEM,
    declared,
    read_feature_set,
    read_problem,
)
from ml_assets.components.documents import shared_document
from ml_assets.errors import NothingToProfileError, UnknownProblemError, UnknownViewError
from ml_assets.profiling.subject import Subject, dataset_subject, view_subject
from ml_assets.resources.lake import Lake
from ml_assets.spec import FeatureSet, Problem


@dataclass(frozen=True)
class DeclaredPart:
    """A problem's training set, or a feature view, as declared.

    Attributes:
        features: The problem, or the feature views.
        view: Name of the view; None of a training set.
        defs_yaml: The file that declares the part.
    """

    features: FeatureSet
    view: str | None
    defs_yaml: Path

    @property
    def file_name(self) -> str:
        """Name of the file of its rules, from the folder of `defs.yaml`."""
        return self.declared_file or f"validation/{self.view or self._problem_file}.yaml"

    @property
    def declared_file(self) -> str | None:
        """The file that the declaration names so far."""
        part: Any = self.features.view(self.view) if self.view else self.features
        return str(part.validation_file) if part.validation_file else None

    @property
    def rules_file(self) -> Path:
        """File of its rules."""
        return self.defs_yaml.parent / self.file_name

    @property
    def where(self) -> str:
        """Where in `defs.yaml` the file is named."""
        return f"under feature view {self.view}" if self.view else "under attributes"

    def subject(self, lake: Lake, *, cutoff: str | None, since: str | None, until: str | None) -> Subject:
        """Its table.

        Raises:
            NothingToProfileError: It is not there yet.
        """
        if self.view:
            return view_subject(self.features, self.features.view(self.view), lake, since=since, until=until)
        if isinstance(self.features, Problem):
            return dataset_subject(self.features, lake, cutoff)
        views = ", ".join(view.name for view in self.features.feature_views)
        raise NothingToProfileError(f"'{self.features.name}' has no training set", f"Give --view, one of {views}")

    @property
    def _problem_file(self) -> str:
        twins = sum(1 for _ in declared(self.defs_yaml, MODEL_PROBLEM))
        return "dataset" if twins == 1 else f"{self.features.name}_dataset"


def declared_part(root: Path, name: str, view: str | None) -> DeclaredPart:
    """The part of that name, wherever below a folder it is declared.

    Args:
        root: Folder of declarations.
        name: A problem, or shared feature views.
        view: A view of it; of shared ones, the file that declares them is the part's.

    Raises:
        UnknownProblemError, UnknownViewError: It is declared nowhere.
        DeclarationError, DeclarationSyntaxError: It is declared wrongly.
    """
    readers: Mapping[str, Callable[[Path, str], FeatureSet]] = {
        MODEL_PROBLEM: read_problem,
        FEATURE_VIEWS: read_feature_set,
    }
    names = []
    for component, read in readers.items():
        for file in defs_files(root):
            for attributes in declared(file, component):
                names.append(str(attributes.get("name")))
                if names[-1] == name:
                    return _part(read(file, name), view, file)
    raise UnknownProblemError(name, sorted(names))


def _part(features: FeatureSet, view: str | None, file: Path) -> DeclaredPart:
    known = [each.name for each in features.feature_views]
    if view is not None and view not in known:
        raise UnknownViewError(features.name, view, known)
    shared = shared_document(features.feature_group, file.parent / DEFS_YAML) if view else None
    return DeclaredPart(features, view, shared.file if shared else file)
