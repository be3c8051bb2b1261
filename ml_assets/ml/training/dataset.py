"""Puts a training set together from rows and labels, and checks what the feature store joined to it."""

from collections.abc import Sequence
from datetime import datetime, timedelta

import pandas as pd

from ml_assets.errors import LeakageError, UnknownAtPredictionError
from ml_assets.ml.training.splits import SplitWindows
from ml_assets.ml.windows import Window
from ml_assets.spec import FeatureView, Label, Rows

SPLIT, LABEL_KNOWN = "split", "label_known_at"


def labelled_rows(
    windows: Sequence[tuple[Window, pd.DataFrame, pd.DataFrame]],
    split: SplitWindows,
    rows: Rows,
    label: Label,
    cutoff: datetime,
) -> pd.DataFrame:
    """Rows with a label that was known when the first prediction after the cutoff had to be made.

    Args:
        windows: (window, its rows, its labels), oldest first.
        split: Which window is which part.
        rows: Declares the key and how long before its event a row is scored.
        label: Declares the label.
        cutoff: Start of the first window that the model may score.

    Returns:
        The rows' columns, the label, `label_known_at` and `split`, in the order of the windows.
    """
    now = pd.Timestamp(cutoff) - timedelta(hours=rows.horizon_hours)
    parts = []
    for window, frame, labels in windows:
        known = labels[labels["known_at"] <= now].rename(columns={"known_at": LABEL_KNOWN})
        part = frame.merge(known[[*rows.key, label.name, LABEL_KNOWN]], on=list(rows.key), how="inner")
        parts.append(part.assign(**{SPLIT: split.part_of(window)}))
    return pd.concat(parts, ignore_index=True)


def check_known(frame: pd.DataFrame, views: Sequence[FeatureView], *, need_values: bool = True) -> None:
    """No value may have been joined that was not known at its row's prediction time.

    Args:
        frame: Rows after the point-in-time join.
        views: The joined views.
        need_values: Whether a view must give a value to some row. A training set without any teaches nothing of the
            view; a small window may well hold unknown entities only.

    Raises:
        LeakageError: A value is younger than the prediction that uses it.
        UnknownAtPredictionError: A view gave no value at all.
    """
    for view in views:
        known_at = frame[f"{view.name}__known_at"]
        late = known_at > frame["event_timestamp"]
        if late.any():
            worst = (known_at - frame["event_timestamp"]).max()
            raise LeakageError(f"feature view '{view.name}'", list(view.features), int(late.sum()), str(worst))
        if need_values and known_at.isna().all():
            raise UnknownAtPredictionError(view.name, len(frame))
