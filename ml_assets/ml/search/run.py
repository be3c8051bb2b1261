"""The trials of one search, one after the other or several at once, in an order that does not depend on timing.

How one is trained is `fitting.py`'s, which point comes next is `suggestions.py`'s, what is made of them `tuning.py`'s.
"""

import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple, Protocol, TypeVar

from ml_assets.errors import TrialNotRepeatableError
from ml_assets.ml.search.space import Point
from ml_assets.ml.search.suggestions import Suggestions
from ml_assets.ml.search.trial_log import Trial, TrialLog
from ml_assets.ml.search.trial_threads import Pending, TrialThreads
from ml_assets.ml.training.fitting import PreparedRows, TrainingData, timed_out, train_trial
from ml_assets.ml.training.watch import Target, Watch, pruning_target
from ml_assets.spec import Search

T = TypeVar("T")


class Proposal(NamedTuple):
    """A trial before its start: all that decides its result beside the data and the declaration.

    Attributes:
        number: From 0, in the order of the search.
        point: Searched parameters.
        target: What it has to come near to, lest it is pruned; None where it is not.
    """

    number: int
    point: Point
    target: Target | None


class TrialRunner(Protocol):
    """Trains the trials of a search elsewhere.

    Attributes:
        parallel: Trials of a batch.
    """

    parallel: int

    def run(self, batch: Sequence[Proposal]) -> Iterator[tuple[Trial, bytes | None]]:
        """Train trials; each is handed out as it ends, with `Estimator.to_bytes` where it ran to its end."""
        ...


class SearchRun:
    """One search, trial by trial.

    Trials end in any order, but count in theirs: the trial of number k is drawn, and its pruning measured, from
    trials 0 to k - lag and no others, whoever has ended already. So the list does not depend on timing.
    """

    def __init__(self, data: PreparedRows, spec: Search, log: TrialLog, on_trial: Callable[[Trial], None]) -> None:
        self.data, self.spec, self.log, self.on_trial = data, spec, log, on_trial
        self.trials: list[Trial] = []
        self._told = 0
        self._before_s, self._began = log.ended_s, time.perf_counter()
        self._kept: tuple[Trial, Any] | None = None
        self._runner: TrialRunner | None = None
        # One more than the threads, each: then none of them waits for a trial that is longer than its neighbours.
        self._lag = 2 * spec.parallel_trials - 1
        self._suggested = _suggestions(spec, log.given)

    def in_threads(self, trials: int) -> None:
        """Draw, train and log so many trials in this process, or those for which the time suffices."""
        threads = TrialThreads(self.spec.parallel_trials)
        waiting: deque[Trial | _Started] = deque()
        try:
            for number in range(trials):
                while len(waiting) >= self._lag:
                    self._end(waiting.popleft(), threads)
                if self._out_of_time(number):
                    break
                proposal = self._propose(number)
                waiting.append(self._logged(proposal) or self._start(proposal, threads))
                self._tell()
            while waiting:
                self._end(waiting.popleft(), threads)
            self._tell()
        finally:
            threads.close()

    def in_batches(self, trials: int, runner: TrialRunner) -> None:
        """The same by a runner: each batch is drawn from all trials before it."""
        self._runner = runner
        for first in range(0, trials, runner.parallel):
            if self._out_of_time(first):
                break
            batch = [self._propose(number) for number in range(first, min(first + runner.parallel, trials))]
            ended = {trial.number: trial for trial in map(self._logged, batch) if trial is not None}
            for outcome in runner.run([proposal for proposal in batch if proposal.number not in ended]):
                trial, content = self._keep(outcome)
                ended[trial.number] = trial
                if content is not None:
                    self._keep_best(trial, self.data.estimator.from_bytes(content))
            self.trials += [ended[proposal.number] for proposal in batch]
            self._tell()

    def fitted_of(self, best: Trial) -> Any:
        """What the best trial has fitted; trained once more if an earlier, interrupted search had trained it."""
        if self._kept is not None and self._kept[0].number == best.number:
            return self._kept[1]
        again, fitted = self._again(Proposal(best.number, dict(best.params), None))
        if fitted is None or again != best:
            raise TrialNotRepeatableError(self.log.path.name, best.number, best.loss_or_inf, again.loss)
        return fitted

    def _again(self, proposal: Proposal) -> tuple[Trial, Any]:
        """Train where the search has trained: other hardware may give other bytes."""
        if self._runner is None:
            return train_trial(self._rows_here(), self.spec, proposal.point, proposal.number)
        [(trial, content)] = self._runner.run([proposal])
        return trial, None if content is None else self.data.estimator.from_bytes(content)

    def _rows_here(self) -> TrainingData:
        assert isinstance(self.data, TrainingData)  # whoever has other rows gives a runner
        return self.data

    def _propose(self, number: int) -> Proposal:
        return Proposal(number, self._suggested(number, self.trials), pruning_target(self.spec, self.trials))

    def _logged(self, proposal: Proposal) -> Trial | None:
        return self.log.answer(proposal.number, proposal.point, self.spec.trial_timeout_s)

    def _start(self, proposal: Proposal, threads: TrialThreads) -> "_Started":
        def train() -> tuple[Trial, Any]:
            watch = Watch(self.spec, proposal.target, threads.unwanted)
            return train_trial(self._rows_here(), self.spec, proposal.point, proposal.number, watch)

        return _Started(proposal, threads.start(train, self._keep))

    def _keep(self, outcome: tuple[Trial, T]) -> tuple[Trial, T]:
        """Put a trial on disk as soon as it has ended, whichever it is."""
        trial = replace(outcome[0], ended_s=self._elapsed_s())
        self.log.append(trial)
        return trial, outcome[1]

    def _end(self, one: "Trial | _Started", threads: TrialThreads) -> None:
        """Take a trial's result; wait for it where it still runs."""
        if isinstance(one, Trial):
            self.trials.append(one)
            return
        limit = self.spec.trial_timeout_s
        outcome = threads.outcome(one.running, limit)
        if outcome is None:  # it hangs inside a round
            proposal = one.proposal
            outcome = self._keep((timed_out(self.spec, proposal.number, proposal.point, limit or 0.0), None))
        trial, fitted = outcome
        if fitted is not None:
            self._keep_best(trial, fitted)
        self.trials.append(trial)

    def _keep_best(self, trial: Trial, fitted: Any) -> None:
        if self._kept is None or trial.loss_or_inf < self._kept[0].loss_or_inf:
            self._kept = (trial, fitted)

    def _tell(self) -> None:
        for trial in self.trials[self._told :]:
            self._told += 1
            self.on_trial(trial)

    def _elapsed_s(self) -> float:
        return self._before_s + time.perf_counter() - self._began

    def _out_of_time(self, number: int) -> bool:
        """Whether no trial of that number starts any more; said in the log, so that a resume says the same."""
        limit = self.spec.max_seconds
        if limit is None or number == 0:
            return False
        if (stopped := self.log.stopped(limit)) is not None:
            return number >= stopped
        if self.log.holds(number) or self._elapsed_s() < limit:
            return False
        self.log.stop(number, limit)
        return True


@dataclass(frozen=True)
class _Started:
    """A trial between its start and its end."""

    proposal: Proposal
    running: Pending[tuple[Trial, Any]]


def _suggestions(spec: Search, given: Sequence[Point]) -> Callable[[int, Sequence[Trial]], Point]:
    if not spec.space:
        return lambda number, ended: {}
    return Suggestions(spec.space, seed=spec.seed, startup_trials=spec.startup_trials, given=given).point
