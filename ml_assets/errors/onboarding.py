"""A table that `ml-assets new` cannot make a problem of."""

from collections.abc import Collection, Mapping

from ml_assets.errors.base import MLAssetsError, nearest_names


class OnboardingError(MLAssetsError):
    """Base of all that keeps a table from becoming a declaration; nothing is written then."""


class UnreadableTableError(OnboardingError):
    """A file that is no table."""

    def __init__(self, path: object, reason: str) -> None:
        super().__init__(f"{path} cannot be used: {reason}.")


class UnknownColumnError(OnboardingError):
    """A flag names a column that the table lacks."""

    def __init__(self, flag: str, column: str, found: Collection[str]) -> None:
        near = nearest_names([column], found)
        super().__init__(f"{flag} names '{column}', which is no column{near}; columns are {', '.join(found)}.")


class UnansweredError(OnboardingError):
    """A question that nobody can be asked."""

    def __init__(self, flag: str, question: str, proposed: str, reason: str) -> None:
        super().__init__(
            f"{question} Perhaps {proposed}, which {reason}; but that is a guess. Say it with {flag}, or take all "
            "guesses with --yes."
        )


class NoTimeColumnError(OnboardingError):
    """A table without times."""

    def __init__(self, path: object, columns: Collection[str]) -> None:
        super().__init__(
            f"{path} has no column with times among {', '.join(columns)}: windows are cut by it. Add the time at which "
            "a row happened, or name it with --time (--time-format says how a text is to be read)."
        )


class TooFewWindowsError(OnboardingError):
    """Times that span too few windows to train, validate, test and score."""

    def __init__(self, span: str, windows: Mapping[str, int], needed: int) -> None:
        counted = ", ".join(f"{count} {kind}" for kind, count in windows.items()) or "none"
        super().__init__(
            f"The rows span {span}: that makes {counted} windows with known labels, and {needed} are needed. Name "
            "another --time or --cadence, or bring more history."
        )


class UnfitLabelError(OnboardingError):
    """A column that cannot be predicted, or not by that task."""

    def __init__(self, label: str, reason: str) -> None:
        super().__init__(f"Label '{label}' {reason}. Name another --label or --task.")


class NotUniqueKeyError(OnboardingError):
    """A key that several rows share."""

    def __init__(self, key: tuple[str, ...], rows: int) -> None:
        super().__init__(
            f"--key {', '.join(key)} is shared by {rows} rows: add a column, or leave --key out, and one is sought."
        )


class NoFeatureError(OnboardingError):
    """No column is left for the model."""

    def __init__(self, left_out: Mapping[str, str]) -> None:
        why = "; ".join(f"{name} {reason}" for name, reason in left_out.items()) or "the table has no further columns"
        super().__init__(f"No column is left as a feature: {why}. Add columns that tell rows apart.")


class DefsFolderMissingError(OnboardingError):
    """No folder for declarations."""

    def __init__(self, start: object) -> None:
        super().__init__(
            f"There is no ml_assets/defs in {start} or above it: go to the project's folder, or name one with --into."
        )


class DeclarationExistsError(OnboardingError):
    """A file that would be overwritten."""

    def __init__(self, path: object) -> None:
        super().__init__(f"{path} is there already: take another NAME, or overwrite it with --force.")


class ReservedNameError(OnboardingError):
    """A name that the platform, SQL or the spec keeps for itself."""

    def __init__(self, what: str, name: str, remedy: str) -> None:
        super().__init__(f"{what} cannot be called '{name}': {remedy}.")
