"""Which files a declared path names."""

import glob
from pathlib import Path

from ml_assets.errors import MissingSourceFileError
from ml_assets.spec import Source


def matching_files(source: Source, window: str, path: str, folder: Path) -> list[Path]:
    """The file, or the files that a glob matches, in the order of their names.

    Args:
        source: Whose declaration names the path, for the error.
        window: Key of the window that is read, for the error.
        path: File or glob, from `folder` or absolute.
        folder: Folder of the declaration.

    Raises:
        MissingSourceFileError: There is none.
    """
    if (folder / path).is_file():
        return [folder / path]
    matches = (folder / name for name in glob.glob(path, root_dir=folder, recursive=True))
    if files := sorted(match for match in matches if match.is_file()):
        return files
    where = (folder / path).parent
    names = sorted(entry.name for entry in where.iterdir()) if where.is_dir() else []
    raise MissingSourceFileError(source.name, window, path, where, names)
