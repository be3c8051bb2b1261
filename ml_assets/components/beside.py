"""What a declaration names beside itself: SQL files, functions, shared feature views. Looked at, never run."""

import ast
import importlib.util
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import duckdb

from ml_assets.components.documents import attributes_of, shared_document, shared_names
from ml_assets.components.mistakes import Mistake, nearest, shown_path
from ml_assets.components.outline import named
from ml_assets.components.places import Document, KeyPath
from ml_assets.ml.features.query import connect


def beside_mistakes(document: Document) -> Iterator[Mistake]:
    """SQL files and functions that are not there or do not parse, and feature views that are nowhere declared.

    Paths are from the top of the attributes; a mistake inside another file carries that file and its line.
    """
    attributes, folder = attributes_of(document), document.file.parent
    for path, part in _parts(attributes):
        for field in ("sql", "query"):
            if isinstance(text := part.get(field), str):
                yield from _of_sql((*path, field), text, folder, attributes)
        if isinstance(reference := part.get("function"), str) and ":" in reference:
            yield from _of_function((*path, "function"), reference, folder)
    shared = attributes.get("features_from")
    if isinstance(shared, str) and shared_document(shared, document.file) is None:
        culprit = f"`features_from` names '{shared}', which is declared neither here nor in '../{shared}/defs.yaml'"
        yield Mistake(("features_from",), culprit, nearest(shared, shared_names(document.file)))


def _parts(attributes: Mapping[str, Any]) -> Iterator[tuple[KeyPath, Mapping[str, Any]]]:
    for field in ("sources", "feature_views"):
        for position, item in named(attributes, field):
            yield (field, position), item
            if isinstance(reading := item.get("read"), Mapping):
                yield (field, position, "read"), reading
    for field in ("rows", "label"):
        if isinstance(part := attributes.get(field), Mapping):
            yield (field,), part


def _of_sql(path: KeyPath, text: str, folder: Path, attributes: Mapping[str, Any]) -> Iterator[Mistake]:
    name, file = f"`{shown_path(path, attributes)}`", None
    if text.endswith(".sql") and path[-1] == "sql":
        file = inside(folder, text)
        if file is None:
            files = sorted(str(each.relative_to(folder)) for each in folder.rglob("*.sql"))
            yield Mistake(path, f"{name} names '{text}', which is no file in {folder.name}/", nearest(text, files))
            return
        text = file.read_text(encoding="utf-8")
    if error := sql_error(text):
        reason, line = error
        if file:
            yield Mistake(path, f"SQL of {name}: {reason}", "Correct it there", file=file, line=line)
        else:
            yield Mistake(path, f"{name}: {reason}", "Correct the SQL")


def sql_error(sql: str) -> tuple[str, int] | None:
    """Why a text is no single SELECT, and the line of it; None where it is one."""
    con = connect()
    try:
        statements = con.extract_statements(sql)
    except duckdb.Error as error:
        said = str(error).splitlines()
        found = re.search(r"^LINE (\d+):", str(error), re.MULTILINE)
        return said[0], int(found[1]) if found else 1
    finally:
        con.close()
    if len(statements) != 1:
        return f"holds {len(statements)} statements, not one SELECT", 1
    if statements[0].type != duckdb.StatementType.SELECT:
        return f"is {statements[0].type.name} and no SELECT", 1
    return None


def _of_function(path: KeyPath, reference: str, folder: Path) -> Iterator[Mistake]:
    place, _, name = reference.partition(":")
    if not place.endswith(".py"):
        # Importing it would run it: only whether it is there is looked at.
        try:
            missing = importlib.util.find_spec(place) is None
        except ImportError:
            missing = True
        if missing:
            yield Mistake(path, f"'{reference}': there is no module {place}", "Install it, or correct the name")
        return
    file = inside(folder, place)
    if file is None:
        files = sorted(str(each.relative_to(folder)) for each in folder.rglob("*.py"))
        yield Mistake(path, f"'{reference}' names a file that is not in {folder.name}/", nearest(place, files))
        return
    try:
        tree = ast.parse(file.read_bytes(), filename=str(file))
    except SyntaxError as error:
        yield Mistake(path, f"{error.msg}", "Correct it there", file=file, line=error.lineno or 1)
        return
    known = [name for node in tree.body for name in _defined(node)]
    if name not in known and "*" not in known:
        yield Mistake(path, f"'{reference}': {file.name} defines no '{name}'", nearest(name, known))


def _defined(node: ast.stmt) -> Iterator[str]:
    if isinstance(node, ast.FunctionDef | ast.ClassDef):
        yield node.name
    elif isinstance(node, ast.Import | ast.ImportFrom):
        yield from (alias.asname or alias.name for alias in node.names)
    elif isinstance(node, ast.Assign):
        yield from (target.id for target in node.targets if isinstance(target, ast.Name))
    elif isinstance(node, ast.If | ast.Try):
        yield "*"  # what it defines depends on the run


def inside(folder: Path, name: str) -> Path | None:
    """A file below a folder; None where it is not there, or elsewhere."""
    path = (folder / name).resolve()
    return path if path.is_relative_to(folder.resolve()) and path.is_file() else None
