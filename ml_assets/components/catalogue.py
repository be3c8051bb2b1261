"""What is declared below a folder: names only, found without building anything."""

from pathlib import Path

from ml_assets.components.declaration import DEFS_YAML, MODEL_PROBLEM, declared, read_problem
from ml_assets.errors import UnknownProblemError
from ml_assets.spec import Problem


def defs_files(root: Path) -> list[Path]:
    """All `defs.yaml` below a folder, in order of their paths."""
    return sorted(root.rglob(DEFS_YAML))


def find_problem(root: Path, name: str) -> Problem:
    """The problem of that name, wherever below the folder it is declared.

    Raises:
        UnknownProblemError: There is none.
        DeclarationError, DeclarationSyntaxError: It is declared wrongly.
    """
    names = []
    for file in defs_files(root):
        for attributes in declared(file, MODEL_PROBLEM):
            names.append(str(attributes.get("name")))
            if names[-1] == name:
                return read_problem(file, name)
    raise UnknownProblemError(name, sorted(names))
