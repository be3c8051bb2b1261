"""Rows and labels of a problem on real windows: what fails, what is known too early or too late, what cannot train."""

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta

import duckdb
import pandas as pd
import pyarrow as pa

from ml_assets import errors
from ml_assets.assets.features import cut_of
from ml_assets.checking.complaints import Complaints
from ml_assets.checking.look import Look
from ml_assets.components.places import KeyPath
from ml_assets.ml.features.compute import EVENT, KNOWN, Computed, compute_labels, compute_rows
from ml_assets.ml.features.query import Tables
from ml_assets.ml.windows import Window
from ml_assets.spec import Computation, Problem

LATE_SHARE = 0.05
"""Share of a window's labels that may become known after `lookahead_days` unremarked. A convention."""

_DAY_S = 86_400


@dataclass
class LabelLook:
    """Rows and labels of a problem over the windows that were looked at."""

    problem: Problem
    look: Look
    complaints: Complaints
    rows: dict[str, pd.DataFrame] = field(default_factory=dict)
    labelled: dict[str, pd.DataFrame] = field(default_factory=dict)

    def add(self, window: Window) -> None:
        """Compute a window's rows and labels, and judge each window by itself."""
        problem = self.problem
        rows = self._compute(("rows",), problem.rows, window, compute_rows)
        if rows is None:
            return
        self.rows[window.key] = rows.to_pandas()
        days = problem.label.lookahead_days
        labels = self._compute(("label",), problem.label, window, compute_labels, lookahead_days=days)
        if labels is None:
            return
        joined = self._joined(window, labels)
        self.labelled[window.key] = joined
        self._judge_early(joined)
        self._judge_late(window, joined)

    def values(self, windows: list[Window]) -> pd.Series:
        """All labels of some windows."""
        found = [self.labelled[w.key][self.problem.label.name] for w in windows if w.key in self.labelled]
        return pd.concat(found, ignore_index=True) if found else pd.Series(dtype=float)

    def _compute(
        self,
        path: KeyPath,
        part: Computation,
        window: Window,
        compute: Callable[..., Computed],
        *,
        lookahead_days: int = 0,
    ) -> pa.Table | None:
        tables = self.look.tables(part, window, lookahead_days=lookahead_days)
        if tables is None:
            return None
        tables = Tables(tables.sources, tables.files, self.problem.folder)
        how = ("function",) if part.function else ("sql",) if part.sql else ()
        try:
            return compute(self.problem, tables, window, cut=cut_of(window)).table
        except errors.LeakageError as error:
            if path == ("label",) and (table := self._known_before_its_row(tables, window)) is not None:
                return table  # the more telling mistake
            self.complaints.add(path, error)
        except errors.MLAssetsError as error:
            self.complaints.add(path, error, field=how)
        except duckdb.Error as error:
            reason = f"fails: {str(error).splitlines()[0]}"
            self.complaints.add(path, errors.QueryError(f"{path[0]} of '{self.problem.name}'", reason), field=how)
        return None

    def _known_before_its_row(self, tables: Tables, window: Window) -> pa.Table | None:
        """Labels that leak since they claim to be older than their source's rows; None where it is another leak."""
        shown = tuple(source.model_copy(update={"row_known_at": None}) for source in tables.sources)
        try:
            tables = Tables(shown, tables.files, tables.folder)
            labels = compute_labels(self.problem, tables, window, cut=cut_of(window)).table
        except errors.LeakageError:
            return None
        joined = self._joined(window, labels)
        return labels if (joined[KNOWN] < joined[EVENT]).any() else None

    def _joined(self, window: Window, labels: pa.Table) -> pd.DataFrame:
        key = list(self.problem.rows.key)
        return self.rows[window.key].merge(labels.to_pandas(), on=key, how="inner", suffixes=("", "_of_label"))

    def _judge_early(self, joined: pd.DataFrame) -> None:
        early = joined[joined[KNOWN] < joined[EVENT]]
        if len(early):
            name, worst = self.problem.label.name, (early[EVENT] - early[KNOWN]).max()
            culprit = (
                f"the label '{name}' is known before its row is predicted in {len(early):,} of {len(joined):,} rows "
                f"(by up to {worst.round('s')}): there is nothing left to predict"
            )
            remedy = "Let `known_at` be when the label became known, and `event_timestamp` when it is asked for"
            self.complaints.add(("label",), culprit, remedy, field=self._how())

    def _judge_late(self, window: Window, joined: pd.DataFrame) -> None:
        days = self.problem.label.lookahead_days
        late = joined[joined[KNOWN] > pd.Timestamp(window.end) + timedelta(days=days)]
        if len(late) > LATE_SHARE * len(joined):
            after: pd.Series = joined[KNOWN] - pd.Timestamp(window.end)
            needed = math.ceil(after.dt.total_seconds().quantile(1 - LATE_SHARE) / _DAY_S)
            culprit = (
                f"{len(late):,} of {len(joined):,} labels of window {window.key} become known later than "
                f"`lookahead_days` {days} after its end"
            )
            remedy = f"Set `lookahead_days` to {needed} or more"
            self.complaints.add(("label",), culprit, remedy, field=("lookahead_days",))

    def _how(self) -> KeyPath:
        label = self.problem.label
        return ("function",) if label.function else ("sql",) if label.sql else ("name",)
