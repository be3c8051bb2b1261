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


class UnknownWindowError(MLAssetsError):
    """A partition key that is no window of the problem's cadence."""

    def __init__(self, key: str, nearest: str, kind: str) -> None:
        super().__init__(f"'{key}' is no window: windows are {kind}; use a key like '{nearest}'.")


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
            f"{', '.join(found)}. Deliver the file again, or take the column out of the declaration."
        )


class ChangedTypeError(DeliveryError):
    """A delivered column has another type than declared."""

    def __init__(self, source: str, window: str, column: str, expected: str, found: str) -> None:
        super().__init__(
            f"Source '{source}', window {window}: column '{column}' is {found}, declared as {expected}. "
            "Deliver the file again, or change `columns` in the declaration."
        )


class EmptyDeliveryError(DeliveryError):
    """A delivered file has no rows."""

    def __init__(self, source: str, window: str) -> None:
        super().__init__(f"Source '{source}', window {window}: the delivered file has no rows. Deliver it again.")


class DuplicateRowsError(DeliveryError):
    """Rows of a delivery share the key that should tell them apart."""

    def __init__(self, source: str, window: str, key: tuple[str, ...], rows: int, example: str) -> None:
        super().__init__(
            f"Source '{source}', window {window}: {rows} rows repeat the key ({', '.join(key)}), e.g. {example}: "
            "the window was delivered twice into one file. Deliver it once, or widen the key."
        )


