"""A Spark session whose Python processes live on from one trial to the next, as Spark means them to.

Hyperopt's tasks (0.3.0) never read their input. Spark then ends the executor's Python after each: the next trial has to
import everything and cut its matrices once more, 4 seconds of CPU for a trial of a tenth of one. Here a task's input is
read before Hyperopt's part begins; all else is Spark's own.
"""

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

Task = Callable[[Iterator[Any]], Iterator[Any]]


class _Around:
    """Everything is the inner object's, but what a subclass defines."""

    def __init__(self, inner: Any) -> None:
        self._inner = inner

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)


class ReadingSession(_Around):
    """A session, for `SparkTrials`."""

    @property
    def sparkContext(self) -> "_ReadingContext":  # noqa: N802  Spark's name
        return _ReadingContext(self._inner.sparkContext)


class _ReadingContext(_Around):
    def parallelize(self, *given: Any) -> "_ReadingRows":
        return _ReadingRows(self._inner.parallelize(*given))


class _ReadingRows(_Around):
    def withResources(self, profile: Any) -> "_ReadingRows":  # noqa: N802
        return _ReadingRows(self._inner.withResources(profile))

    def mapPartitions(self, task: Task) -> Any:  # noqa: N802
        return self._inner.mapPartitions(partial(_read_first, task))


def _read_first(task: Task, rows: Iterator[Any]) -> Iterator[Any]:
    return task(iter(list(rows)))
