"""The landed history of a problem, in memory: its rows joined with their features once, its labels as of any moment.

A row's features depend on its own prediction time alone, so one join serves every training and every scoring.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ml_assets.errors import NotAppliedError, NothingToReplayError, NotLandedError
from ml_assets.ml.quality.scores import Labels, label_of
from ml_assets.ml.training.dataset import check_known, labelled_rows
from ml_assets.ml.training.splits import split_windows
from ml_assets.ml.windows import Window, all_windows
from ml_assets.resources.feature_store import FeatureStore
from ml_assets.resources.lake import Lake
from ml_assets.spec import Problem


@dataclass(frozen=True)
class Landed:
    """What landed, by window.

    Attributes:
        problem: Whose history it is.
        rows: Rows with their features, of every window from the first landed one to the last.
        labels: Labels with `known_at`, of every window that has them.
    """

    problem: Problem
    rows: Mapping[Window, pd.DataFrame]
    labels: Mapping[Window, pd.DataFrame]
    _by_row: dict[Window, tuple[Labels, NDArray[np.datetime64]]] = field(default_factory=dict)

    @classmethod
    def read(cls, problem: Problem, lake: Lake, feature_store: FeatureStore) -> "Landed":
        """Read the lake and join; nothing is written.

        Raises:
            NothingToReplayError: Rows, labels or features are not there.
            LeakageError: A value was joined that was not known yet.
        """
        there = [w for w in all_windows(problem.cadence) if lake.stage(problem, "rows", w.key).exists()]
        if not there:
            raise NothingToReplayError(problem.name, "no window of it has landed")
        try:
            lake.require_features(problem, there)
            parts = [lake.read_stage(problem, "rows", window.key) for window in there]
            joined = feature_store.training_rows(problem, pd.concat(parts, ignore_index=True))
        except (NotLandedError, NotAppliedError) as error:
            raise NothingToReplayError(problem.name, str(error).rstrip(".")) from error
        check_known(joined, problem.feature_views)
        ends = np.cumsum([len(part) for part in parts])
        rows = {
            window: joined.iloc[end - len(part) : end].reset_index(drop=True)
            for window, part, end in zip(there, parts, ends, strict=True)
        }
        labels = {w: lake.read_stage(problem, "labels", w.key) for w in there if _has_labels(problem, lake, w)}
        return cls(problem, rows, labels)

    def training_set(self, cutoff: Window, parts: Iterable[str] = ("train", "validation", "test")) -> pd.DataFrame:
        """The training set of a cutoff as `assets.dataset.training_set` makes it, or some parts of it.

        Raises:
            TooLittleHistoryError: No window is left for training.
            NothingToReplayError: A window of it is not there.
        """
        split = split_windows(self.problem.split, cutoff, self.problem.label)
        wanted = [window for window in split.all if split.part_of(window) in set(parts)]
        if lost := [window.key for window in wanted if window not in self.rows or window not in self.labels]:
            raise NothingToReplayError(self.problem.name, f"window {lost[0]}, which a training needs, has no labels")
        found = [(window, self.rows[window], self.labels[window]) for window in wanted]
        return labelled_rows(found, split, self.problem.rows, self.problem.label, cutoff.start)

    def labels_of(self, window: Window, *, newest: Window | None = None) -> Labels:
        """(n,) labels of a window's rows; missing where there is none.

        Args:
            window: Which.
            newest: Only what was known when this window, the newest one then, was judged. Labels that look
                `lookahead_days` ahead wait until so many days have landed.
        """
        label = self.problem.label
        values, known_at = self._aligned(window)
        if newest is None:
            return values
        whole = window.end + timedelta(days=label.lookahead_days) <= newest.end
        judged_at = newest.end + timedelta(hours=newest.cadence.landing_delay_hours)
        then = known_at <= np.datetime64(judged_at.replace(tzinfo=None))
        return np.where(then & whole, values, _missing(self.problem, len(values)))

    def _aligned(self, window: Window) -> tuple[Labels, NDArray[np.datetime64]]:
        """(n,) labels of a window's rows and when they became known, in UTC; NaT where there is none."""
        if window not in self._by_row:
            rows, labels, problem = self.rows[window], self.labels.get(window), self.problem
            key, name = list(problem.rows.key), problem.label.name
            if labels is None or labels.empty or rows.empty:  # a table without rows has no types to join by
                values = _missing(problem, len(rows))
                self._by_row[window] = values, np.full(len(rows), np.datetime64("NaT", "us"))
            else:
                joined = rows[key].merge(labels[[*key, name, "known_at"]], on=key, how="left", validate="1:1")
                known_at = joined["known_at"].dt.tz_convert("UTC").dt.tz_localize(None)
                self._by_row[window] = label_of(problem.task, joined[name]), known_at.to_numpy()
        return self._by_row[window]


def _has_labels(problem: Problem, lake: Lake, window: Window) -> bool:
    return lake.stage(problem, "labels", window.key).exists()


def _missing(problem: Problem, rows: int) -> Labels:
    return np.full(rows, None if problem.task == "multiclass" else np.nan)
