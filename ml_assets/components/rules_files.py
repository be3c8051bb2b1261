"""Files of validation rules beside a declaration: read, judged as if they stood in it, and put behind its own rules.

Mistakes are named with the file and the line of the rule. What a rule may say is the spec's; which columns there are,
`columns.py`'s.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import TypeVar

from ml_assets.components.beside import inside
from ml_assets.components.columns import rule_column_mistakes
from ml_assets.components.documents import attributes_of
from ml_assets.components.mistakes import Mistake, nearest, shown_path
from ml_assets.components.outline import Outline
from ml_assets.components.places import Document, KeyPath, read_documents
from ml_assets.components.schema import RuleList
from ml_assets.components.shape import rule_mistakes
from ml_assets.errors import DeclarationSyntaxError, MissingRulesFileError
from ml_assets.spec import Spec, ValidationRule
from ml_assets.spec.validation import YAML_FILE

FIELD = "validation_file"
Part = TypeVar("Part", bound=Spec)


def with_rules(part: Part, name: str, folder: Path) -> Part:
    """A feature view, or a problem, with the rules of its file behind its own.

    Raises:
        MissingRulesFileError: There is no such file in the folder.
        DeclarationSyntaxError, pydantic.ValidationError: It has mistakes; `rules_file_mistakes` names them.
    """
    own: tuple[ValidationRule, ...] = getattr(part, "validation")  # noqa: B009
    file_name: str | None = getattr(part, FIELD)
    if file_name is None:
        return part
    return part.model_copy(update={"validation": (*own, *_beside(file_name, name, folder))})


def read_rules(file: Path) -> tuple[ValidationRule, ...]:
    """The rules of a file that has no mistakes.

    Raises:
        DeclarationSyntaxError, pydantic.ValidationError: It has.
    """
    documents = read_documents(file)
    return RuleList.model_validate({"validation": documents[0].value if documents else []}).validation


def _beside(file_name: str, part: str, folder: Path) -> tuple[ValidationRule, ...]:
    file = inside(folder, file_name)
    if file is None:
        raise MissingRulesFileError(part, file_name, folder)
    return read_rules(file)


def rule_line(file: Path, position: int) -> int:
    """The line of a rule in its file."""
    return read_documents(file)[0].line((position,))


def rules_file_mistakes(document: Document, outline: Outline) -> Iterator[Mistake]:
    """Files of rules that are not there, and what is wrong in those that are, each at its line there.

    Paths are from the top of the attributes.
    """
    attributes, folder = attributes_of(document), document.file.parent
    parts: list[tuple[KeyPath, object]] = [((), attributes.get(FIELD))]
    parts += [(("feature_views", position), view.get(FIELD)) for position, view in outline.own_views]
    for path, name in parts:
        if not isinstance(name, str) or not re.search(YAML_FILE, name):
            continue
        file = inside(folder, name)
        if file is None:
            files = sorted(str(each.relative_to(folder)) for each in folder.rglob("*.yaml") if each != document.file)
            shown = shown_path((*path, FIELD), attributes)
            remedy = nearest(name, files) if files else "Let `ml-assets profile` write one"
            yield Mistake((*path, FIELD), f"`{shown}` names '{name}', which is no file in {folder.name}/", remedy)
        else:
            yield from _of_file((*path, FIELD), file, outline, (*path, "validation"))


def _of_file(path: KeyPath, file: Path, outline: Outline, judges: KeyPath) -> Iterator[Mistake]:
    try:
        documents = read_documents(file)
    except DeclarationSyntaxError as error:
        yield Mistake(path, f"the file {error.what}", error.remedy, file=file, line=error.line)
        return
    if len(documents) > 1:
        what, line = f"the file holds {len(documents)} documents", documents[1].line(())
        yield Mistake(path, what, "Keep one list of rules", file=file, line=line)
    for document in documents[:1]:
        for twin in document.twins:
            what = f"`{shown_path(twin.path, document.value)}` is there twice, first in line {twin.first_line}"
            yield Mistake(path, what, "Keep one", file=file, line=twin.line)
        if not isinstance(document.value, list):
            yield Mistake(path, "the file is no list of rules", "Write a rule a line, each `- {kind: ...}`", file=file)
            return
        wrong = list(rule_mistakes(document.value))
        wrong += [_moved(m, judges) for m in rule_column_mistakes(outline, document.value, judges)]
        for mistake in wrong:
            line = document.line(mistake.path[1:])
            yield Mistake(path, mistake.culprit, mistake.remedy, file=file, line=line)


def _moved(mistake: Mistake, judges: KeyPath) -> Mistake:
    """With the path that it has in the file: under `validation` at the top."""
    return Mistake(("validation", *mistake.path[len(judges) :]), mistake.culprit, mistake.remedy)
