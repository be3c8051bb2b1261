"""All declarations below some paths, each with what is wrong with it. Output is the business of `report.py`."""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

from ml_assets.checking.complaints import Complaints
from ml_assets.checking.data import Looked, look_at_features, look_at_problem
from ml_assets.components.declaration import feature_set_of, problem_of
from ml_assets.components.documents import (
    DEFS_YAML,
    FEATURE_VIEWS,
    MODEL_PROBLEM,
    attributes_of,
    component_of,
    shared_document,
)
from ml_assets.components.mistakes import LocatedMistake, Mistake, locate
from ml_assets.components.places import Document, read_documents
from ml_assets.components.static import document_mistakes, mistaken_fields
from ml_assets.errors import DeclarationError, DeclarationSyntaxError, NoDeclarationError
from ml_assets.ml.search.checks import problems_of_search
from ml_assets.resources.lake import Lake

_OPTIONAL = {
    *("description", "metric", "split", "validation", "validation_file", "search"),
    *("promotion", "drift", "quality", "retraining"),
}
"""Fields without which the rest of a declaration can still be looked at."""


@dataclass
class Checked:
    """One declaration: what it is, what was looked at, and what is wrong."""

    file: Path
    name: str
    component: str
    task: str = ""
    notes: list[str] = field(default_factory=list)
    mistakes: list[LocatedMistake] = field(default_factory=list)


def files_of(paths: Iterable[Path]) -> list[Path]:
    """The `defs.yaml` that paths name: files themselves, and all below folders.

    Raises:
        NoDeclarationError: There is none at a path.
    """
    found: dict[Path, None] = {}
    for path in paths:
        files = [path] if path.is_file() else sorted(path.rglob(DEFS_YAML))
        if not files:
            raise NoDeclarationError(path)
        found |= dict.fromkeys(files)
    return list(found)


def check(files: Iterable[Path], lake: Lake | None) -> Iterator[Checked]:
    """Check declarations one after the other.

    Args:
        files: Each a `defs.yaml`.
        lake: Where windows land that are looked at, and where deliveries lie; None to look at no data.

    Yields:
        One result per declaration; per file where a file cannot be read.
    """
    documents: list[Document] = []
    for file in files:
        try:
            documents += read_documents(file)
        except DeclarationSyntaxError as error:
            mistake = LocatedMistake(file, error.line, f"the file {error.what}", error.remedy)
            yield Checked(file, file.parent.name, "", mistakes=[mistake])
    documents += _shared_by(documents)
    twins = Counter(attributes_of(d).get("name") for d in documents if component_of(d))
    looked: dict[str, Looked] = {}
    # A problem on shared feature views looks at what those have landed.
    for document in sorted(documents, key=lambda d: component_of(d) != FEATURE_VIEWS):
        result = _checked(document, twins, lake, looked)
        if result.component or result.mistakes:
            yield result


def _shared_by(documents: list[Document]) -> list[Document]:
    """Feature views that are named and not among the documents, each once."""
    known = {(d.file.resolve(), d.line(())) for d in documents}
    found = {}
    for document in documents:
        name = attributes_of(document).get("features_from")
        shared = shared_document(name, document.file) if name and component_of(document) == MODEL_PROBLEM else None
        if shared and (place := (shared.file.resolve(), shared.line(()))) not in known:
            found[place] = shared
    return list(found.values())


def _checked(document: Document, twins: Counter, lake: Lake | None, looked: dict[str, Looked]) -> Checked:
    attributes, component = attributes_of(document), component_of(document) or ""
    name = str(attributes.get("name", document.file.parent.name))
    result = Checked(document.file, name, component, mistakes=document_mistakes(document))
    if component and twins[attributes.get("name")] > 1:
        culprit = f"'{name}' is the name of {twins[name]} declarations"
        result.mistakes += locate(document, [Mistake(("attributes", "name"), culprit, "Rename all but one")])
    # The rest can be looked at all the same, so that all mistakes are told at once.
    sound = _without_mistakes(document) if result.mistakes else document
    if sound is None:
        return result
    complaints = Complaints(attributes)
    if component == FEATURE_VIEWS and lake:
        features = feature_set_of(sound)
        looked[features.name] = look_at_features(features, complaints, lake)
        result.notes = looked[features.name].notes
    elif component == MODEL_PROBLEM:
        _check_problem(sound, complaints, lake, looked, result)
    found = locate(document, [mistake.below("attributes") for mistake in complaints.mistakes])
    result.mistakes = sorted({*result.mistakes, *found})
    return result


def _without_mistakes(document: Document) -> Document | None:
    """The document less the optional fields that have mistakes; None where others have them."""
    wrong = mistaken_fields(document)
    if not wrong <= _OPTIONAL:
        return None
    attributes = {name: value for name, value in attributes_of(document).items() if name not in wrong}
    reduced = replace(document, value={**document.value, "attributes": attributes})
    return None if document_mistakes(reduced) else reduced


def _check_problem(
    document: Document, complaints: Complaints, lake: Lake | None, looked: dict[str, Looked], result: Checked
) -> None:
    shared = attributes_of(document).get("features_from")
    try:
        problem = problem_of(document)
    except DeclarationError:
        result.notes.append(f"not looked at further: '{shared}', whose views it uses, has mistakes")
        return
    result.task = problem.task
    for text in problems_of_search(problem.search, problem.task, problem.features, problem.folder):
        complaints.add(("search",), text)
    if lake is None:
        return
    if shared is None:
        looked[problem.name] = look_at_features(problem, complaints, lake)
        result.notes += looked[problem.name].notes
    result.notes += look_at_problem(problem, complaints, looked[problem.feature_group])
