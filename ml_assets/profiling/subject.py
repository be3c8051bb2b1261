"""What is profiled: a training set, or landed windows of a feature view, with parts and the roles of its columns."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ml_assets.assets import keys
from ml_assets.errors import NothingToProfileError
from ml_assets.ml.training.dataset import LABEL_KNOWN, SPLIT
from ml_assets.ml.validation.profiling import Roles
from ml_assets.ml.windows import Window, window_of, windows_over
from ml_assets.resources.lake import Lake
from ml_assets.spec import Cadence, FeatureSet, FeatureView, Problem

EVENT, KNOWN = "event_timestamp", "known_at"
_PARTS = {"hourly": "hours", "daily": "days", "weekly": "weeks", "monthly": "months"}


@dataclass(frozen=True)
class Subject:
    """A table to profile.

    Attributes:
        title: What it is, e.g. "Training set of flights for 2013-09-09".
        what: The same as a file name, e.g. "dataset".
        span: From when to when, e.g. "34 weeks, 2013-01-14 to 2013-09-02".
        frame: (n, k) its rows.
        parts: (n,) text, the window of each row.
        roles: What its columns are.
    """

    title: str
    what: str
    span: str
    frame: pd.DataFrame
    parts: NDArray[np.object_]
    roles: Roles


def dataset_subject(problem: Problem, lake: Lake, cutoff: str | None) -> Subject:
    """The training set of a cutoff, by default the newest that is there.

    Raises:
        NothingToProfileError: There is none.
        UnknownWindowError: The cutoff is no window.
    """
    folder = lake.stage(problem, "dataset", "any").parent
    there = sorted(path.stem for path in folder.glob("*.parquet"))
    wanted = window_of(problem.cadence, cutoff).key if cutoff else there[-1] if there else None
    if wanted not in there:
        what = f"There is no training set of '{problem.name}'" + (f" for {cutoff}" if cutoff else "")
        at = f" --cutoff {cutoff}" if cutoff else ""
        others = f"Take one of {', '.join(there[-5:])}, or run" if there else "Run"
        asset = keys.stage(problem, "dataset").to_user_string()
        command = f"`ml-assets run {problem.name}{at}`, or materialise {asset}"
        raise NothingToProfileError(what, f"{others} {command}")
    frame = lake.read_stage(problem, "dataset", wanted)
    parts = window_keys(problem.cadence, frame[EVENT] + timedelta(hours=problem.rows.horizon_hours))
    return Subject(
        title=f"Training set of {problem.name} for {wanted}",
        what="dataset",
        span=_span(problem.cadence, parts),
        frame=frame,
        parts=parts,
        roles=dataset_roles(problem),
    )


def view_subject(
    features: FeatureSet, view: FeatureView, lake: Lake, *, since: str | None = None, until: str | None = None
) -> Subject:
    """The landed windows of a feature view.

    Args:
        features: Whose view it is.
        view: The view.
        lake: Where its windows lie.
        since: First window that counts; by default the first there is.
        until: Last window that counts; by default the last there is.

    Raises:
        NothingToProfileError: None of them is there.
        UnknownWindowError: `since` or `until` is no window.
    """
    first, last = (window_of(features.cadence, key).key if key else None for key in (since, until))
    files = sorted(lake.view(features, view.name).glob("*.parquet"), key=lambda path: path.stem)
    files = [f for f in files if (first is None or f.stem >= first) and (last is None or f.stem <= last)]
    if not files:
        asset = keys.features(features, view.name).to_user_string()
        within = "".join(f" {word} {key}" for word, key in (("since", since), ("until", until)) if key)
        what = f"No window of feature view '{view.name}' has landed{within}"
        raise NothingToProfileError(what, f"Materialise {asset}, or run `ml-assets run` with a problem that uses it")
    frame, parts = _read(files, lake)
    if frame.empty:
        raise NothingToProfileError(f"No window of feature view '{view.name}' has a row", "Look at its SQL")
    return Subject(
        title=f"Feature view {view.name} of {features.name}",
        what=view.name,
        span=_span(features.cadence, parts),
        frame=frame,
        parts=parts,
        roles=view_roles(features, view),
    )


def dataset_roles(problem: Problem) -> Roles:
    """What the columns of a training set are; those that the platform itself adds and judges have no rules."""
    return Roles(
        key=problem.rows.key,
        required=(EVENT, problem.label.name, LABEL_KNOWN),
        types=problem.features,
        leave_out=(SPLIT, *(f"{view.name}__{KNOWN}" for view in problem.feature_views)),
        part=_PARTS[problem.cadence.kind],
        timezone=problem.cadence.timezone,
    )


def view_roles(features: FeatureSet, view: FeatureView) -> Roles:
    """What the columns of a feature view are; its windows are judged one by one."""
    return Roles(
        key=(*view.entities, EVENT),
        required=(KNOWN,),
        types=view.features,
        part=_PARTS[features.cadence.kind],
        timezone=features.cadence.timezone,
        per_part=True,
    )


def window_keys(cadence: Cadence, times: pd.Series) -> NDArray[np.object_]:
    """(n,) key of the window that each time lies in; the nearest for times outside the cadence."""
    first, last = times.min().to_pydatetime(), times.max().to_pydatetime()
    windows: Sequence[Window] = windows_over(cadence, first, last + timedelta(microseconds=1))
    starts = np.array([np.datetime64(w.start.replace(tzinfo=None), "us") for w in windows])
    at = times.dt.tz_convert("UTC").dt.tz_localize(None).to_numpy(dtype="datetime64[us]")
    place = np.clip(np.searchsorted(starts, at, side="right") - 1, 0, len(windows) - 1)
    return np.array([w.key for w in windows], dtype=object)[place]


def _read(files: Sequence[Path], lake: Lake) -> tuple[pd.DataFrame, NDArray[np.object_]]:
    tables = [lake.read("", [file]) for file in files]
    frame = lake.read("", files).to_pandas()
    windows = np.repeat([file.stem for file in files], [table.num_rows for table in tables])
    return frame, windows.astype(object)


def _span(cadence: Cadence, parts: NDArray[np.object_]) -> str:
    found = sorted(set(parts))
    return f"{len(found)} {_PARTS[cadence.kind]}, {found[0]} to {found[-1]}"
