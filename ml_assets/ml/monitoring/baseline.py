"""What is kept of a version, once: a summary of the rows that it was made of, their noise, and what matters to it.

Windows are compared with this, without the rows. Verdicts are `report.py`'s; where the file lies is an asset's
business.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ml_assets.ml.monitoring import stored
from ml_assets.ml.monitoring.block_noise import ColumnNoise, column_noise
from ml_assets.ml.monitoring.columns import compared_types
from ml_assets.ml.monitoring.expected_error import ErrorCurve, error_curve
from ml_assets.ml.monitoring.held_out import Judgeable, Standing, standing
from ml_assets.ml.monitoring.preflight import summarise_frame
from ml_assets.ml.monitoring.summaries import TableSummary, merge
from ml_assets.ml.promotion.segments import segment_rows
from ml_assets.ml.quality.scores import with_scores
from ml_assets.ml.training.dataset import SPLIT
from ml_assets.ml.training.model import Model
from ml_assets.ml.windows import Window, window_at, window_of, windows_over
from ml_assets.spec import Cadence, Problem

FORMAT = 1
_MOST_BLOCKS = 60
"""Newest blocks that teach the noise: more of them say no more."""
_YEAR = 365.25
_SEASON_DAYS = 16
"""Blocks whose middles are so near in the year are of one season: a month's neighbours are not."""


@dataclass(frozen=True, eq=False)
class Baseline:
    """What later windows are compared with.

    Attributes:
        summary: Features, labels and predictions of all rows that the version was made of.
        noise: Column -> how much the time blocks of those rows differ.
        importance: Feature -> its share in the model, 0..1; all 0 where unknown.
        seasons: Key of a block -> summary of its seasonal features.
        curve: Error by prediction on held-out rows; None where they have no label.
        standings: How each block of rows that it was fitted on stands, by the metric of the quality, oldest first.
        segments: Name -> the same of a segment, without seasons, curve, standings and segments.
    """

    summary: TableSummary
    noise: Mapping[str, ColumnNoise] = field(default_factory=dict)
    importance: Mapping[str, float] = field(default_factory=dict)
    seasons: Mapping[str, TableSummary] = field(default_factory=dict)
    curve: ErrorCurve | None = None
    standings: tuple[Standing, ...] = ()
    segments: Mapping[str, "Baseline"] = field(default_factory=dict)

    def to_json(self) -> bytes:
        """The same as JSON: same rows in the same order, same bytes."""
        return stored.to_bytes(self._plain(), FORMAT)

    @classmethod
    def from_json(cls, text: bytes) -> "Baseline":
        """What `to_json` wrote.

        Raises:
            SummaryFormatError: It is none, or of another format.
        """
        return cls._from_plain(stored.from_bytes(text, FORMAT))

    def of_season(self, window: Window) -> TableSummary | None:
        """Seasonal features of the blocks of former years that lie as `window` does; None where there are none."""
        middle = window.start + (window.end - window.start) / 2
        found = []
        for key, summary in self.seasons.items():
            block = window_of(window.cadence, key)
            ago = (middle - block.start - (block.end - block.start) / 2) / timedelta(days=1)
            if round(ago / _YEAR) >= 1 and abs((ago + _YEAR / 2) % _YEAR - _YEAR / 2) <= _SEASON_DAYS:
                found.append(summary)
        return merge(found) if found else None

    def _plain(self) -> dict[str, Any]:
        return {
            "summary": self.summary.as_plain(),
            "noise": {name: noise.as_plain() for name, noise in self.noise.items()},
            "importance": dict(self.importance),
            "seasons": {key: summary.as_plain() for key, summary in self.seasons.items()},
            "curve": self.curve and self.curve.as_plain(),
            "standings": [[each.error, each.bias] for each in self.standings],
            "segments": {name: each._plain() for name, each in self.segments.items()},
        }

    @classmethod
    def _from_plain(cls, plain: Mapping[str, Any]) -> "Baseline":
        return cls(
            TableSummary.from_plain(plain["summary"]),
            {name: ColumnNoise.from_plain(noise) for name, noise in plain["noise"].items()},
            plain["importance"],
            {key: TableSummary.from_plain(summary) for key, summary in plain["seasons"].items()},
            ErrorCurve.from_plain(plain["curve"]) if plain["curve"] else None,
            tuple(Standing(error, bias) for error, bias in plain["standings"]),
            {name: cls._from_plain(each) for name, each in plain["segments"].items()},
        )


