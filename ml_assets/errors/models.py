"""Labels, training, the search, and the files of a model."""

from ml_assets.errors.base import MLAssetsError


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
        self.reason = reason


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


class EstimatorError(MLAssetsError):
    """An estimator that a declaration or a model names is none, or fails."""

    def __init__(self, reference: str, reason: str) -> None:
        super().__init__(f"Estimator '{reference}' {reason}.")


class TooManyCategoriesError(MLAssetsError):
    """A feature has more categories than an estimator can tell apart."""

    def __init__(self, feature: str, categories: int, most: int, estimator: str) -> None:
        super().__init__(
            f"Feature '{feature}' has {categories:,} categories, and estimator {estimator} takes {most}. Join rare "
            "ones in its SQL, leave it out, or use estimator xgboost."
        )


class SearchParameterError(MLAssetsError):
    """A search that cannot be drawn, or whose parameters its estimator does not take."""

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

    def __init__(self, name: str, fault: str) -> None:
        super().__init__(
            f"Model {name} was altered after its registration ({fault}). Restore its files, or roll back to another "
            "version."
        )


class UntraceableRowError(MLAssetsError):
    """A prediction row that was asked for is not there, or what it came from."""

    def __init__(self, problem: str, window: str, reason: str) -> None:
        of = f" of window {window}" if window else ""
        super().__init__(f"The predictions of '{problem}'{of} {reason}.")
