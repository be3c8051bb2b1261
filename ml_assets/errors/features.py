"""Computing features, storing them in Feast, reading them back."""

from ml_assets.errors.base import MLAssetsError


class QueryError(MLAssetsError):
    """The SQL of a declaration does not run, or does not return what it must."""

    def __init__(self, what: str, reason: str) -> None:
        super().__init__(f"The SQL of {what} {reason}")


class FunctionError(MLAssetsError):
    """A Python function that a declaration names is not there, fails, or returns no table."""

    def __init__(self, reference: str, reason: str) -> None:
        super().__init__(f"Function '{reference}' {reason}.")


class NotLandedError(MLAssetsError):
    """An asset needs windows that were not materialised."""

    def __init__(self, what: str, windows: list[str]) -> None:
        shown = ", ".join(windows[:5]) + (" ..." if len(windows) > 5 else "")
        super().__init__(f"{what} is not materialised for {shown}: materialise it there first.")


class OfflineReadError(MLAssetsError):
    """Stored feature values, or what was asked of them, cannot be read."""

    def __init__(self, what: str, reason: str) -> None:
        super().__init__(f"{what} {reason}.")


class FeatureColumnCollisionError(MLAssetsError):
    """Two columns of a training set would have the same name."""

    def __init__(self, where: str, columns: list[str]) -> None:
        super().__init__(f"{where} already has the column(s) {', '.join(columns)}, as feature views do: rename one.")


class NotAppliedError(MLAssetsError):
    """The Feast registry does not hold a problem as it is declared."""

    def __init__(self, problem: str, reason: str) -> None:
        super().__init__(
            f"Problem '{problem}' {reason} in the Feast registry: materialise its `feature_store` asset first."
        )


class JoinKeyTypeError(MLAssetsError):
    """A join key's type is unknown, contradictory, or not what was registered."""

    def __init__(self, key: str, reason: str) -> None:
        super().__init__(f"Join key '{key}' {reason}.")


class RowsChangedError(MLAssetsError):
    """A join lost, added or reordered rows."""

    def __init__(self, problem: str, asked: int, got: int) -> None:
        super().__init__(
            f"The point-in-time join of '{problem}' was asked for {asked} rows and gave {got}, or in another order: "
            "the rows would get foreign features. Set the offline store to LakeOfflineStore."
        )


class NoReferenceError(MLAssetsError):
    """Feast has no saved training set to hold rows against."""

    def __init__(self, problem: str, cutoff: str) -> None:
        super().__init__(
            f"Problem '{problem}' has no training set of {cutoff} saved in Feast: materialise its dataset for {cutoff}."
        )
