"""All that is wrong with a document of a `defs.yaml` before any data is looked at, at once.

The same when `ml-assets check` asks and when Dagster loads the component.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import ValidationError

from ml_assets.components.beside import beside_mistakes
from ml_assets.components.documents import attributes_of, component_of, shared_document
from ml_assets.components.grid import grid_mistakes
from ml_assets.components.mistakes import LocatedMistake, Mistake, locate, nearest, shown_path
from ml_assets.components.outline import Outline
from ml_assets.components.places import Document, KeyPath
from ml_assets.components.relations import relation_mistakes
from ml_assets.components.rules_files import rules_file_mistakes
from ml_assets.components.schema import MODELS, PACKAGE
from ml_assets.components.shape import field_mistakes
from ml_assets.spec import FeatureSet, ProblemDeclaration

_TOP = ("type", "attributes", "requirements", "template_vars_module", "post_processing")


def document_mistakes(document: Document) -> list[LocatedMistake]:
    """Every mistake of a document, in the order of its lines; none for a component that is not ours."""
    found = [_twin(document, twin.path, twin.first_line) for twin in document.twins]
    found += _top_level(document)
    if component := component_of(document):
        found += [m.below("attributes") for m in _of_attributes(document, component)]
    return locate(document, found)


def mistaken_fields(document: Document) -> set[str]:
    """Fields of the attributes in which the mistakes lie; "" stands for mistakes anywhere else."""
    component = component_of(document)
    found = [_twin(document, twin.path, twin.first_line) for twin in document.twins]
    if component is None or found or list(_top_level(document)):
        return {""}
    return {str(mistake.path[0]) if mistake.path else "" for mistake in _of_attributes(document, component)}


def _twin(document: Document, path: KeyPath, first_line: int) -> Mistake:
    return Mistake(path, f"`{shown_path(path, document.value)}` is there twice, first in line {first_line}", "Keep one")


def _top_level(document: Document) -> Iterator[Mistake]:
    value = document.value
    if not isinstance(value, Mapping):
        yield Mistake((), "the document is no mapping", "Begin with `type:` and `attributes:`")
        return
    kind = value.get("type")
    if not isinstance(kind, str):
        yield Mistake(("type",), "`type` is missing", f"Add {' or '.join(f'{PACKAGE}.{name}' for name in MODELS)}")
        return
    if kind.startswith("ml_assets.") and component_of(document) is None:
        yield Mistake(("type",), f"there is no component '{kind}'", nearest(kind, [f"{PACKAGE}.{m}" for m in MODELS]))
    for key in value:
        if key not in _TOP:
            yield Mistake((key,), f"`{key}` is no field", nearest(key, _TOP))
    if component_of(document) and not isinstance(value.get("attributes"), Mapping):
        yield Mistake(("attributes",), "`attributes` is missing or no mapping", "Put the declaration there")


def _of_attributes(document: Document, component: str) -> list[Mistake]:
    attributes = attributes_of(document)
    if not isinstance(document.value.get("attributes"), Mapping):
        return []
    shared = shared_document(name, document.file) if (name := attributes.get("features_from")) else None
    outline = Outline(attributes, attributes_of(shared) if shared else None)
    is_problem = MODELS[component] is ProblemDeclaration
    related = list(relation_mistakes(outline, problem=is_problem))
    # Pydantic's word on how fields fit each other counts where nothing more precise was said.
    fields = [m for m in field_mistakes(component, attributes) if not _said_already(m, related)]
    beside = [*beside_mistakes(document), *rules_file_mistakes(document, outline)]
    found = [*related, *fields, *beside, *(grid_mistakes(outline) if is_problem else ())]
    return found or list(_as_a_whole(attributes, shared))


def _said_already(mistake: Mistake, related: list[Mistake]) -> bool:
    whole = mistake.whole
    return any(r.path == mistake.path or (whole is not None and r.path[: len(whole)] == whole) for r in related)


def _as_a_whole(attributes: Mapping[str, Any], shared: Document | None) -> Iterator[Mistake]:
    """What only the complete problem, with its shared feature views, can refuse."""
    if shared is None:
        return
    try:
        features = FeatureSet.model_validate(attributes_of(shared))
    except ValidationError:
        return  # told where the feature views are declared
    try:
        ProblemDeclaration.model_validate(attributes).problem(features)
    except ValidationError as error:
        for detail in error.errors(include_url=False):
            yield Mistake((), str(detail.get("ctx", {}).get("error", detail["msg"])), "Correct the declaration")