def make_baseline(problem: Problem, model: Model, rows: pd.DataFrame) -> Baseline:
    """What is kept of a version.

    Args:
        problem: Declares columns, windows, seasonal features and segments.
        model: The version.
        rows: (n, ...) its training set, with `split`.
    """
    scored = with_scores(rows, model.scores(rows)).reset_index(drop=True)
    return _Maker(problem, scored, model.importance()).baseline()


@dataclass(frozen=True, eq=False)
class _Maker:
    problem: Problem
    scored: pd.DataFrame
    importance: Mapping[str, float]

    @cached_property
    def blocks(self) -> dict[str, NDArray[np.bool_]]:
        """Key of a block -> its rows, oldest first; the windows of the cadence, the newest ones of many."""
        keys = block_keys(self.scored["event_timestamp"], self.problem.rows.horizon_hours, self.problem.cadence)
        codes, names = pd.factorize(keys, sort=True)
        return {str(name): codes == code for code, name in list(enumerate(names))[-_MOST_BLOCKS:]}

    def baseline(self) -> Baseline:
        problem, policy = self.problem, self.problem.drift
        whole = self.part(np.ones(len(self.scored), dtype=bool))
        seasonal = {name: problem.features[name] for name in policy.seasonal}
        seasons = {key: summarise_frame(self.scored.loc[at], seasonal) for key, at in self.blocks.items() if seasonal}
        held_out = self.scored[~self.fitted]
        segments = segment_rows(policy.segments, self.scored, least=policy.min_rows)
        return Baseline(
            whole.summary,
            whole.noise,
            self.importance,
            seasons,
            error_curve(problem, held_out, [self.scored.loc[at] for at in self.blocks.values()]),
            tuple(self._standings()),
            {name: self.part(at) for name, at in segments.items() if at.any()},
        )

    def part(self, rows: NDArray[np.bool_]) -> Baseline:
        """Summary and noise of some rows."""
        types = compared_types(self.problem.features, self.problem.label.name, self.problem.task)
        inside = [at & rows for at in self.blocks.values()]
        blocks = [summarise_frame(self.scored.loc[at], types) for at in inside if at.any()]
        older = rows & ~np.logical_or.reduce(inside)
        every = [*([summarise_frame(self.scored.loc[older], types)] if older.any() else []), *blocks]
        whole = merge(every)
        of = {name: [block.columns[name] for block in blocks] for name in types}
        noise = {name: column_noise(of[name], whole.columns[name]) for name in types}
        return Baseline(whole, noise, self.importance)

    @cached_property
    def fitted(self) -> NDArray[np.bool_]:
        """(n,) rows that the version was fitted on."""
        held_out = ["test"] if self.problem.search.refit else ["validation", "test"]
        return ~self.scored[SPLIT].isin(held_out).to_numpy(dtype=bool)

    def _standings(self) -> Iterator[Standing]:
        """Of fitted blocks only: they stand better than the others, which is no difference between blocks."""
        for at in self.blocks.values():
            rows = Judgeable.of(self.problem, self.scored.loc[at & self.fitted])
            if found := standing(self.problem.quality.metric, rows) if len(rows) else None:
                yield found


def block_keys(times: pd.Series, horizon_hours: float, cadence: Cadence) -> NDArray[np.object_]:
    """(n,) key of the window that each row belongs to.

    Args:
        times: (n,) prediction times, UTC.
        horizon_hours: So long before its event a row is scored.
        cadence: The windows; times outside of it count to the nearest.
    """
    at = pd.to_datetime(times, utc=True) + timedelta(hours=horizon_hours)
    first, last = (end.floor("us").to_pydatetime() for end in (at.min(), at.max()))
    windows = windows_over(cadence, first, last + timedelta(microseconds=1)) or [window_at(cadence, first)]
    starts = np.array([window.start.replace(tzinfo=None) for window in windows], dtype="datetime64[us]")
    moments = at.dt.tz_localize(None).to_numpy(dtype="datetime64[us]")
    place = np.clip(np.searchsorted(starts, moments, side="right") - 1, 0, len(windows) - 1)
    return np.array([window.key for window in windows], dtype=object)[place]
