"""Promotions, rollbacks and what the ledger knows of them."""

from collections.abc import Collection

from ml_assets.errors.base import MLAssetsError


class PromotionConflictError(MLAssetsError):
    """Production changed between the comparison with it and the decision."""

    def __init__(self, problem: str, version: int, expected: int | None, found: int | None) -> None:
        before, now = (f"version {each}" if each else "no version" for each in (expected, found))
        super().__init__(
            f"Version {version} of '{problem}' was not made production: it was to follow {before}, but {now} became "
            f"production meanwhile. Look at `ml-assets history {problem}`, then decide again."
        )


class UnknownVersionError(MLAssetsError):
    """A version that was never decided upon."""

    def __init__(self, problem: str, version: int, known: Collection[int]) -> None:
        there = f"it has {', '.join(map(str, sorted(known)))}" if known else "it has none yet"
        super().__init__(
            f"Version {version} of '{problem}' is not in the ledger ({there}). Train it, or name one of those."
        )


class AlreadyProductionError(MLAssetsError):
    """A version that is production already."""

    def __init__(self, problem: str, version: int) -> None:
        super().__init__(f"Version {version} of '{problem}' is production already: there is nothing to change.")


class NeverProductionError(MLAssetsError):
    """A rollback to a version that was never production."""

    def __init__(self, problem: str, version: int, former: Collection[int]) -> None:
        there = f"roll back to {', '.join(map(str, sorted(former)))}, or " if former else ""
        super().__init__(
            f"Version {version} of '{problem}' was never production: {there}use "
            f"`ml-assets promote {problem} {version}`."
        )


class NoFormerVersionError(MLAssetsError):
    """A rollback where nothing was production before."""

    def __init__(self, problem: str) -> None:
        super().__init__(
            f"Problem '{problem}' has no version that was production before the present one: there is nothing to roll "
            "back to. Name a version, or promote one."
        )


class DecisionTextError(MLAssetsError):
    """A reason or a user that would not be readable in the ledger."""

    def __init__(self, what: str, fault: str, most: int) -> None:
        super().__init__(f"The {what} {fault}: say it in one line of at most {most} characters.")


class MomentError(MLAssetsError):
    """A moment that cannot be read."""

    def __init__(self, text: str) -> None:
        super().__init__(
            f"'{text}' is no moment: write a date, a time or a window, e.g. 2013-06-01 or 2013-06-01T12:00+02:00."
        )


class LedgerUnavailableError(MLAssetsError):
    """The ledger's database does not answer, or is none."""

    def __init__(self, reason: str) -> None:
        # Never the address: it may hold a password.
        super().__init__(f"The ledger cannot be used: {reason}. Correct ML_ASSETS_LEDGER_URL, or start its database.")


class SegmentColumnError(MLAssetsError):
    """A segment of the gate is declared by a column that the held-out rows lack, or by values that it cannot have."""

    def __init__(self, segment: str, column: str, fault: str) -> None:
        super().__init__(
            f"Segment '{segment}' of the gate cannot be formed: column '{column}' {fault}. Correct "
            "`promotion.segments`: take a feature or a column of the rows' key."
        )
