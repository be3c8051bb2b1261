"""What is declared wrongly."""

from ml_assets.errors.base import MLAssetsError


class MissingSqlFileError(MLAssetsError):
    """A declaration names an SQL file that is not beside it."""

    def __init__(self, part: str, name: str, folder: object) -> None:
        super().__init__(f"'{part}' names the SQL file '{name}', which is not in {folder}. Write it there.")


class MissingFeatureViewsError(MLAssetsError):
    """A problem names shared feature views that are not declared."""

    def __init__(self, name: str, folder: object) -> None:
        super().__init__(
            f"`features_from: {name}` names FeatureViews that are declared neither in {folder} nor in its sibling "
            f"folder '{name}'. Declare them there, or correct the name."
        )


class UnknownProblemError(MLAssetsError):
    """No problem of that name is declared."""

    def __init__(self, name: str, known: list[str]) -> None:
        super().__init__(f"No problem '{name}' is declared; there are {', '.join(known) or 'none'}.")


class DeclarationSyntaxError(MLAssetsError):
    """A `defs.yaml` that cannot be read at all."""

    def __init__(self, file: object, line: int, what: str, remedy: str = "Correct it there") -> None:
        self.line, self.what, self.remedy = line, what, remedy
        super().__init__(f"{file}:{line}: the file {what}. {remedy}.")


class NoDeclarationError(MLAssetsError):
    """There is nothing to check at a path."""

    def __init__(self, path: object) -> None:
        super().__init__(f"There is no defs.yaml at {path}: name one, or a folder above it.")


class DeclarationError(MLAssetsError):
    """Declarations with mistakes: a line for each, all at once."""

    def __init__(self, mistakes: list[str]) -> None:
        super().__init__("\n".join(mistakes))
