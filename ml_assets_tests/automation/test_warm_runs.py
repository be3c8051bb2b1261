"""Warm run workers under a real daemon: started warm, killed, cancelled, and outliving a daemon that stops.

What belongs here: what can only be seen with a daemon, a queue and processes. Runs are put into the queue by
the test itself, as a webserver would do.
"""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

import dagster as dg
import psutil
import pytest
from dagster._core.definitions.reconstruct import ReconstructableRepository
from dagster._core.definitions.repository_definition import SINGLETON_REPOSITORY_NAME
from dagster._core.instance.ref import InstanceRef
from dagster._core.launcher import WorkerStatus
from dagster._core.remote_origin import RegisteredCodeLocationOrigin, RemoteRepositoryOrigin
from dagster._core.run_coordinator import SubmitRunContext

from ml_assets.automation.run_worker import HOST_TAG, PID_TAG, STARTED_TAG, Worker
from ml_assets.automation.warm_runs import WarmRunLauncher

REPOSITORY = Path(__file__).parents[2]
NO_PID = str(2**22 + 1)  # beyond the largest pid of Linux

DAGSTER_YAML = """
run_launcher:
  module: ml_assets.automation.warm_runs
  class: WarmRunLauncher
  config: {preload: [pandas, no_such_library]}
run_coordinator:
  module: ml_assets.automation.warm_runs
  class: WarmQueuedRunCoordinator
  config: {max_concurrent_runs: 1, dequeue_interval_seconds: 1}
run_monitoring: {enabled: true, poll_interval_seconds: 1, start_timeout_seconds: 60}
telemetry: {enabled: false}
"""

DEFINITIONS = """
import sys
BEFORE_USER_CODE = set(sys.modules)
import os, time
from pathlib import Path
import dagster as dg

HERE = Path(__file__).parent

@dg.asset
def quick(context):
    print("a line for the compute log")
    return dg.MaterializeResult(metadata={
        "pandas": "pandas" in BEFORE_USER_CODE,
        "duckdb": "duckdb" in BEFORE_USER_CODE,
        "parent": os.getppid(),
    })

@dg.asset
def slow(context):
    (HERE / f"{context.run_id}.running").touch()
    for _ in range(600):
        if (HERE / f"{context.run_id}.release").exists():
            return
        time.sleep(0.1)
    raise RuntimeError("never released")

JOBS = [
    dg.define_asset_job(f"{asset.key.path[0]}_job", [asset], executor_def=dg.in_process_executor)
    for asset in (quick, slow)
]
defs = dg.Definitions(assets=[quick, slow], jobs=JOBS)
"""


Found = TypeVar("Found")


def wait_for(what: str, look: Callable[[], Found | None], timeout_s: float = 60) -> Found:
    end = time.monotonic() + timeout_s
    while time.monotonic() < end:
        if found := look():
            return found
        time.sleep(0.1)
    raise AssertionError(f"{what}: not within {timeout_s} s")


def fork_server_of(daemon: psutil.Process) -> psutil.Process | None:
    servers = [child for child in daemon.children() if "multiprocessing.forkserver" in " ".join(child.cmdline())]
    return servers[0] if servers else None


