"""A value used before it was known, and windows that are none."""

from ml_assets.errors.base import MLAssetsError


class LeakageError(MLAssetsError):
    """A value was used before it was known."""

    def __init__(self, what: str, columns: list[str], rows: int, worst: str) -> None:
        super().__init__(
            f"{what} uses what was not yet known: {', '.join(columns)} differ in {rows} rows when everything "
            f"later than `known_at` is hidden (worst: {worst}). Set `known_at` to the time the value became known, "
            "leave the column out, or order by more columns where equal rows are put in order by chance."
        )


class UnknownAtPredictionError(LeakageError):
    """All of a feature view's values became known after the predictions that would use them."""

    def __init__(self, view: str, rows: int) -> None:
        MLAssetsError.__init__(
            self,
            f"Feature view '{view}' had no value that was known at prediction time in any of {rows} rows. "
            "It becomes known too late for this problem (or its TTL is too short): leave it out.",
        )


class UnknownWindowError(MLAssetsError):
    """A partition key that is no window of the problem's cadence."""

    def __init__(self, key: str, nearest: str, kind: str) -> None:
        super().__init__(f"'{key}' is no window: windows are {kind}; use a key like '{nearest}'.")


class NeverKnownError(MLAssetsError):
    """The labels of a window become known after the last delivery."""

    def __init__(self, window: str, days: int, end: str) -> None:
        super().__init__(
            f"The labels of window {window} are known {days} days after its end, but the cadence ends on {end}: they "
            "never come. Leave the window out, or let the cadence end later."
        )


class TooLittleHistoryError(MLAssetsError):
    """There are not enough windows before a cutoff to split."""

    def __init__(self, cutoff: str, found: int, needed: int) -> None:
        super().__init__(
            f"Cutoff {cutoff} has {found} windows with known labels before it; the split needs at least {needed}. "
            "Choose a later cutoff, or smaller `test_windows` and `validation_windows`."
        )
