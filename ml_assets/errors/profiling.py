"""Profiles of tables, and the files of rules that they write."""

from ml_assets.errors.base import MLAssetsError


class TwoColumnsOfANameError(MLAssetsError):
    """A table whose columns cannot be told apart."""

    def __init__(self, column: str) -> None:
        super().__init__(f"The table has two columns '{column}', so no rule could say which is meant. Rename one.")


class NothingToProfileError(MLAssetsError):
    """What a profile is wanted of is not there yet."""

    def __init__(self, what: str, remedy: str) -> None:
        super().__init__(f"{what}. {remedy}.")


class UnknownViewError(MLAssetsError):
    """No feature view of that name is declared."""

    def __init__(self, name: str, view: str, known: list[str]) -> None:
        super().__init__(f"'{name}' has no feature view '{view}'; there is {', '.join(known) or 'none'}.")


class RulesFileExistsError(MLAssetsError):
    """A file of rules that a profile would overwrite."""

    def __init__(self, file: object) -> None:
        super().__init__(
            f"{file} is there already, and may have been edited. Give --force to replace it, or delete it first."
        )


class MissingRulesFileError(MLAssetsError):
    """A declaration names a file of rules that is not beside it."""

    def __init__(self, part: str, name: str, folder: object) -> None:
        super().__init__(
            f"'{part}' names the file of rules '{name}', which is not in {folder}. `ml-assets profile` writes one."
        )
