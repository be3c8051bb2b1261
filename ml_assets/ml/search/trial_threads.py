"""Runs trials in threads, some at once, and gives one up that hangs.

XGBoost works outside Python's lock, so threads train at once, on the same matrices. What they do is `tuning.py`'s.
"""

import queue
import threading
import time
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")

_GRACE_S = 2.0
"""After its time limit a training may stop by itself, after its round; then it counts as hanging inside of one."""


class Pending(Generic[T]):
    """A trial that was handed in."""

    def __init__(self, work: Callable[[], T], keep: Callable[[T], T]) -> None:
        self._work, self._keep = work, keep
        self._lock = threading.Lock()
        self.given_up = False
        self.began, self.ended = threading.Event(), threading.Event()
        self.began_at = 0.0
        self.result: T | None = None
        self.error: BaseException | None = None

    def run(self) -> None:
        """Do the work and keep its result, unless it was given up meanwhile."""
        self.began_at = time.perf_counter()
        self.began.set()
        try:
            result = self._work()
            with self._lock:
                if not self.given_up:
                    self.result = self._keep(result)
        except BaseException as error:  # noqa: BLE001 - whatever it is, whoever waits for the result gets it
            self.error = error
        self.ended.set()

    def give_up(self) -> bool:
        """From now on its result is not kept; False when it was already."""
        with self._lock:
            self.given_up = self.result is None
            return self.given_up


class TrialThreads:
    """Threads that take what is handed in, oldest first."""

    def __init__(self, count: int) -> None:
        """Begin so many threads."""
        self.unwanted = threading.Event()
        """Set once nobody waits any more: trainings may stop."""
        self._waiting: queue.SimpleQueue[Pending | None] = queue.SimpleQueue()
        self._count = count
        for _ in range(count):
            self._begin()

    def start(self, work: Callable[[], T], keep: Callable[[T], T]) -> Pending[T]:
        """Hand in a trial.

        Args:
            work: Trains; runs in one of the threads.
            keep: Puts the result on disk as soon as it is there, in the same thread, and returns what is passed on.
        """
        pending = Pending(work, keep)
        self._waiting.put(pending)
        return pending

    def outcome(self, pending: Pending[T], limit_s: float | None) -> T | None:
        """Wait for a trial; None when it hangs beyond its limit.

        What hangs inside XGBoost cannot be stopped, only left alone: another thread takes its place, its result is
        never kept, and it uses a processor until it ends or the process does.
        """
        pending.began.wait()
        left = None if limit_s is None else max(0.0, pending.began_at + limit_s + _GRACE_S - time.perf_counter())
        if not pending.ended.wait(left) and pending.give_up():
            self._begin()
            return None
        pending.ended.wait()
        if pending.error is not None:
            raise pending.error
        return pending.result

    def close(self) -> None:
        """End the threads; a training that still runs stops after its round."""
        self.unwanted.set()
        for _ in range(self._count):
            self._waiting.put(None)

    def _begin(self) -> None:
        threading.Thread(target=self._take, name="trial", daemon=True).start()

    def _take(self) -> None:
        while (pending := self._waiting.get()) is not None:
            pending.run()
            if pending.given_up:  # another thread has taken this one's place
                return
