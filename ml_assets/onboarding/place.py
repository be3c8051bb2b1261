"""Where a declaration and its data go: the folder, the path of the file as the declaration names it, the copy."""

import csv
import os
import shutil
from collections.abc import Mapping
from pathlib import Path

import pyarrow.parquet as pq
from pydantic import TypeAdapter, ValidationError

from ml_assets.errors import DeclarationExistsError, DefsFolderMissingError, ReservedNameError, UnreadableTableError
from ml_assets.files import write_atomically
from ml_assets.onboarding.sniffing import GLOB_SIGNS
from ml_assets.spec import Csv, Name, Parquet

DEFS = Path("ml_assets", "defs")
DEFS_YAML = "defs.yaml"
DATA = "data"
_NAME: TypeAdapter[str] = TypeAdapter(Name)
_PROJECT_MARKS = (".git", "pyproject.toml")


def checked_name(name: str) -> str:
    """The problem's name, which becomes a folder, tables and asset keys.

    Raises:
        ReservedNameError: It is no lower-case identifier.
    """
    try:
        return _NAME.validate_python(name)
    except ValidationError as error:
        remedy = "take lower-case letters, digits and underscores, at most 63, beginning with a letter"
        raise ReservedNameError("A problem", name, remedy) from error


def defs_folder(into: Path | None, start: Path) -> Path:
    """The folder of declarations: the one given, or `ml_assets/defs` in the working folder or above it.

    Raises:
        DefsFolderMissingError: There is none.
    """
    if into is not None:
        if not into.is_dir():
            raise DefsFolderMissingError(into)
        return into.resolve()
    for folder in (start.resolve(), *start.resolve().parents):
        if (folder / DEFS).is_dir():
            return folder / DEFS
    raise DefsFolderMissingError(start.resolve())


def require_free(path: Path, *, force: bool) -> None:
    """Refuse to overwrite.

    Raises:
        DeclarationExistsError: The file is there.
    """
    if path.exists() and not force:
        raise DeclarationExistsError(path)


def path_in(folder: Path, file: Path, start: Path) -> str:
    """The path that a declaration in `folder` names: relative where both are in one project, absolute elsewhere.

    Raises:
        UnreadableTableError: A reader would take the path for a pattern.
    """
    file = file.resolve()
    root = next((f for f in (folder, *folder.parents) if any((f / mark).exists() for mark in _PROJECT_MARKS)), start)
    path = os.path.relpath(file, folder) if file.is_relative_to(root.resolve()) else str(file)
    if any(sign in path for sign in GLOB_SIGNS):
        raise UnreadableTableError(file, f"its path has one of {' '.join(GLOB_SIGNS)}; rename the folder")
    return Path(path).as_posix()


def copy_table(path: Path, reading: Parquet | Csv, renamed: Mapping[str, str], target: Path) -> Path:
    """Copy the file, whole or not at all, with columns under their declared names.

    Args:
        path: The file.
        reading: How it is read.
        renamed: Declared name -> name in the file, where they differ.
        target: Where the copy goes.
    """
    if not renamed:
        return write_atomically(target, lambda to: _copy_bytes(path, to))
    new_names = {old: new for new, old in renamed.items()}
    if isinstance(reading, Csv):
        return write_atomically(target, lambda to: _copy_text(path, reading, new_names, to))
    return write_atomically(target, lambda to: _copy_parquet(path, new_names, to))


def _copy_bytes(path: Path, to: Path) -> None:
    shutil.copyfile(path, to)


def _copy_text(path: Path, reading: Csv, new_names: Mapping[str, str], to: Path) -> None:
    with (
        path.open(encoding=reading.encoding, newline="") as file,
        to.open("w", encoding=reading.encoding, newline="") as copy,
    ):
        header = next(csv.reader([file.readline()], delimiter=reading.delimiter))
        names = [new_names.get(name, name) for name in header]
        csv.writer(copy, delimiter=reading.delimiter, lineterminator="\n").writerow(names)
        shutil.copyfileobj(file, copy)


def _copy_parquet(path: Path, new_names: Mapping[str, str], to: Path) -> None:
    with pq.ParquetFile(path) as file:
        names = [new_names.get(name, name) for name in file.schema_arrow.names]
        schema = file.schema_arrow.remove_metadata()
        for number, name in enumerate(names):
            schema = schema.set(number, schema.field(number).with_name(name))
        with pq.ParquetWriter(to, schema, compression="zstd") as writer:
            for batch in file.iter_batches():
                writer.write_batch(batch.rename_columns(names).cast(schema))
