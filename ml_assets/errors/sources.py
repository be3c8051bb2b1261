"""What is wrong with a delivery or the place that rows come from."""

from ml_assets.errors.base import MLAssetsError, nearest_names


class DeliveryError(MLAssetsError):
    """Base of all that can be wrong with one delivered file; the landed data stays as it was."""


class MissingDeliveryError(DeliveryError):
    """A window's file was not delivered."""

    def __init__(self, source: str, window: str, path: object) -> None:
        super().__init__(f"Source '{source}' was not delivered for window {window}: put the file at {path}.")


class UnreadableDeliveryError(DeliveryError):
    """A delivered file is not a whole parquet file."""

    def __init__(self, source: str, window: str, reason: str) -> None:
        super().__init__(
            f"Source '{source}', window {window}: the delivered file is truncated or no parquet ({reason}). "
            "Deliver it again."
        )


class MissingColumnError(DeliveryError):
    """A declared column is not in the delivered file."""

    def __init__(self, source: str, window: str, missing: list[str], found: list[str]) -> None:
        super().__init__(
            f"Source '{source}', window {window}: column(s) {', '.join(missing)} missing; delivered were "
            f"{', '.join(found) or 'none'}{nearest_names(missing, found)}. Deliver the file again, list the column in "
            "`cleaning.optional_columns`, or take it out of the declaration."
        )


class AmbiguousColumnError(DeliveryError):
    """Two delivered columns differ in nothing but the case of their letters."""

    def __init__(self, source: str, window: str, columns: list[str]) -> None:
        super().__init__(
            f"Source '{source}', window {window}: columns {', '.join(columns)} cannot be told apart, since SQL does "
            "not distinguish upper and lower case. Rename one where they come from."
        )


class TimeColumnError(DeliveryError):
    """The rows of a window cannot be told by the column that should say their time."""

    def __init__(self, source: str, window: str, column: str, reason: str, found: list[str]) -> None:
        super().__init__(
            f"Source '{source}', window {window}: its rows are selected by '{column}', which {reason}"
            f"{nearest_names([column], found)}. Name a column with times in `read.time`."
        )


class ChangedTypeError(DeliveryError):
    """A delivered column has another type than declared."""

    def __init__(self, source: str, window: str, column: str, expected: str, found: str, *, text: bool = False) -> None:
        parse = ", set `cleaning.text_numbers` to have text parsed" if text else ""
        super().__init__(
            f"Source '{source}', window {window}: column '{column}' is {found}, declared as {expected}. "
            f"Deliver the file again{parse}, or change `columns` in the declaration."
        )


class EmptyDeliveryError(DeliveryError):
    """A window has no rows, or none that are left after cleaning."""

    def __init__(self, source: str, window: str, delivered: int = 0) -> None:
        none = f"none of {delivered} rows is left after cleaning" if delivered else "there are no rows"
        super().__init__(
            f"Source '{source}', window {window}: {none}. Deliver it again, or set `cleaning.empty_windows`."
        )


class DuplicateRowsError(DeliveryError):
    """Rows of a delivery share the key that should tell them apart, or all their columns."""

    def __init__(self, source: str, window: str, key: tuple[str, ...], rows: int, example: str) -> None:
        what = f"repeat the key ({', '.join(key)})" if key else "repeat another in all columns"
        widen = "widen the key, or " if key else ""
        super().__init__(
            f"Source '{source}', window {window}: {rows} rows {what}, e.g. {example}: the window was delivered twice "
            f"into one file, or its rows are duplicates. Deliver it once, {widen}tolerate `cleaning.exact_duplicates`."
        )


class OutsideWindowError(DeliveryError):
    """A delivery holds rows of another window, or rows without a time."""

    def __init__(self, source: str, window: str, rows: int, first: object, last: object) -> None:
        span = "they have no time" if first is None else f"they span {first} to {last}"
        super().__init__(
            f"Source '{source}', window {window}: {rows} rows lie outside the window ({span}). Another window was "
            "delivered under this name: deliver the right file; or tolerate `cleaning.outside_window`."
        )


class ToleranceError(DeliveryError):
    """A window has more of one kind of dirt than its declaration tolerates."""

    def __init__(
        self, source: str, window: str, dirt: str, count: int, rows: int, tolerance: float, field: str, example: str
    ) -> None:
        super().__init__(
            f"Source '{source}', window {window}: {dirt}: {count:,} of {rows:,} ({count / rows:.3%}; tolerated "
            f"{tolerance:.3%}), e.g. {example}. Correct the delivery, or raise `{field}`."
        )


class MissingSourceFileError(DeliveryError):
    """A declared path names no file."""

    def __init__(self, source: str, window: str, path: str, folder: object, found: list[str]) -> None:
        shown = ", ".join(found[:5]) + (" ..." if len(found) > 5 else "")
        there = f"there are {shown}" if found else "it is empty or absent"
        super().__init__(
            f"Source '{source}', window {window}: `read.path` '{path}' matches no file in {folder} ({there}). Put it "
            "there, or correct the path."
        )


class UnreadableSourceError(DeliveryError):
    """A file or database is there, but cannot be read as declared."""

    def __init__(self, source: str, window: str, what: str, reason: str) -> None:
        super().__init__(
            f"Source '{source}', window {window}: {what} cannot be read: {reason.rstrip('.')}. Correct it, or `read` "
            "in the declaration."
        )


class DatabaseAddressError(DeliveryError):
    """The address of a database is missing, or nothing answers there. The address is never shown."""

    def __init__(self, source: str, variable: str, reason: str) -> None:
        super().__init__(
            f"Source '{source}': {reason}. Set the environment variable {variable} to "
            "postgresql://user:password@host/database, and see that the database runs."
        )


class GapError(DeliveryError):
    """A source was silent for longer than declared."""

    def __init__(self, source: str, window: str, where: str, hours: float, limit: float, since: str) -> None:
        super().__init__(
            f"Source '{source}', window {window}: no rows{where} for {hours:.0f} hours from {since}; at most "
            f"{limit:.0f} are allowed. Deliver the missing rows, or raise `max_gap` in the declaration."
        )


class UnknownReferenceError(DeliveryError):
    """A column holds values that the source it refers to does not list."""

    def __init__(self, source: str, window: str, column: str, values: list[str], rows: int, to: str) -> None:
        super().__init__(
            f"Source '{source}', window {window}: {column} {', '.join(values)} in {rows} rows is unknown to {to}. "
            f"Add it there, or to `also` of that reference in the declaration."
        )
