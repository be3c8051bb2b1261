"""Which documents a `defs.yaml` holds, and where the feature views are that a problem names. Nothing is judged here."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from ml_assets.components.places import Document, read_documents
from ml_assets.components.schema import MODELS
from ml_assets.errors import DeclarationSyntaxError

DEFS_YAML = "defs.yaml"
FEATURE_VIEWS, MODEL_PROBLEM = "FeatureViews", "ModelProblem"


def component_of(document: Document) -> str | None:
    """Class name of the component that a document declares; None where it is none of ours."""
    kind = document.value.get("type") if isinstance(document.value, Mapping) else None
    name = kind.rpartition(".")[2] if isinstance(kind, str) and kind.startswith("ml_assets.") else None
    return name if name in MODELS else None


def attributes_of(document: Document) -> Mapping[str, Any]:
    """Attributes of a document; none where it has none that are a mapping."""
    found = document.value.get("attributes") if isinstance(document.value, Mapping) else None
    return found if isinstance(found, Mapping) else {}


def documents_of(file: Path, component: str) -> Iterator[Document]:
    """The documents of a file that declare such a component.

    Raises:
        DeclarationSyntaxError: The file is no YAML.
    """
    return (document for document in read_documents(file) if component_of(document) == component)


def shared_document(name: object, file: Path) -> Document | None:
    """The FeatureViews of that name: in the same file, or in the sibling folder of that name."""
    for folder in (file.parent, file.parent.parent / str(name)):
        found = (d for d in _views_in(folder / DEFS_YAML) if attributes_of(d).get("name") == name)
        if document := next(found, None):
            return document
    return None


def shared_names(file: Path) -> list[str]:
    """Names of all FeatureViews in a file and in the sibling folders of its own."""
    files = [file, *sorted(file.parent.parent.glob(f"*/{DEFS_YAML}"))]
    return list(dict.fromkeys(str(attributes_of(d).get("name")) for each in files for d in _views_in(each)))


def _views_in(file: Path) -> list[Document]:
    if not file.is_file():
        return []
    try:
        return list(documents_of(file, FEATURE_VIEWS))
    except DeclarationSyntaxError:
        return []  # told where that file itself is looked at
