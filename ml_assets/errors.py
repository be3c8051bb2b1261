"""Every deliberate error of the platform. A subclass takes data and says culprit first, then remedy."""


class MLAssetsError(Exception):
    """Base of all errors that a user can act on."""


class LeakageError(MLAssetsError):
    """A value was used before it was known."""

    def __init__(self, what: str, columns: list[str], rows: int, worst: str) -> None:
        super().__init__(
            f"{what} uses what was not yet known: {', '.join(columns)} differ in {rows} rows when everything "
            f"later than `known_at` is hidden (worst: {worst}). Set `known_at` to the time the value became known, "
            "or leave the column out."
        )


class UnknownAtPredictionError(LeakageError):
    """All of a feature view's values became known after the predictions that would use them."""

    def __init__(self, view: str, rows: int) -> None:
        MLAssetsError.__init__(
            self,
            f"Feature view '{view}' had no value that was known at prediction time in any of {rows} rows. "
            "It becomes known too late for this problem (or its TTL is too short): leave it out.",
        )
