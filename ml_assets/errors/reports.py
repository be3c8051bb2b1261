"""Validation pages and drift reports."""

from collections.abc import Mapping

from ml_assets.errors.base import MLAssetsError


class DriftColumnsError(MLAssetsError):
    """One side of a drift comparison lacks columns."""

    def __init__(self, side: str, columns: list[str]) -> None:
        super().__init__(
            f"The {side} rows lack {', '.join(columns)}, so their drift cannot be judged. Score the window again "
            "with the current declaration; after a changed declaration, train a version first."
        )


class SummariesDifferError(MLAssetsError):
    """Summaries of different columns cannot be merged."""

    def __init__(self, columns: list[str]) -> None:
        super().__init__(
            f"Summaries cannot be merged: {', '.join(columns)} is not in all of them, or of another type. Summarise "
            "the windows again with the current declaration."
        )


class SummaryFormatError(MLAssetsError):
    """A stored summary is of another format."""

    def __init__(self, found: object, expected: int) -> None:
        super().__init__(
            f"A table summary of format {found!r} cannot be read, {expected} is needed. Delete it: it is computed "
            "again from the rows."
        )


class ValidationFailedError(MLAssetsError):
    """A table broke a critical rule, and was not written."""

    def __init__(self, refused: Mapping[str, Mapping[str, str]]) -> None:
        """Args: refused: what -> window -> what was found."""
        found = [
            f"{what} of {window} ({text})" for what, windows in refused.items() for window, text in windows.items()
        ]
        more = f"; and {len(found) - 3} more" if len(found) > 3 else ""
        super().__init__(
            f"Critical rules do not hold: {'; '.join(found[:3])}{more}. What was there before stays. See the check "
            "`great_expectations`, its Data Docs and the quarantined rows; correct the source or the rule, then run "
            "it again."
        )


class RunNameError(MLAssetsError):
    """A validation's run name cannot be a folder."""

    def __init__(self, run_name: str) -> None:
        super().__init__(
            f"Run name {run_name!r} cannot be a folder of Data Docs: use up to 100 letters, digits and "
            "`_.+-`, a letter or digit first."
        )


class DataDocsPageError(MLAssetsError):
    """Great Expectations validated, but did not render a page."""

    def __init__(self, page: str) -> None:
        super().__init__(
            f"Data Docs page '{page}' was not rendered, though the validation ran: see the log of "
            "`great_expectations` for the reason, then validate again."
        )
