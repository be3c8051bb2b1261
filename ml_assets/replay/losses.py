"""Errors of policies over time, how surely they differ, and whether an alarm preceded a real loss of quality.

Policies are compared on the same rows, so intervals are paired. What is drawn is whole days of an additive metric (rows
of a day depend on each other), and whole windows of a ranking (it is a window's, not a row's).
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from ml_assets.assets.gate import days
from ml_assets.ml.promotion.gate import LEAST_DAYS, blocks_of, compare
from ml_assets.ml.quality.bootstrap import bootstrap_interval
from ml_assets.ml.quality.metrics import ADDITIVE, evaluate, row_losses
from ml_assets.ml.quality.ranking import Floats
from ml_assets.ml.quality.scores import Labels, Scores, known
from ml_assets.ml.windows import Window
from ml_assets.replay.trainings import Trainings, Version
from ml_assets.replay.walk import Walk
from ml_assets.spec import MetricName

CONFIDENCE = 0.975
"""Of each side of an interval: 95% of both (a convention)."""
AHEAD = 4
"""So many windows after an alarm are looked at for a loss (a convention)."""


@dataclass(frozen=True)
class Estimate:
    """A figure with its interval, None where there are too few blocks for one."""

    value: float
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True, eq=False)
class Losses:
    """What the blocks of a walk add to its error.

    Attributes:
        sums, rows: (b,) loss and labelled rows of each block, in order of time.
        ends: (w,) how many blocks there are up to the end of each window.
        squared: Whether losses are squared errors, of which the root is the error.
    """

    sums: Floats
    rows: Floats
    ends: NDArray[np.int64]
    squared: bool

    def error(self, until: int, *, since: int = 0) -> float | None:
        """Error of the windows from `since` up to and without `until`; None where no row has a label."""
        part = slice(self.ends[since - 1] if since else 0, self.ends[until - 1])
        rows = self.rows[part].sum()
        return float(self._error(self.sums[part].sum() / rows)) if rows else None

    def resampled(self, counts: NDArray[np.int64]) -> Floats:
        """(s,) errors of the first blocks, drawn as often as (s, k) `counts` say."""
        part = slice(0, counts.shape[1])
        return self._error((counts @ self.sums[part]) / (counts @ self.rows[part]))

    def _error(self, mean: Floats) -> Floats:
        return np.sqrt(mean) if self.squared else mean


@dataclass
class Comparison:
    """Errors of walks over the same windows.

    Attributes:
        windows: In order.
        trainings: Where scores and labels come from.
    """

    windows: Sequence[Window]
    trainings: Trainings
    _losses: dict[tuple[Window, Window], tuple[Floats, Floats]] = field(default_factory=dict)
    _real: dict[tuple[Window, Window], bool] = field(default_factory=dict)

    @cached_property
    def metric(self) -> MetricName:
        """What errors are of."""
        problem = self.trainings.landed.problem
        return problem.metric or problem.quality.metric

    def losses(self, walk: Walk) -> Losses:
        """Those of a walk."""
        found = [self._window_losses(walk.versions[window], window) for window in self.windows]
        ends = np.cumsum([len(rows) for _, rows in found])
        sums, rows = (np.concatenate(each) for each in zip(*found, strict=True))
        return Losses(sums, rows, ends, self.metric == "rmse")

    def window_error(self, version: Version, window: Window) -> Estimate | None:
        """The metric (not its error) of one window; None where it is undefined."""
        label, scores = self._known(version, window)
        metrics = evaluate(label, scores)
        if metrics.undefined(self.metric):
            return None
        policy = self.trainings.landed.problem.promotion
        by_day = blocks_of(self._days(window), policy.model_copy(update={"blocks": "day"}))
        block, draws = np.arange(len(label)) if by_day is None else by_day, policy.bootstrap_samples
        found = bootstrap_interval(
            self.metric, label, scores, block, confidence=CONFIDENCE, samples=draws, seed=policy.seed
        )
        return Estimate(metrics.value(self.metric), *(found or ()))

    def error(self, losses: Losses, until: int) -> Estimate | None:
        """Error over the first `until` windows."""
        value = losses.error(until)
        if value is None or (counts := self._draws(losses, until)) is None:
            return None if value is None else Estimate(value)
        return Estimate(value, *_interval(losses.resampled(counts)))

    def loss(self, losses: Losses, against: Losses, until: int) -> Estimate | None:
        """How much greater the error over the first `until` windows is than another walk's; 0.01 is one percent."""
        ours, theirs = losses.error(until), against.error(until)
        if ours is None or not theirs:
            return None
        if (counts := self._draws(losses, until)) is None:
            return Estimate(ours / theirs - 1)
        return Estimate(ours / theirs - 1, *_interval(losses.resampled(counts) / against.resampled(counts) - 1))

    def real_loss(self, walk: Walk, cutoff: Window) -> bool:
        """Whether production surely lost quality for want of a retraining.

        That is what the gate says when it compares the version trained for the cutoff with the one that had been
        production until then, on the windows that followed.
        """
        place = self.windows.index(cutoff)
        champion, fresh = walk.versions[self.windows[place - 1]], self.trainings.of(cutoff)
        pair = (champion.cutoff, cutoff)
        if pair not in self._real:
            self._real[pair] = self._better(fresh, champion, self.windows[place : place + AHEAD])
        return self._real[pair]

    def _better(self, fresh: Version, champion: Version, windows: Sequence[Window]) -> bool:
        policy = self.trainings.landed.problem.promotion
        (label, ours), (_, theirs) = (self._all(version, windows) for version in (fresh, champion))
        day = np.concatenate([self._days(window) for window in windows])
        return compare(label, ours, theirs, day, policy, against="").promote

    def _all(self, version: Version, windows: Sequence[Window]) -> tuple[Labels, Scores]:
        parts = [self._known(version, window) for window in windows]
        values = np.concatenate([scores.values for _, scores in parts])
        scores = Scores(version.model.task, values, version.model.classes)
        return np.concatenate([label for label, _ in parts]), scores

    def _window_losses(self, version: Version, window: Window) -> tuple[Floats, Floats]:
        place = (version.cutoff, window)
        if place not in self._losses:
            self._losses[place] = self._blocks(version, window)
        return self._losses[place]

    def _blocks(self, version: Version, window: Window) -> tuple[Floats, Floats]:
        label, scores = self._known(version, window)
        if self.metric in ADDITIVE:
            _, block = np.unique(self._days(window), return_inverse=True)
            sums = np.bincount(block, row_losses(self.metric, label, scores))
            return sums.astype(np.float64), np.bincount(block).astype(np.float64)
        metrics = evaluate(label, scores)
        if metrics.undefined(self.metric):
            return np.zeros(1), np.zeros(1)
        return np.array([metrics.error(self.metric) * len(label)]), np.array([float(len(label))])

    def _known(self, version: Version, window: Window) -> tuple[Labels, Scores]:
        label, scores = self.trainings.landed.labels_of(window), self.trainings.scores(version, window)
        there = known(version.model.task, label)
        return label[there], scores.take(there)

    def _days(self, window: Window) -> NDArray[np.int64]:
        landed = self.trainings.landed
        return days(landed.rows[window])[known(landed.problem.task, landed.labels_of(window))]

    def _draws(self, losses: Losses, until: int) -> NDArray[np.int64] | None:
        """(s, k) how often each of the first k blocks is drawn: the same for all walks."""
        policy, blocks = self.trainings.landed.problem.promotion, int(losses.ends[until - 1])
        if blocks < LEAST_DAYS:
            return None
        rng = np.random.default_rng(policy.seed)
        return rng.multinomial(blocks, np.full(blocks, 1 / blocks), size=policy.bootstrap_samples)


def _interval(values: Floats) -> tuple[float, float]:
    low, high = (float(each) for each in np.quantile(values[~np.isnan(values)], [1 - CONFIDENCE, CONFIDENCE]))
    return low, high
