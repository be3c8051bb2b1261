"""Python functions that a declaration names: found, called, and their mistakes told in one line.

A reference is `file.py:name`, a file below the folder of the declaration, or `package.module:name`.
"""

import hashlib
import importlib
import importlib.util
import sys
import traceback
from collections.abc import Callable
from difflib import get_close_matches
from pathlib import Path
from types import ModuleType
from typing import Any

import pandas as pd
import pyarrow as pa

from ml_assets.errors import FunctionError


def load_function(reference: str, folder: Path) -> Callable[..., Any]:
    """The function that a reference names.

    A file is read afresh each time, so that an edited one counts at once; a package is imported as Python does.

    Raises:
        FunctionError: It is not there, or its file cannot be loaded.
    """
    place, _, name = reference.partition(":")
    module = _from_file(reference, folder, place) if place.endswith(".py") else _from_package(reference, place)
    function = getattr(module, name, None)
    if not callable(function):
        raise FunctionError(reference, f"has no function '{name}'{_perhaps(name, vars(module))}")
    return function


def load_from_text(reference: str, text: bytes, path: Path) -> Any:
    """What a reference names in the text of its file, which need not be at its place any more.

    Args:
        reference: `file.py:name`.
        text: Of the file.
        path: What errors call it.

    Raises:
        FunctionError: It cannot be loaded, or has no such name.
    """
    name, module = reference.partition(":")[2], _from_text(reference, text, path)
    if not hasattr(module, name):
        raise FunctionError(reference, f"has no '{name}'{_perhaps(name, vars(module))}")
    return getattr(module, name)


def file_text(reference: str, folder: Path) -> bytes:
    """The text of the file that a reference names.

    Raises:
        FunctionError: There is no such file.
    """
    return _file(reference, folder).read_bytes()


def told(error: Exception, file: Path) -> str:
    """The error in one line, with the last line of the user's own file that led to it."""
    if isinstance(error, SyntaxError):
        return f"{type(error).__name__}: {error.msg} ({Path(error.filename or file).name}:{error.lineno})"
    frames = traceback.extract_tb(error.__traceback__)
    lines = [frame.lineno for frame in frames if Path(frame.filename) == file]
    where = f" ({file.name}:{lines[-1]})" if lines else ""
    return f"{type(error).__name__}: {_line(error)}{where}"


def call_function(reference: str, folder: Path, *arguments: Any) -> pa.Table:
    """What the function returns, as a table.

    Raises:
        FunctionError: As `load_function`; it fails; or it returns neither a DataFrame nor an Arrow table.
    """
    function = load_function(reference, folder)
    try:
        returned = function(*arguments)
    except Exception as error:  # a user's code may raise anything; it is named, not hidden
        raise FunctionError(reference, f"fails: {told(error, _file(reference, folder))}") from error
    if isinstance(returned, pa.Table):
        return returned
    if not isinstance(returned, pd.DataFrame):
        raise FunctionError(reference, f"returns {type(returned).__name__}; return a DataFrame or an Arrow table")
    try:
        return pa.Table.from_pandas(returned, preserve_index=False)
    except (pa.ArrowInvalid, pa.ArrowTypeError) as error:
        raise FunctionError(reference, f"returns a DataFrame of mixed values: {_line(error)}") from error


def function_hash(reference: str, folder: Path) -> str:
    """SHA-256 of the text of the function's file: another text is another version of what it computes.

    Raises:
        FunctionError: There is no such file.
    """
    return hashlib.sha256(file_text(reference, folder)).hexdigest()


def _file(reference: str, folder: Path) -> Path:
    """The file that a reference names."""
    place = reference.partition(":")[0]
    if not place.endswith(".py"):
        spec = importlib.util.find_spec(place) if _from_package(reference, place) else None
        if spec is None or spec.origin is None or not Path(spec.origin).is_file():
            raise FunctionError(reference, f"has no source file: '{place}' is no module of Python text")
        return Path(spec.origin)
    path = (folder / place).resolve()
    if not path.is_relative_to(folder.resolve()):
        raise FunctionError(reference, f"names a file outside {folder}; put it beside the declaration")
    if not path.is_file():
        near = _perhaps(place, [str(file.relative_to(folder)) for file in folder.rglob("*.py")])
        raise FunctionError(reference, f"names a file that is not in {folder}{near}")
    return path


def _from_file(reference: str, folder: Path, place: str) -> ModuleType:
    path = _file(reference, folder)
    return _from_text(reference, path.read_bytes(), path)


def _from_text(reference: str, text: bytes, path: Path) -> ModuleType:
    # Dataclasses and the like look their module up while the file runs; afterwards nobody needs to find it.
    module = ModuleType(f"_{path.stem}_{hashlib.sha256(text + str(path).encode()).hexdigest()[:16]}")
    module.__file__ = str(path)
    sys.modules[module.__name__] = module
    try:
        exec(compile(text, str(path), "exec"), module.__dict__)  # noqa: S102  # the user's own code
    except Exception as error:  # as in `call_function`
        raise FunctionError(reference, f"cannot be loaded: {told(error, path)}") from error
    finally:
        sys.modules.pop(module.__name__, None)
    return module


def _from_package(reference: str, place: str) -> ModuleType:
    try:
        return importlib.import_module(place)
    except Exception as error:  # as in `call_function`
        raise FunctionError(reference, f"cannot be imported: {type(error).__name__}: {_line(error)}") from error


def _line(error: Exception) -> str:
    """The first line of an error's message."""
    return (str(error).splitlines() or ["no message"])[0]


def _perhaps(name: str, known: Any) -> str:
    near = get_close_matches(name, list(known), n=1)
    return f"; perhaps '{near[0]}' is meant" if near else ""
