"""A Dagster run launcher whose workers start with the heavy libraries imported, and whose dead are noticed.

What belongs here: starting, ending and judging the worker of a run, and importing early in the daemon. What
does not: what a worker does (`run_worker.py`), and which runs there should be. POSIX only, one host.

Each run is a fork of one server process (`multiprocessing`'s forkserver) that has imported Dagster and the
libraries of `preload`. Name third-party libraries only: what the server has imported is not read again until
the daemon restarts, so code of one's own would be stale after an edit. Use the in-process executor: Dagster's
multiprocess one starts a fresh interpreter for each step.

Fork safety is checked at each start, see `run_worker.report_readiness`.
"""

import contextlib
import logging
import multiprocessing
import multiprocessing.process
import os
import signal
import sys
import threading
from collections.abc import Mapping, Sequence
from multiprocessing.context import ForkServerContext, ForkServerProcess
from pathlib import Path
from typing import Any, Self

import dagster as dg
import psutil
from dagster._core.launcher import CheckRunHealthResult, LaunchRunContext, RunLauncher, WorkerStatus
from dagster._core.origin import JobPythonOrigin
from dagster._core.run_coordinator import QueuedRunCoordinator
from dagster._grpc.types import ExecuteRunArgs
from dagster._serdes import ConfigurableClass, ConfigurableClassData, serialize_value

from ml_assets.automation.run_worker import Readiness, Worker, execute_run, report_readiness
from ml_assets.errors import OtherPythonError, WarmStartError
from ml_assets.telemetry import disable_telemetry

# What every run needs of Dagster itself, found by comparing sys.modules before and after a run: SQLAlchemy,
# alembic and the executor are what `dagster._cli.api` alone leaves to each run.
_DAGSTER_RUNTIME = (
    "dagster._cli.api",
    "dagster._core.definitions.antlr_asset_selection.antlr_asset_selection",
    "dagster._core.executor.in_process",
    "dagster._core.instance.factory",
    "dagster._core.storage.local_compute_log_manager",
    "dagster._core.storage.root",
    "dagster._core.storage.sqlite_storage",
    "dagster._core.workspace.autodiscovery",
    "dagster._utils.test.definitions",
    "upath.implementations.local",
)

_LOGGER = logging.getLogger("dagster.daemon.warm_runs")


class WarmRunLauncher(RunLauncher[dg.DagsterInstance], ConfigurableClass):
    """Executes each run in a fork of a process that has imported `preload` before."""

    def __init__(self, preload: Sequence[str] = (), inst_data: ConfigurableClassData | None = None) -> None:
        super().__init__()
        self._preload = tuple(preload)
        self._inst_data = inst_data
        self._processes: dict[str, ForkServerProcess] = {}  # by run id; only of runs launched by this process
        self._readiness: Readiness | None = None
        self._warming = threading.Lock()

    @property
    def inst_data(self) -> ConfigurableClassData | None:
        return self._inst_data

    @classmethod
    def config_type(cls) -> dict[str, dg.Field]:
        return {
            "preload": dg.Field(
                dg.Array(str),
                is_required=False,
                default_value=[],
                description="Third-party modules that a run finds imported, e.g. [pandas, mlflow.pyfunc]; "
                "never one's own code, which would be stale after an edit.",
            )
        }

    @classmethod
    def from_config_value(cls, inst_data: ConfigurableClassData | None, config_value: Mapping[str, Any]) -> Self:
        return cls(preload=config_value["preload"], inst_data=inst_data)

    def warm_up(self) -> Readiness:
        """Import `preload` in the fork server unless that is done; returns when it is.

        Raises:
            WarmStartError: an import ended the server.
        """
        with self._warming:
            if self._readiness is None:
                self._readiness = _ask_fork_server(self._preload)
                if self._readiness.warning:
                    _LOGGER.warning(self._readiness.warning)
            return self._readiness

    def launch_run(self, context: LaunchRunContext) -> None:
        run = context.dagster_run
        readiness = self.warm_up()
        arguments = ExecuteRunArgs(_local_origin(run), run.run_id, self._instance.get_ref())
        context_ = _fork_context(self._preload)
        gate, key = context_.Pipe(duplex=False)
        with gate, key:
            process = context_.Process(target=execute_run, args=(serialize_value(arguments), gate))
            worker = _start(process, self._preload)
            self._forget_finished()
            self._processes[run.run_id] = process
            # The tags are written while the worker waits: both sides rewrite the whole run record, and a
            # worker that began at once could undo the tags with the write of its own status.
            self._instance.add_run_tags(run.run_id, worker.tags)
            self._instance.report_engine_event(
                f"Started a warm run worker (pid: {worker.pid}). {readiness.warning}".strip(),
                run,
                cls=type(self),
            )
            key.send_bytes(b"go")

    def terminate(self, run_id: str) -> bool:
        run = self._instance.get_run_by_id(run_id)
        if run is None or run.is_finished:
            return False
        self._instance.report_run_canceling(run)
        worker = _worker_here(run)
        process = None if worker is None else worker.find()
        if process is not None:
            with contextlib.suppress(psutil.NoSuchProcess):  # it finished just now
                process.send_signal(signal.SIGINT)  # raised in the run, which then ends as CANCELED by itself
        elif worker is not None:
            self._instance.report_run_canceled(run, self._obituary(run_id, worker))
        elif run.status == dg.DagsterRunStatus.STARTING:  # a worker that comes later finds it cancelled and ends
            self._instance.report_run_canceled(run, "Cancelled before its worker began.")
        else:
            message = "The run's worker is not one of this host: cancel the run where it was started."
            self._instance.report_engine_event(message, run, cls=type(self))
            return False
        return True

    @property
    def supports_check_run_worker_health(self) -> bool:
        return True

    def check_run_worker_health(self, run: dg.DagsterRun) -> CheckRunHealthResult:
        worker = _worker_here(run)
        if worker is None:
            # RUNNING and not UNKNOWN: Dagster 1.13 fails a run at every status but RUNNING and SUCCESS, and a
            # run of another host or of `dagster job execute` may be well.
            message = "Not judged: the run's worker is not one of this host."
            return CheckRunHealthResult(WorkerStatus.RUNNING, message)
        if worker.find() is None:
            return CheckRunHealthResult(WorkerStatus.FAILED, self._obituary(run.run_id, worker))
        return CheckRunHealthResult(WorkerStatus.RUNNING, run_worker_id=str(worker.pid))

    def get_run_worker_debug_info(self, run: dg.DagsterRun, include_container_logs: bool | None = True) -> str | None:
        # Asked for runs that did not start or end in time; a started run's health is in its message already.
        return None if run.status == dg.DagsterRunStatus.STARTED else self.check_run_worker_health(run).msg

    def _obituary(self, run_id: str, worker: Worker) -> str:
        """How the worker ended; only the process that launched it can tell the signal or exit code."""
        process = self._processes.get(run_id)
        code = None if process is None else process.exitcode
        how = ""
        if code is not None:
            how = f" ({signal.Signals(-code).name})" if code < 0 else f" (exit code {code})"
        return f"Run worker {worker.pid} on {worker.host} is gone{how}."

    def _forget_finished(self) -> None:
        for run_id, process in list(self._processes.items()):
            if process.exitcode is not None:
                del self._processes[run_id]


