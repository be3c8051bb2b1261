"""Every deliberate error of the platform. A subclass takes data and says culprit first, then remedy."""

from collections.abc import Collection, Iterable, Mapping
from difflib import get_close_matches


class MLAssetsError(Exception):
    """Base of all errors that a user can act on."""


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
            f"{', '.join(found) or 'none'}{_nearest(missing, found)}. Deliver the file again, list the column in "
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
            f"{_nearest([column], found)}. Name a column with times in `read.time`."
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


class NeverKnownError(MLAssetsError):
    """The labels of a window become known after the last delivery."""

    def __init__(self, window: str, days: int, end: str) -> None:
        super().__init__(
            f"The labels of window {window} are known {days} days after its end, but the cadence ends on {end}: they "
            "never come. Leave the window out, or let the cadence end later."
        )


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

    def __init__(self, rows: str, label: str, reason: str, remedy: str = "Leave such rows out in its SQL.") -> None:
        super().__init__(f"Label '{label}' of the {rows} rows {reason}. {remedy}")


class ConstantLabelError(MLAssetsError):
    """All rows have the same label: a constant number, or one class only."""

    def __init__(self, rows: str, label: str, value: object, of: int, so: str) -> None:
        super().__init__(
            f"Label '{label}' is {value} in all {of:,} {rows} rows, so {so}. Take more windows into them "
            "(`split`), or correct the label's declaration."
        )


class UndefinedMetricError(MLAssetsError):
    """A metric was asked for that these rows do not have."""

    def __init__(self, metric: str, reason: str) -> None:
        super().__init__(f"Metric '{metric}' is undefined: {reason}. Take more rows, or declare another `metric`.")


class SearchParameterError(MLAssetsError):
    """A search that cannot be drawn, or whose parameters XGBoost does not take."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__(f"The search cannot run: {'; '.join(problems)}.")


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


class OtherTaskError(MLAssetsError):
    """The version in production was trained for another label or task than the declaration has now."""

    def __init__(self, problem: str, version: int, label: str, task: str) -> None:
        super().__init__(
            f"Version {version} of '{problem}' predicts '{label}' ({task}), which the declaration no longer says. "
            "Train a version with a cutoff of this window or earlier, or give the new problem a name of its own."
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


class NoDeclarationError(MLAssetsError):
    """There is nothing to check at a path."""

    def __init__(self, path: object) -> None:
        super().__init__(f"There is no defs.yaml at {path}: name one, or a folder above it.")


class DeclarationError(MLAssetsError):
    """Declarations with mistakes: a line for each, all at once."""

    def __init__(self, mistakes: list[str]) -> None:
        super().__init__("\n".join(mistakes))


def _nearest(missing: Iterable[str], found: Collection[str]) -> str:
    """A hint at the names that may be meant; "" where none is near."""
    lower = {name.lower(): name for name in found}
    hints = {name: get_close_matches(name.lower(), lower, n=1, cutoff=0.6) for name in missing}
    near = [f"'{lower[hint[0]]}' for '{name}'" for name, hint in hints.items() if hint]
    return f" (perhaps {', '.join(near)})" if near else ""


class OnboardingError(MLAssetsError):
    """Base of all that keeps a table from becoming a declaration; nothing is written then."""


class UnreadableTableError(OnboardingError):
    """A file that is no table."""

    def __init__(self, path: object, reason: str) -> None:
        super().__init__(f"{path} cannot be used: {reason}.")


class UnknownColumnError(OnboardingError):
    """A flag names a column that the table lacks."""

    def __init__(self, flag: str, column: str, found: Collection[str]) -> None:
        near = _nearest([column], found)
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
