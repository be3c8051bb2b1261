"""Replays of a problem's history."""

from ml_assets.errors.base import MLAssetsError


class NothingToReplayError(MLAssetsError):
    """History that a replay needs has not landed."""

    def __init__(self, problem: str, reason: str) -> None:
        super().__init__(
            f"'{problem}' cannot be replayed: {reason}. Land its history first: `ml-assets run {problem}`, "
            "or materialise rows, labels and features of its windows in the UI."
        )


class UnknownPolicyError(MLAssetsError):
    """A policy that a replay does not know."""

    def __init__(self, name: str) -> None:
        super().__init__(
            f"There is no policy '{name}'. Name one or more of never, every, every:N (each N-th window), any-drift and "
            "declared, with commas between them."
        )