class OutsideWindowError(DeliveryError):
    """A delivery holds rows of another window."""

    def __init__(self, source: str, window: str, rows: int, first: str, last: str) -> None:
        super().__init__(
            f"Source '{source}', window {window}: {rows} rows lie outside the window (they span {first} to {last}): "
            "another window was delivered under this name. Deliver the right file."
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


class MissingFeaturesError(MLAssetsError):
    """Rows lack columns that the model was trained on."""

    def __init__(self, columns: list[str]) -> None:
        super().__init__(
            f"Features {', '.join(columns)} are no columns of the rows. Add them (missing values are allowed, "
            "missing columns are not), or take them out of the declaration and train again."
        )


class FeatureTypeError(MLAssetsError):
    """A column does not hold what its declared type says."""

    def __init__(self, column: str, expected: str, found: str) -> None:
        super().__init__(
            f"Column '{column}' must hold {expected}, but holds {found}. Cast it in the SQL that makes it, or "
            "change its declared type."
        )


class InfiniteFeatureError(MLAssetsError):
    """A numeric feature is infinite, or too large for float32."""

    def __init__(self, column: str, rows: int, of: int) -> None:
        super().__init__(
            f"Feature '{column}' is infinite or beyond float32 in {rows} of {of} rows. Let its SQL return NULL "
            "there (e.g. nullif(divisor, 0)): a missing value is learned from, an infinite one is a fault."
        )


class ModelFilesError(MLAssetsError):
    """A saved model cannot be read."""

    def __init__(self, folder: str, reason: str) -> None:
        super().__init__(f"Model '{folder}' cannot be read: {reason}. Fetch it again, or train it again.")


class UnusableLabelError(MLAssetsError):
    """Rows to train or to judge on have no usable label."""

    def __init__(self, rows: str, label: str, reason: str) -> None:
        super().__init__(f"Label '{label}' of the {rows} rows {reason}. Leave such rows out in its SQL.")


class SearchParameterError(MLAssetsError):
    """A search declares parameters that it must not, or that XGBoost does not know."""

    def __init__(self, names: list[str], reason: str) -> None:
        super().__init__(f"Search parameters {', '.join(names)}: {reason}.")


class LabelValuesError(MLAssetsError):
    """A binary label has values that are neither 0 nor 1."""

    def __init__(self, label: str, values: list[float]) -> None:
        shown = ", ".join(f"{value:g}" for value in values[:5])
        super().__init__(
            f"Binary label '{label}' has the value(s) {shown} beside 0 and 1. Name the one that counts as 1 in "
            "`label.positive`, or set `task` to multiclass or regression."
        )


class AllTrialsFailedError(MLAssetsError):
    """No trial of a search gave a model."""

    def __init__(self, trials: int, message: str) -> None:
        super().__init__(
            f"All {trials} trials of the search failed; the first: {message}. Correct `search.space` or `search.fixed`."
        )


class TrialNotRepeatableError(MLAssetsError):
    """Training a logged trial again gave another result."""

    def __init__(self, log: str, number: int, logged: float, now: float | None) -> None:
        super().__init__(
            f"Trial {number} of '{log}' gave {now} where the log says {logged}: the log was written on another "
            "machine or build. Delete it, and the search starts afresh."
        )


class TooLittleHistoryError(MLAssetsError):
    """There are not enough windows before a cutoff to split."""

    def __init__(self, cutoff: str, found: int, needed: int) -> None:
        super().__init__(
            f"Cutoff {cutoff} has {found} windows with known labels before it; the split needs at least {needed}. "
            "Choose a later cutoff, or smaller `test_windows` and `validation_windows`."
        )


class NoProductionVersionError(MLAssetsError):
    """No version was in production when a window began."""

    def __init__(self, problem: str, window: str) -> None:
        super().__init__(
            f"Problem '{problem}' had no production version for window {window}: train one with a cutoff of "
            f"{window} or earlier, and let it pass the gate."
        )


class AlteredModelError(MLAssetsError):
    """A model's files are not those that were registered."""

    def __init__(self, name: str, version: str) -> None:
        super().__init__(
            f"Model '{name}' version {version} was altered after its registration (its hash differs). "
            "Restore its files, or roll back to another version."
        )


class DriftColumnsError(MLAssetsError):
    """One side of a drift comparison lacks columns."""

    def __init__(self, side: str, columns: list[str]) -> None:
        super().__init__(
            f"The {side} rows lack {', '.join(columns)}, so their drift cannot be judged. Score the window again "
            "with the current declaration; after a changed declaration, train a version first."
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


class WarmStartError(MLAssetsError):
    """The fork server that run workers start from does not answer."""

    def __init__(self, modules: tuple[str, ...], reason: str) -> None:
        super().__init__(
            f"The fork server with {', '.join(modules)} preloaded started no run worker ({reason}). Its own "
            "message is in the daemon's output; take the module that fails out of `run_launcher: preload` in "
            "dagster.yaml."
        )


class OtherPythonError(MLAssetsError):
    """A code location asks for another Python environment than the one that run workers are forked from."""

    def __init__(self, location_python: str, worker_python: str) -> None:
        super().__init__(
            f"The run's code location uses {location_python}, but warm run workers are copies of "
            f"{worker_python}. Leave `executable_path` out of workspace.yaml, or use the DefaultRunLauncher."
        )


class RunFailedError(MLAssetsError):
    """A Dagster run that a command of ours started has failed."""

    def __init__(self, job: str, run_id: str, reason: str) -> None:
        super().__init__(f"Job '{job}' failed (run {run_id[:8]}): {reason}")


class UnknownProblemError(MLAssetsError):
    """No problem of that name is declared."""

    def __init__(self, name: str, known: list[str]) -> None:
        super().__init__(f"No problem '{name}' is declared; there are {', '.join(known) or 'none'}.")


class DemoError(MLAssetsError):
    """The demo cannot go on."""


class ServerError(MLAssetsError):
    """A server of ours does not start."""

    def __init__(self, name: str, reason: str, log: object) -> None:
        super().__init__(f"{name} did not start: {reason}. Its log: {log}")


class PortInUseError(MLAssetsError):
    """A port that a server of ours needs is taken."""

    def __init__(self, name: str, port: int, variable: str) -> None:
        super().__init__(f"Port {port} for {name} is in use: end what uses it, or set {variable} to another.")


class DeclarationSyntaxError(MLAssetsError):
    """A `defs.yaml` that cannot be read at all."""

    def __init__(self, file: object, line: int, what: str, remedy: str = "Correct it there") -> None:
        self.line, self.what, self.remedy = line, what, remedy
        super().__init__(f"{file}:{line}: the file {what}. {remedy}.")


class DeclarationError(MLAssetsError):
    """Declarations with mistakes: a line for each, all at once."""

    def __init__(self, mistakes: list[str]) -> None:
        super().__init__("\n".join(mistakes))
