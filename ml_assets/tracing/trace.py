"""One prediction row with all that it came from: the model version, the feature values, their views and sources.

Here belongs what a trace holds and where it is found. How it is shown is the business of `printing.py`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from ml_assets.assets.feature_versions import in_short
from ml_assets.assets.lineage import AssetColumn, joined_columns, source_note, source_origins
from ml_assets.errors import UntraceableRowError
from ml_assets.ml.features.column_lineage import EVENT
from ml_assets.ml.features.versions import view_version
from ml_assets.ml.windows import window_of
from ml_assets.resources.lake import Lake
from ml_assets.resources.ledger import Ledger
from ml_assets.resources.registry import Registry
from ml_assets.spec import Problem


@dataclass(frozen=True)
class ModelTrace:
    """The version that scored a row; what MLflow does not know of it is "".

    Attributes:
        version: Number in MLflow's registry.
        cutoff: The window that it was trained for; the partition of its dataset.
        stage: Its stage when it scored.
        stage_now: Its stage by now.
        decided_at: When the gate decided (UTC), and `decided_by` in which Dagster run.
        data_sha256: Hash of its training set's file.
        model_sha256: Hash of the model, as the ledger has it.
    """

    version: int
    cutoff: str
    stage: str
    stage_now: str
    decided_at: str
    decided_by: str
    cause: str
    data_sha256: str
    model_sha256: str
    seed: str
    code_version: str
    mlflow_run_id: str


@dataclass(frozen=True)
class FeatureTrace:
    """One feature of a row.

    Attributes:
        asset: Where it was joined from: `features/<view>`, or `rows`.
        known_at: When it became known (UTC, ISO 8601); None where no value was joined. Of request features the
            prediction time.
        version_at_scoring: Code version of the view's files that could be read when the row was scored.
        version_at_training: The same of the training set; "" for request features.
        computed_from: Source columns that the value is computed from, as `source.column`.
        rows_chosen_by: Source columns that choose the rows which go into it.
        note: Why these are an upper bound, or not those of the version that scored; "" where neither is so.
    """

    feature: str
    value: Any
    asset: str
    known_at: str | None
    version_at_scoring: str
    version_at_training: str
    computed_from: tuple[str, ...]
    rows_chosen_by: tuple[str, ...]
    note: str


@dataclass(frozen=True)
class Trace:
    """A prediction row; `rows` is how many rows of the window the given key fits, of which this is the first."""

    problem: str
    window: str
    rows: int
    key: Mapping[str, Any]
    prediction_time: str | None
    prediction: Any
    model: ModelTrace
    features: tuple[FeatureTrace, ...]


def trace(
    problem: Problem, window: str, key: Mapping[str, str], lake: Lake, ledger: Ledger, registry: Registry
) -> Trace:
    """Trace one prediction row.

    Args:
        problem: The declaration.
        window: Window in which it was scored.
        key: Column -> value, as text; the first row that fits is taken. Times without an offset are UTC.
        lake: Where the predictions lie.
        ledger: Who decided on the version.
        registry: MLflow's, for what the version was trained on.

    Raises:
        UnknownWindowError: `window` names no window.
        NotLandedError: It was not scored.
        UntraceableRowError: No row fits, a column of `key` is not there, or MLflow has lost the version.
    """
    window_of(problem.cadence, window)
    frame = lake.read_stage(problem, "predictions", window)
    about = lake.about(lake.stage(problem, "predictions", window))
    found = _matching(problem, window, frame, key)
    row = found.iloc[0]
    version = int(row["model_version"])
    tags, run_id = _registered(problem, version, registry)
    decided = ledger.version(problem, version)
    model = ModelTrace(
        version=version,
        cutoff=str(row["model_cutoff"]),
        stage=about.get("stage", "production"),
        stage_now=tags.get("stage", ""),
        decided_at=decided.at,
        decided_by=decided.by,
        cause=decided.cause,
        data_sha256=tags.get("data_sha256", ""),
        model_sha256=decided.model_sha256,
        seed=tags.get("seed", ""),
        code_version=tags.get("code_version", ""),
        mlflow_run_id=run_id,
    )
    return Trace(
        problem=problem.name,
        window=window,
        rows=len(found),
        key={name: plain(row[name]) for name in problem.rows.key},
        prediction_time=plain(row[EVENT]),
        prediction=plain(row["prediction"]),
        model=model,
        features=_features(problem, row, about.get("views", {}), tags),
    )


def plain(value: Any) -> Any:
    """A value as JSON has it: times as ISO 8601, missing as None."""
    if pd.isna(value):
        return None
    if isinstance(value, pd.Timestamp):
        return value.isoformat()
    return value.item() if hasattr(value, "item") else value


def _matching(problem: Problem, window: str, frame: pd.DataFrame, key: Mapping[str, str]) -> pd.DataFrame:
    """The rows that a key fits."""
    found = frame
    for column, text in key.items():
        if column not in frame.columns:
            usual = ", ".join(problem.rows.key)
            raise UntraceableRowError(problem.name, window, f"have no column '{column}': use {usual}")
        found = found[_equal(problem, window, found[column], text)]
    if found.empty:
        told = " and ".join(f"{column}={text}" for column, text in key.items()) or "any key: the window is empty"
        raise UntraceableRowError(problem.name, window, f"have none with {told} ({len(frame)} rows)")
    return found


def _equal(problem: Problem, window: str, values: pd.Series, text: str) -> pd.Series:
    if pd.api.types.is_datetime64_any_dtype(values):
        moment = pd.to_datetime(text, utc=True, errors="coerce")
        if pd.isna(moment):
            raise UntraceableRowError(problem.name, window, f"have times in '{values.name}', and '{text}' is none")
        return values == moment
    if pd.api.types.is_numeric_dtype(values):
        return values == pd.to_numeric(text, errors="coerce")
    return values.astype(str) == text


def _registered(problem: Problem, version: int, registry: Registry) -> tuple[dict[str, str], str]:
    """Tags and MLflow run of a version."""
    from mlflow.exceptions import MlflowException

    try:
        found = registry.client().get_model_version(problem.name, str(version))
    except MlflowException as error:
        if error.error_code != "RESOURCE_DOES_NOT_EXIST":
            raise
        reason = f"were scored by version {version}, which MLflow's registry no longer has: restore its store"
        raise UntraceableRowError(problem.name, "", reason) from error
    return dict(found.tags), str(found.run_id or "")


def _features(
    problem: Problem, row: pd.Series, scored: Mapping[str, Mapping[str, int]], tags: Mapping[str, str]
) -> tuple[FeatureTrace, ...]:
    taken = joined_columns(problem, problem.features)
    found = []
    for feature, column in taken.items():
        view = column[0].removeprefix("features/")
        joined = column[0] != view
        origin = source_origins(problem, column)
        used = in_short(scored.get(view, {})) if joined else ""
        found.append(
            FeatureTrace(
                feature=feature,
                value=plain(row[feature]),
                asset=column[0],
                known_at=plain(row[f"{view}__known_at"] if joined else row[EVENT]),
                version_at_scoring=used,
                version_at_training=tags.get(f"view.{view}", "") if joined else "",
                computed_from=tuple(f"{table}.{name}" for table, name in sorted(origin.values)),
                rows_chosen_by=tuple(f"{table}.{name}" for table, name in sorted(origin.rows)),
                note=_note(problem, column, used) if joined else source_note(problem, column),
            )
        )
    return tuple(found)


def _note(problem: Problem, column: AssetColumn, used: str) -> str:
    """What is to be known of a joined feature's source columns: they are read from the declaration as it is now."""
    declared = view_version(problem, problem.view(column[0].removeprefix("features/")))
    changed = f"The source columns are those of version {declared}, as declared by now." if used != declared else ""
    return " ".join(text for text in (changed, source_note(problem, column)) if text)
