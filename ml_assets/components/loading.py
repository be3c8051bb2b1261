"""How Dagster loads declarations: with file and line of every mistake, and as few of its own words as it allows."""

from pathlib import Path
from typing import Any

import dagster as dg

from ml_assets.components.attributes import raw
from ml_assets.components.documents import DEFS_YAML, attributes_of, documents_of
from ml_assets.components.places import Document, read_documents
from ml_assets.components.schema import PACKAGE
from ml_assets.components.static import document_mistakes
from ml_assets.errors import DeclarationError, DeclarationSyntaxError


def load_defs(package: Path) -> dg.Definitions:
    """All definitions below a package's `defs` folder.

    Dagster stops at the first component that does not load and draws its tree around the error; so all
    declarations are looked at before.

    Raises:
        DeclarationError: Declarations have mistakes; all of all files are named, each with file and line.
    """
    mistakes: list[str] = []
    for file in sorted(package.rglob(DEFS_YAML)):
        try:
            found = [mistake for document in read_documents(file) for mistake in document_mistakes(document)]
            mistakes += map(str, found)
        except DeclarationSyntaxError as error:
            mistakes.append(str(error))
    if mistakes:
        raise DeclarationError(mistakes)
    return dg.load_from_defs_folder(path_within_project=package)


def loaded_document(attributes: Any, context: dg.ComponentLoadContext, component: str) -> Document:
    """The document that the attributes stand in; one without lines where they come from no file.

    Raises:
        DeclarationSyntaxError: The file is no YAML.
    """
    written = raw(attributes)
    tree = context.resolution_context.source_position_tree
    file = Path(tree.position.filename) if tree else context.path / DEFS_YAML
    if file.is_file():
        for document in documents_of(file, component):
            if attributes_of(document) == written:
                return document
    return Document(file, {"type": f"{PACKAGE}.{component}", "attributes": written}, {(): 1})
