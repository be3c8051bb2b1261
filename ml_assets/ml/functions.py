"""Python functions that a declaration names: found, called, and their mistakes told in one line.

A reference is `file.py:name`, a file below the folder of the declaration, or `package.module:name`.
"""

import hashlib
import importlib
import inspect
import traceback
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pandas as pd
import pyarrow as pa

from ml_assets.errors import FunctionError


def load_function(reference: str, folder: Path) -> Callable[..., Any]:
    """The function that a reference names; a file is read afresh each time.

    Raises:
        FunctionError: It is not there, or its file cannot be loaded.
    """
    place, _, name = reference.partition(":")
    module = _from_file(reference, folder, place) if place.endswith(".py") else _from_package(reference, place)
    function = getattr(module, name, None)
    if not callable(function):
        raise FunctionError(reference, f"has no function '{name}'")
    return function


def call_function(reference: str, folder: Path, *arguments: Any) -> pa.Table:
    """What the function returns, as a table.

    Raises:
        FunctionError: As `load_function`; it fails; or it returns neither a DataFrame nor an Arrow table.
    """
    function = load_function(reference, folder)
    try:
        returned = function(*arguments)
    except Exception as error:  # noqa: BLE001  # a user's code may raise anything; it is named, not hidden
        raise FunctionError(reference, f"fails: {_last_place(error, function)}") from error
    if isinstance(returned, pd.DataFrame):
        return pa.Table.from_pandas(returned, preserve_index=False)
    if not isinstance(returned, pa.Table):
        raise FunctionError(reference, f"returns {type(returned).__name__}; return a DataFrame or an Arrow table")
    return returned


def function_hash(reference: str, folder: Path) -> str:
    """SHA-256 of the text of the function's file: another text is another version of what it computes."""
    place = reference.partition(":")[0]
    if place.endswith(".py"):
        return hashlib.sha256(_path(reference, folder, place).read_bytes()).hexdigest()
    return hashlib.sha256(inspect.getsource(_from_package(reference, place)).encode()).hexdigest()


def _path(reference: str, folder: Path, place: str) -> Path:
    path = (folder / place).resolve()
    if not path.is_relative_to(folder.resolve()) or not path.is_file():
        raise FunctionError(reference, f"names a file that is not in {folder}")
    return path


def _from_file(reference: str, folder: Path, place: str) -> ModuleType:
    path = _path(reference, folder, place)
    module = ModuleType(path.stem)
    module.__file__ = str(path)
    try:
        exec(compile(path.read_bytes(), str(path), "exec"), module.__dict__)  # noqa: S102  # the user's own code
    except Exception as error:  # noqa: BLE001  # as above
        raise FunctionError(reference, f"cannot be loaded: {type(error).__name__}: {error}") from error
    return module


def _from_package(reference: str, place: str) -> ModuleType:
    try:
        return importlib.import_module(place)
    except ImportError as error:
        raise FunctionError(reference, f"cannot be imported: {error}") from error


def _last_place(error: Exception, function: Callable[..., Any]) -> str:
    """The error with the last line of the user's own file that led to it."""
    file = inspect.getsourcefile(function) or getattr(function, "__code__").co_filename  # noqa: B009
    lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == file]
    where = f" ({Path(file).name}:{lines[-1]})" if lines else ""
    return f"{type(error).__name__}: {error}{where}"
