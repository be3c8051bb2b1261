"""Real processes that begin at the same moment, for tests of what several writers do to each other."""

import multiprocessing
from collections.abc import Callable, Sequence
from typing import Any

_PRELOADED = ["feast", "ml_assets_tests.resources.online_lake"]
"""Imported once, in the server that the processes are forked from: by itself each would take seconds."""


def at_once(work: Callable[..., None], arguments: Sequence[tuple[Any, ...]], *, timeout_s: float = 120) -> None:
    """Run `work(start, *arguments[i])` in one process each; it calls `start()` when it is ready, and goes on together.

    Raises:
        AssertionError: One of them failed, or is not done in time.
    """
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(_PRELOADED)
    barrier = context.Barrier(len(arguments), timeout=timeout_s)
    processes = [context.Process(target=_run, args=(work, barrier, given)) for given in arguments]
    try:
        for process in processes:
            process.start()
        for process in processes:
            process.join(timeout_s)
        assert [process.exitcode for process in processes] == [0] * len(processes)
    finally:
        for process in processes:
            if process.is_alive():
                process.kill()
                process.join()


def _run(work: Callable[..., None], barrier: Any, given: tuple[Any, ...]) -> None:
    work(barrier.wait, *given)