class WarmQueuedRunCoordinator(QueuedRunCoordinator):
    """Dagster's run queue, in whose daemon the imports begin at start instead of at the first run."""

    def register_instance(self, instance: dg.DagsterInstance) -> None:
        super().register_instance(instance)
        if _in_daemon() and isinstance(instance.run_launcher, WarmRunLauncher):
            threading.Thread(target=_warm_early, args=(instance.run_launcher,), daemon=True).start()


def _warm_early(launcher: WarmRunLauncher) -> None:
    try:
        launcher.warm_up()
    except WarmStartError as error:
        _LOGGER.error("%s", error)  # the first run tries again, and fails with it


def _in_daemon() -> bool:
    """Whether this process is `dagster-daemon run`, or `python -m dagster._daemon run` as of `dagster dev`.

    The coordinator is also made in webserver, code servers and run workers (the last have the daemon's argv).
    """
    program = Path(sys.argv[0])
    name = program.parent.name if program.name == "__main__.py" else program.name
    is_fork = multiprocessing.parent_process() is not None
    return not is_fork and name in {"dagster-daemon", "_daemon"} and sys.argv[1:2] == ["run"]


def _fork_context(preload: tuple[str, ...]) -> ForkServerContext:
    """The context whose processes are forks of the one server of this process, which starts on first use."""
    disable_telemetry()  # the server and its forks inherit the environment
    # Threads of XGBoost that wait for each other by spinning take the cores from the webserver and the daemon, and
    # make a training on a busy machine many times slower.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([*_DAGSTER_RUNTIME, *preload])
    return context


def _ask_fork_server(preload: tuple[str, ...]) -> Readiness:
    context = _fork_context(preload)
    answer, question = context.Pipe(duplex=False)
    process = context.Process(target=report_readiness, args=((*_DAGSTER_RUNTIME, *preload), question), daemon=True)
    with answer:
        with question:
            _start(process, preload)
        try:
            return Readiness.from_json(answer.recv_bytes())
        except EOFError as error:
            raise WarmStartError(preload, "its first fork ended early") from error
        finally:
            process.join()


def _start(process: ForkServerProcess, preload: tuple[str, ...]) -> Worker:
    try:
        process.start()
        # At exit `multiprocessing` waits for its children (or ends them): a stopping daemon must do neither.
        # The fork server reaps them, and lives until the last one has ended, also without the daemon.
        multiprocessing.process._children.discard(process)  # type: ignore[attr-defined]
        assert process.pid is not None
        return Worker.of_pid(process.pid)
    except (EOFError, OSError, psutil.NoSuchProcess) as error:
        raise WarmStartError(preload, f"{type(error).__name__}: {error}") from error


def _worker_here(run: dg.DagsterRun) -> Worker | None:
    """The worker of a run on this host; None where it is another host's, or not one of this launcher."""
    worker = Worker.of_tags(run.tags)
    return worker if worker is not None and worker.is_on_this_host else None


def _local_origin(run: dg.DagsterRun) -> JobPythonOrigin:
    origin = run.job_code_origin
    if origin is None:
        raise dg.DagsterInvariantViolationError(f"Run {run.run_id} does not say where its code is.")
    if Path(origin.executable_path).parent.resolve() != Path(sys.executable).parent.resolve():
        raise OtherPythonError(origin.executable_path, sys.executable)
    return origin
