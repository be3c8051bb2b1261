"""Looks at a training after each round: stops what will not win, what takes too long, what is no longer wanted.

The rule by which a trial is pruned is here. Which trials it is measured by is `tuning.py`'s.
"""

import math
import threading
import time
from collections.abc import Iterable
from typing import Literal, NamedTuple

import numpy as np

from ml_assets.ml.search.trial_log import Trial
from ml_assets.spec import Search

_PACE_SHARE = 5
"""The pace is that of the newest fifth of the rounds, so that chance does not make it nought for a moment."""

_STILL_GAINING = 0.4
"""Of the rounds by which others were longer: the least that costs no loss, see `benchmarks/results/pruning.md`."""


class GivenUpError(Exception):
    """Nobody waits for this training any more: never shown, it only ends a thread."""


class Target(NamedTuple):
    """What a trial has to come near to, lest it is pruned.

    Attributes:
        loss: Validation loss.
        rounds: So many did others take.
    """

    loss: float
    rounds: float


def pruning_target(spec: Search, ended: Iterable[Trial]) -> Target | None:
    """What the trials that a new one may know say of what it has to reach.

    Returns:
        The declared quantile of the losses, and the median of the rounds, of those that ran to their end; None
        while there are too few, or without pruning.
    """
    whole = [trial for trial in ended if trial.status == "ok"]
    if spec.pruning is None or len(whole) < spec.pruning.after_trials:
        return None
    tail = 1 + (spec.early_stopping_rounds or 0)
    rounds = [min(spec.max_rounds, (trial.best_iteration or 0) + tail) for trial in whole]
    losses = [trial.loss_or_inf for trial in whole]
    return Target(float(np.quantile(losses, spec.pruning.quantile)), float(np.median(rounds)))


class Watch:
    """What is known of one training while it runs.

    The pace rule: a trial is stopped when its least loss so far, less what it would gain at its pace in two fifths of
    the rounds by which others were longer, is still above the target. Boosting's losses flatten out, so the pace
    overstates what is to come. Comparing the losses of the same round with each other's (the median rule of Golovin et
    al. 2017, "Google Vizier") stops small learning rates, which begin slowly and end best.
    `benchmarks/pruning_rules.py` compares both.

    Attributes:
        verdict: Why the training was stopped; "" while it runs or when it ended by itself.
        least: Least loss after each round.
        bound: Pruned: what it might have reached.
    """

    def __init__(self, spec: Search, target: Target | None = None, unwanted: threading.Event | None = None) -> None:
        self._spec, self._target, self._unwanted = spec, target, unwanted
        self._began = time.perf_counter()
        self.verdict: Literal["", "pruned", "timed_out"] = ""
        self.least: list[float] = []
        self.bound = -math.inf

    def ends(self, loss: float) -> bool:
        """Whether the training is to stop after this round.

        Args:
            loss: The round's validation loss.

        Raises:
            GivenUpError: The search has ended without it.
        """
        if self._unwanted is not None and self._unwanted.is_set():
            raise GivenUpError
        self.least.append(min(loss, self.least[-1]) if self.least else loss)
        limit = self._spec.trial_timeout_s
        if limit is not None and time.perf_counter() - self._began > limit:
            self.verdict = "timed_out"
        elif self._is_hopeless():
            self.verdict = "pruned"
        return bool(self.verdict)

    def _is_hopeless(self) -> bool:
        rule, rounds = self._spec.pruning, len(self.least)
        if rule is None or self._target is None or rounds <= max(rule.pace_rounds, rule.after_rounds - 1):
            return False
        over = max(rule.pace_rounds, rounds // _PACE_SHARE)
        pace = (self.least[-1 - over] - self.least[-1]) / over
        self.bound = self.least[-1] - pace * max(rule.horizon_rounds, (self._target.rounds - rounds) * _STILL_GAINING)
        return self.bound > self._target.loss  # never of NaN: such a trial fails, it is not pruned
