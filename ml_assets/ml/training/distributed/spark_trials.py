"""A batch of trials on Spark, by Hyperopt's `SparkTrials`: many at a time, each a task of its own on some executor.

Which points are tried is decided by `run.py`, before a batch begins: so the same seed gives the same proposals,
whichever trial ends first and whatever becomes of an executor. `SparkTrials` only runs them. Four of its traits
(0.3.0) shape this file: it ignores `trials_save_file`, so every trial is handed out as it ends, for the log; its
dispatcher dies of an early-stopping rule that meets a failed trial, so it is never given one; it takes no given points,
so a trial's number is the only thing that it "draws"; and it starts a new Python for every trial (`reused_python.py`).

A task whose executor is lost is started again by Spark, elsewhere.
"""

import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from ml_assets.errors import ExecutorRefusedError, GpuRequiredError
from ml_assets.ml.search.run import Proposal
from ml_assets.ml.search.trial_log import Trial
from ml_assets.ml.training.distributed.executor import TrialRequest, answer, refusal
from ml_assets.ml.training.distributed.reused_python import ReadingSession
from ml_assets.ml.training.distributed.spark_errors import reason

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

_POLL_S = 0.05
_MOST_TRIALS = 2**31 - 1


class SparkTrialRunner:
    """Runs batches of trials of one search on a Spark cluster.

    Attributes:
        parallel: Most trials at a time.
        warnings: What executors said beside their answers, e.g. that they have no GPU; each once.
    """

    def __init__(self, spark: "SparkSession", request: TrialRequest, parallel: int, limit_s: int | None = None) -> None:
        """Send the rows to the cluster.

        Args:
            spark: The session.
            request: The rows and the declarations.
            parallel: Most trials at a time.
            limit_s: Seconds after which what is left of a batch is ended and counts as failed; no limit where None.
        """
        self.parallel, self.warnings = parallel, set[str]()
        self._spark, self._limit_s = spark, limit_s
        self._ask_executors(request)
        self._broadcast = spark.sparkContext.broadcast(request)
        self._running: list[Future[None]] = []

    def run(self, batch: Sequence[Proposal]) -> Iterator[tuple[Trial, bytes | None]]:
        """Run trials; each is handed out as it ends, with its fitted estimator's bytes where it ran to its end.

        Args:
            batch: What is proposed; all at once, up to `parallel`.

        Raises:
            ExecutorRefusedError: An executor lacks the driver's packages, or cannot read the rows.
            GpuRequiredError: An executor has no GPU, and the declaration requires one.
        """
        if not batch:
            return
        running = _Batch(self._spark, self._broadcast, batch, self.parallel, self._limit_s)
        self._running.append(running.work)
        for proposal, doc in running.ended():
            trial, fitted, warning = _outcome(doc, proposal, running.started)
            if warning:
                self.warnings.add(warning)
            yield trial, fitted

    def _ask_executors(self, request: TrialRequest) -> None:
        """Whether executors can work for this search at all: else each trial would fail, of the same cause."""
        from pyspark.errors import PySparkException

        try:
            tasks = self._spark.sparkContext.parallelize(range(self.parallel), self.parallel)
            refusals = tasks.map(partial(refusal, dict(request.packages))).collect()
        except PySparkException as error:
            raise ExecutorRefusedError(f"Spark's executors cannot run trials: {reason(error)}.") from error
        for said in filter(None, refusals):
            raise ExecutorRefusedError(said)

    def close(self) -> None:
        """Wait for Hyperopt's threads, and take the rows from the executors."""
        wait(self._running)
        self._broadcast.destroy()


class _Batch:
    """One `SparkTrials` at work in a thread."""

    def __init__(
        self, spark: "SparkSession", broadcast: Any, batch: Sequence[Proposal], parallel: int, limit: int | None
    ) -> None:
        from hyperopt import SparkTrials
        from hyperopt.fmin import generate_trial

        trials = SparkTrials(min(parallel, len(batch)), limit, spark_session=ReadingSession(spark))
        trials.insert_trial_docs([generate_trial(tid, {"number": one.number}) for tid, one in enumerate(batch)])
        trials.refresh()
        # Hyperopt changes these very dicts; a failed trial's would no longer be among `trials.trials`.
        self._docs = list(zip(batch, list(trials.trials), strict=True))
        objective = partial(answer, broadcast, {one.number: one for one in batch})
        self.started = time.perf_counter()
        thread = ThreadPoolExecutor(1)
        self.work = thread.submit(self._work, trials, objective)
        thread.shutdown(wait=False)

    def _work(self, trials: Any, objective: Any) -> None:
        from hyperopt import exceptions, fmin, hp, rand

        try:
            # The trials are there already: nothing is left to draw.
            fmin(
                objective,
                {"number": hp.randint("number", _MOST_TRIALS)},
                algo=rand.suggest,
                max_evals=len(self._docs),
                trials=trials,
                rstate=np.random.default_rng(0),
                return_argmin=False,
                verbose=False,
                show_progressbar=False,
            )
        except exceptions.AllTrialsFailed:
            return  # each of them is told of by itself

    def ended(self) -> Iterator[tuple[Proposal, Mapping[str, Any]]]:
        """Each trial and its document, as they end."""
        left = self._docs
        while left:
            over = self.work.done()  # looked at first: what ends in between is found below
            verdicts = [_has_ended(doc) for _, doc in left]
            yield from (one for one, ended in zip(left, verdicts, strict=True) if ended)
            left = [one for one, ended in zip(left, verdicts, strict=True) if not ended]
            if left and over:
                raise self.work.exception() or RuntimeError(f"Hyperopt left {len(left)} trials undone")
            time.sleep(_POLL_S)


def _has_ended(doc: Mapping[str, Any]) -> bool:
    """Whether Hyperopt has written all that it will: it sets a trial's state before the rest."""
    from hyperopt import base

    if doc["state"] == base.JOB_STATE_DONE:
        return "done" in doc["result"] or "refused" in doc["result"] or "no_gpu" in doc["result"]
    return doc["state"] == base.JOB_STATE_CANCEL or (doc["state"] == base.JOB_STATE_ERROR and "error" in doc["misc"])


def _outcome(doc: Mapping[str, Any], proposal: Proposal, started: float) -> tuple[Trial, bytes | None, str]:
    from hyperopt import base

    result = doc["result"]
    if "no_gpu" in result:
        raise GpuRequiredError(f"on a Spark executor {result['no_gpu']}")
    if "refused" in result:
        raise ExecutorRefusedError(result["refused"])
    if doc["state"] == base.JOB_STATE_DONE:
        return result["done"]
    took_s, number, point = time.perf_counter() - started, proposal.number, proposal.point
    if doc["state"] == base.JOB_STATE_CANCEL:
        message = "it hung on its executor, and was ended at its time limit there"
        return Trial(number, point, None, {}, None, took_s, "timed_out", message), None, ""
    kind, trace = doc["misc"]["error"]
    # The last line of a Python traceback; Spark's own failures come without one.
    said = str(trace).strip().splitlines()[-1] if trace else f"Spark gave its task up ({kind})"
    return Trial(number, point, None, {}, None, took_s, "failed", said), None, ""
