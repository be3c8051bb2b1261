"""Whether what was looked at can be trained on: rows in every part, labels that differ, join keys, known features."""

from pathlib import Path

import pandas as pd
import pyarrow as pa

from ml_assets.checking.labels import LabelLook
from ml_assets.checking.parts import Parts
from ml_assets.checking.views import ViewLook, known_in_time
from ml_assets.components.mistakes import nearest
from ml_assets.components.places import KeyPath
from ml_assets.components.rules_files import rule_line
from ml_assets.errors import FeatureColumnCollisionError, UnknownAtPredictionError
from ml_assets.ml.features.compute import EVENT
from ml_assets.ml.windows import Window
from ml_assets.spec import Problem
from ml_assets.spec.validation import columns_of

_OF_THE_PLATFORM = (EVENT, "split", "label_known_at")


def judge_labels(labels: LabelLook, parts: Parts) -> None:
    """Complain of parts without labelled rows, of constant labels, and of one class only."""
    problem, everything = labels.problem, labels.values(parts.windows)
    if not any(key in labels.labelled for key in (w.key for w in parts.windows)):
        return  # said already, why
    name, kind = problem.label.name, "value" if problem.task == "regression" else "class"
    if len(everything) and everything.nunique() == 1:
        culprit = f"the label '{name}' is {_shown(everything)} in all {len(everything):,} rows that were looked at"
        labels.complaints.add(
            ("label",), culprit, "Correct what computes it: there is nothing to learn", field=("name",)
        )
        return
    for part, windows in parts.looked_at.items():
        values = labels.values(windows)
        span = f"{windows[0].key} to {windows[-1].key}" if len(windows) > 1 else windows[0].key
        place = () if part == "train" else (f"{part}_windows",)
        if len(values) == 0 and parts.whole[part]:
            culprit = f"no row of the {part} windows ({span}) has a label"
            labels.complaints.add(("split",), culprit, _wider(part), field=place)
        elif len(values) and values.nunique() == 1 and (parts.whole[part] or problem.task == "regression"):
            culprit = f"all {len(values):,} rows of the {part} windows ({span}) have one {kind}, {_shown(values)}"
            labels.complaints.add(("split",), culprit, _wider(part), field=place)


def judge_features(labels: LabelLook, views: list[ViewLook], windows: list[Window]) -> dict[str, float]:
    """Complain of join keys that are not there and of views that are never known in time.

    Args:
        labels: The rows.
        views: Computed around the windows.
        windows: Those whose rows are joined.

    Returns:
        View -> share of the rows for which it has a value that was known.
    """
    found = [labels.rows.get(window.key) for window in windows]
    frames = [frame for frame in found if frame is not None and len(frame)]
    if not frames:
        return {}
    rows = pd.concat(frames, ignore_index=True)
    table = pa.Table.from_pandas(rows, preserve_index=False)
    shares = {}
    for view in views:
        features = [name for name in view.view.features if name in rows.columns]
        if features and not set(features) & set(labels.problem.rows.features):
            collision = FeatureColumnCollisionError("The rows", features)
            labels.complaints.add(("rows",), collision, field=_how(labels.problem))
        values = view.all_rows
        if values is None or not _keys_fit(view, table, values, labels):
            continue
        if known := known_in_time(view, table):
            shares[view.view.name] = known / len(rows)
        elif values.num_rows:
            error = UnknownAtPredictionError(view.view.name, len(rows))
            own = labels.problem.features_from is None
            labels.complaints.add(view.path if own else ("features_from",), error)
    return shares


def judge_rules(labels: LabelLook) -> None:
    """Complain of validation rules about columns that a training set will not have."""
    problem = labels.problem
    columns = next((list(frame.columns) for frame in labels.rows.values()), None)
    if columns is None:
        return
    known = dict.fromkeys([*columns, *problem.features, problem.label.name, *_OF_THE_PLATFORM])
    inline = len(labels.complaints.attributes.get("validation") or ())
    for position, rule in enumerate(problem.validation):
        for column in columns_of(rule):
            if column not in known:
                culprit, remedy = f"the training set will have no column '{column}'", nearest(column, known)
                if position < inline:
                    labels.complaints.add(("validation", position), culprit, remedy)
                else:
                    place = _in_rules_file(problem, position - inline)
                    labels.complaints.add(("validation_file",), culprit, remedy, place=place)


def _in_rules_file(problem: Problem, position: int) -> tuple[Path, int]:
    file = problem.folder / str(problem.validation_file)
    return file, rule_line(file, position)


def _keys_fit(view: ViewLook, rows: pa.Table, values: pa.Table, labels: LabelLook) -> bool:
    for key in view.view.entities:
        if key not in rows.column_names:
            culprit = f"the rows have no column '{key}', by which feature view '{view.view.name}' is joined"
            labels.complaints.add(("rows",), culprit, nearest(key, rows.column_names), field=_how(labels.problem))
            return False
        theirs, ours = (_family(table.schema.field(key).type) for table in (values, rows))
        if "null" not in (theirs, ours) and theirs != ours:
            culprit = f"join key '{key}' is {ours} in the rows and {theirs} in feature view '{view.view.name}'"
            labels.complaints.add(("rows",), culprit, "Cast one of them in its SQL", field=_how(labels.problem))
            return False
    return True


def _family(kind: pa.DataType) -> str:
    if pa.types.is_integer(kind):
        return "a whole number"
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        return "text"
    return str(kind)


def _how(problem: Problem) -> KeyPath:
    return ("function",) if problem.rows.function else ("sql",) if problem.rows.sql else ()


def _shown(values: pd.Series) -> str:
    value = values.iloc[0]
    return f"'{value}'" if isinstance(value, str) else f"{value:g}"


def _wider(part: str) -> str:
    field = f"{part}_windows" if part != "train" else "train_windows"
    return f"Take more windows (`split.{field}`), or correct the label"