class Platform:
    """A Dagster home with a daemon that a test may stop; the next test starts it again.

    `start` waits for the fork server although no run is requested: the imports begin with the daemon.
    """

    def __init__(self, home: Path) -> None:
        self.home = home
        (home / "dagster.yaml").write_text(DAGSTER_YAML)
        (home / "tiny_location.py").write_text(DEFINITIONS)
        self.code = ReconstructableRepository.for_file(str(home / "tiny_location.py"), "defs", str(home))
        self.instance = dg.DagsterInstance.from_ref(InstanceRef.from_dir(str(home)))
        self.daemon: subprocess.Popen[bytes] | None = None
        self.fork_servers: set[int] = set()

    @property
    def outputs(self) -> str:
        return (self.home / "daemon.log").read_text()

    def start(self) -> None:
        if self.daemon is not None and self.daemon.poll() is None:
            return
        environment = os.environ | {"DAGSTER_HOME": str(self.home), "PYTHONPATH": str(REPOSITORY)}
        with (self.home / "daemon.log").open("ab") as log:
            self.daemon = subprocess.Popen(
                [sys.executable, "-m", "dagster._daemon", "run", "--empty-workspace"],
                cwd=self.home,
                env=environment,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        daemon = psutil.Process(self.daemon.pid)
        fork_server = wait_for("the fork server", lambda: fork_server_of(daemon))
        self.fork_servers.add(fork_server.pid)

    def stop(self) -> None:
        assert self.daemon is not None
        self.daemon.send_signal(signal.SIGTERM)
        self.daemon.wait(timeout=30)

    def request(self, job_name: str) -> str:
        """Put a run of the job into the queue; its id."""
        job = self.code.get_reconstructable_job(job_name)
        location = RegisteredCodeLocationOrigin("tiny_location")  # the queue groups by it; nobody loads it
        run = self.instance.create_run_for_job(
            job_def=job.get_definition(),
            job_code_origin=job.get_python_origin(),
            remote_job_origin=RemoteRepositoryOrigin(location, SINGLETON_REPOSITORY_NAME).get_job_origin(job_name),
        )
        self.instance.run_coordinator.submit_run(SubmitRunContext(run, workspace=None))
        return run.run_id

    def run(self, run_id: str) -> dg.DagsterRun:
        run = self.instance.get_run_by_id(run_id)
        assert run is not None
        return run

    def wait_until(self, run_id: str, status: dg.DagsterRunStatus) -> None:
        wait_for(f"{status} (log: {self.outputs[-3000:]})", lambda: self.run(run_id).status == status)

    def start_slow(self) -> tuple[str, Worker]:
        """A run that is inside its asset until `release`, and its worker."""
        run_id = self.request("slow_job")
        wait_for("the slow asset", (self.home / f"{run_id}.running").exists)
        worker = Worker.of_tags(self.run(run_id).tags)
        assert worker is not None
        return run_id, worker

    def release(self, run_id: str) -> None:
        (self.home / f"{run_id}.release").touch()

    def messages(self, run_id: str) -> str:
        return "\n".join(entry.user_message or entry.message for entry in self.instance.all_logs(run_id))


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    platform = Platform(tmp_path_factory.mktemp("warm"))
    yield platform
    if platform.daemon is not None and platform.daemon.poll() is None:
        platform.stop()
    platform.instance.dispose()


@pytest.fixture
def platform(home: Platform) -> Platform:
    home.start()
    return home


@pytest.fixture(scope="module")
def quick_runs(home: Platform) -> list[dg.DagsterRun]:
    """Two runs, one after the other, that ended well."""
    home.start()
    run_ids = [home.request("quick_job") for _ in range(2)]
    for run_id in run_ids:
        home.wait_until(run_id, dg.DagsterRunStatus.SUCCESS)
    return [home.run(run_id) for run_id in run_ids]


def materialized(home: Platform, run: dg.DagsterRun) -> dict[str, object]:
    (event,) = home.instance.all_logs(run.run_id, of_type=dg.DagsterEventType.ASSET_MATERIALIZATION)
    assert event.asset_materialization is not None
    return {key: value.value for key, value in event.asset_materialization.metadata.items()}


def test_a_queued_run_finds_the_libraries_imported_before_its_own_code(
    home: Platform, quick_runs: list[dg.DagsterRun]
) -> None:
    for run in quick_runs:
        assert materialized(home, run)["pandas"] is True
        assert materialized(home, run)["duckdb"] is False  # not preloaded here


def test_all_runs_are_forks_of_the_server_that_started_with_the_daemon(
    home: Platform, quick_runs: list[dg.DagsterRun]
) -> None:
    first, second = (materialized(home, run)["parent"] for run in quick_runs)
    assert first == second
    assert first in home.fork_servers


def test_a_worker_is_reaped_when_its_run_ends(quick_runs: list[dg.DagsterRun]) -> None:
    for run in quick_runs:
        pid = int(run.tags[PID_TAG])
        wait_for("the worker's end", lambda pid=pid: not psutil.pid_exists(pid))  # a zombie still has its pid


def test_what_a_run_prints_is_in_its_compute_log(home: Platform, quick_runs: list[dg.DagsterRun]) -> None:
    captured = (home.home / "storage" / quick_runs[0].run_id).rglob("*.out")
    assert "a line for the compute log" in "".join(path.read_text() for path in captured)


def test_only_the_module_that_cannot_be_preloaded_is_named_in_the_run_and_in_the_daemons_output(
    home: Platform, quick_runs: list[dg.DagsterRun]
) -> None:
    warning = "'no_such_library' is not preloaded (No module named 'no_such_library')"
    for text in (home.messages(quick_runs[0].run_id), home.outputs):
        assert warning in text
        assert text.count("is not preloaded") == text.count(warning)
        assert "threads" not in text


def test_a_run_whose_worker_is_killed_fails_and_frees_its_place_in_the_queue(platform: Platform) -> None:
    killed, worker = platform.start_slow()
    waiting = platform.request("quick_job")
    assert platform.run(waiting).status == dg.DagsterRunStatus.QUEUED

    os.kill(worker.pid, signal.SIGKILL)

    platform.wait_until(killed, dg.DagsterRunStatus.FAILURE)
    platform.wait_until(waiting, dg.DagsterRunStatus.SUCCESS)
    assert f"Run worker {worker.pid} on {socket.gethostname()} is gone (SIGKILL)" in platform.messages(killed)


def test_another_process_cancels_a_run(platform: Platform) -> None:
    run_id, worker = platform.start_slow()

    assert platform.instance.run_launcher.terminate(run_id)

    platform.wait_until(run_id, dg.DagsterRunStatus.CANCELED)
    wait_for("the worker's end", lambda: worker.find() is None)


def test_a_run_outlives_the_daemon_that_launched_it(platform: Platform) -> None:
    run_id, worker = platform.start_slow()

    platform.stop()

    assert worker.find() is not None
    platform.release(run_id)
    platform.wait_until(run_id, dg.DagsterRunStatus.SUCCESS)
    wait_for("the worker's end", lambda: not psutil.pid_exists(worker.pid))


GONE = {PID_TAG: NO_PID, STARTED_TAG: "0", HOST_TAG: socket.gethostname()}


@pytest.mark.parametrize(
    ("status", "tags", "after"),
    [
        pytest.param("STARTED", GONE, "CANCELED", id="its worker is dead"),
        pytest.param("STARTING", {}, "CANCELED", id="its worker has not begun"),
        pytest.param("STARTED", GONE | {HOST_TAG: "elsewhere"}, "CANCELING", id="its worker is elsewhere"),
    ],
)
def test_cancelling_a_run_without_a_worker_here(tmp_path: Path, status: str, tags: dict[str, str], after: str) -> None:
    launcher = {"module": "ml_assets.automation.warm_runs", "class": "WarmRunLauncher"}
    with dg.DagsterInstance.local_temp(str(tmp_path), overrides={"run_launcher": launcher}) as instance:
        run = instance.add_run(dg.DagsterRun(job_name="job", tags=tags, status=dg.DagsterRunStatus(status)))

        assert instance.run_launcher.terminate(run.run_id) == (after == "CANCELED")

        cancelled = instance.get_run_by_id(run.run_id)
        assert cancelled is not None
        assert cancelled.status == dg.DagsterRunStatus(after)


def test_a_module_that_breaks_while_it_is_preloaded_is_a_named_error(tmp_path: Path) -> None:
    (tmp_path / "breaks_at_import.py").write_text("raise ValueError('broken build')")
    script = "from ml_assets.automation.warm_runs import *; WarmRunLauncher(['breaks_at_import']).warm_up()"
    path = os.pathsep.join([str(REPOSITORY), str(tmp_path)])
    ended = subprocess.run(
        [sys.executable, "-c", script],
        env=os.environ | {"PYTHONPATH": path},
        stderr=subprocess.PIPE,
        text=True,
        timeout=60,
    )
    assert ended.returncode == 1
    assert "ValueError: broken build" in ended.stderr
    assert "WarmStartError: The fork server with breaks_at_import preloaded started no run worker" in ended.stderr


def judge(tags: dict[str, str]) -> WorkerStatus:
    return WarmRunLauncher().check_run_worker_health(dg.DagsterRun(job_name="job", tags=tags)).status


def test_a_worker_whose_pid_was_given_to_another_process_is_dead() -> None:
    me = Worker.of_pid(os.getpid())
    assert judge(me.tags) == WorkerStatus.RUNNING
    assert judge(me.tags | {STARTED_TAG: str(me.started - 60)}) == WorkerStatus.FAILED


def test_a_worker_of_another_host_is_not_judged() -> None:
    nobody = {PID_TAG: NO_PID, STARTED_TAG: "0"}
    assert judge(nobody | {HOST_TAG: socket.gethostname()}) == WorkerStatus.FAILED
    assert judge(nobody | {HOST_TAG: "elsewhere"}) == WorkerStatus.RUNNING


def test_a_run_that_another_launcher_started_is_not_judged() -> None:
    assert judge({}) == WorkerStatus.RUNNING
