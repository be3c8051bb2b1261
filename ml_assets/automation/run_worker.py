"""The process of one run: who it is, and what it does from the fork to its end.

What belongs here: a worker's identity in run tags, and the functions that a fork of the warm server executes.
What does not: starting and judging workers (`warm_runs.py`), and imports of heavy libraries or of Dagster's
machinery at module level, since every fork imports this file anew.
"""

import atexit
import importlib
import json
import os
import socket
import sys
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Self

import psutil

PID_TAG = "ml_assets/worker_pid"
STARTED_TAG = "ml_assets/worker_started"
HOST_TAG = "ml_assets/worker_host"

# Two processes may read the same start time a little differently when the wall clock is set in between; a pid
# is not given out again within seconds.
_CLOCK_STEP_S = 5.0

# Threads that may live in the fork server. jemalloc (pyarrow's allocator) restarts its own around a fork.
_FORK_SAFE_THREADS = frozenset({"jemalloc_bg_thd"})


@dataclass(frozen=True)
class Worker:
    """A process of this or another host, named so that any process on that host can find it again."""

    pid: int
    started: float  # seconds since the epoch
    host: str

    @classmethod
    def of_pid(cls, pid: int) -> Self:
        """The worker that runs on this host as `pid`; raises psutil.NoSuchProcess if none does."""
        return cls(pid, psutil.Process(pid).create_time(), socket.gethostname())

    @classmethod
    def of_tags(cls, tags: Mapping[str, str]) -> Self | None:
        """The worker written in a run's tags, or None where another launcher (or none) started the run."""
        if PID_TAG not in tags or STARTED_TAG not in tags or HOST_TAG not in tags:
            return None
        return cls(int(tags[PID_TAG]), float(tags[STARTED_TAG]), tags[HOST_TAG])

    @property
    def tags(self) -> dict[str, str]:
        """Run tags that name this worker."""
        return {PID_TAG: str(self.pid), STARTED_TAG: f"{self.started:.2f}", HOST_TAG: self.host}

    @property
    def is_on_this_host(self) -> bool:
        return self.host == socket.gethostname()

    def find(self) -> psutil.Process | None:
        """The live process, or None when it ended, is a zombie, or another process has its pid now."""
        try:
            process = psutil.Process(self.pid)
            recycled = abs(process.create_time() - self.started) > _CLOCK_STEP_S
            return None if recycled or process.status() == psutil.STATUS_ZOMBIE else process
        except psutil.NoSuchProcess:
            return None


@dataclass(frozen=True)
class Readiness:
    """What the fork server holds once its imports are done."""

    missing: dict[str, str]  # module -> why it is not preloaded
    unsafe_threads: list[str]  # names of threads that a fork would lose

    @classmethod
    def from_json(cls, text: bytes) -> Self:
        return cls(**json.loads(text))

    @property
    def warning(self) -> str:
        """What is wrong and what to do, in one line; empty when nothing is."""
        parts = [
            f"'{module}' is not preloaded ({reason}): install it, or take it out of `run_launcher: preload`."
            for module, reason in self.missing.items()
        ]
        if self.unsafe_threads:
            parts.append(
                f"The preloaded libraries left threads ({', '.join(self.unsafe_threads)}) that a fork loses, "
                "so a run may hang: take the library that starts them out of `run_launcher: preload`."
            )
        return " ".join(parts)


def execute_run(arguments: str, gate: Connection) -> None:
    """Be the worker of one run, as `dagster api execute_run <arguments>` would be.

    Args:
        arguments: Serialised `ExecuteRunArgs`.
        gate: One message says that this worker is written in the run's tags. Its end without one says that
            the launcher died first: nothing is executed then, and run monitoring ends the run.
    """
    from dagster._cli.api import execute_run_command
    from dagster._utils.interrupts import capture_interrupts

    # A session of its own: neither Ctrl-C in the daemon's terminal nor a signal to its group ends the run.
    os.setsid()
    with capture_interrupts():  # an early request to end is kept until the run can be cancelled in good order
        with gate:
            try:
                gate.recv_bytes()
            except EOFError:
                return
        _reseed()
        try:
            execute_run_command.main(args=[arguments], standalone_mode=False)
        finally:
            # A fork skips these, a fresh process would not: MLflow closes its run and logging flushes here.
            atexit._run_exitfuncs()


def report_readiness(preload: tuple[str, ...], answer: Connection) -> None:
    """Tell how the fork server, this process's parent, came out of its imports.

    What was checked with the platform's full list (numpy, pyarrow, xgboost, mlflow, feast, evidently, ...):
    besides the main thread there are OpenBLAS's, which its own fork handler ends before the first fork (this
    process is that fork) and which come back on use, and jemalloc's, whose fork handler restarts it. OpenMP
    (xgboost), DuckDB, Arrow and gRPC start theirs on first use, so in the worker. feast and mlflow guard
    their state by pid; logging and filelock re-create their locks. evidently makes one event loop at import,
    which is used only from inside another running loop.
    """
    with answer:
        missing = {module: reason for module in preload if (reason := _why_missing(module))}
        readiness = Readiness(missing, _unsafe_threads(os.getppid()))
        answer.send_bytes(json.dumps(asdict(readiness)).encode())


def _why_missing(module: str) -> str:
    if module in sys.modules:
        return ""
    try:
        importlib.import_module(module)
    except ImportError as error:  # swallowed by the fork server
        return str(error)
    return "it cannot be imported where the daemon started"


def _unsafe_threads(pid: int) -> list[str]:
    """Names of the threads of `pid` beyond its main one that a fork is not known to survive; [] off Linux."""
    tasks = Path(f"/proc/{pid}/task")
    names = [(task / "comm").read_text().strip() for task in tasks.glob("*") if task.name != str(pid)]
    return sorted(name for name in names if name not in _FORK_SAFE_THREADS)


def _reseed() -> None:
    """Give numpy's global generator a state of its own; all forks would draw the same numbers otherwise."""
    if "numpy" in sys.modules:
        import numpy as np

        np.random.seed()
