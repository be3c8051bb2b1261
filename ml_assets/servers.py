"""Our own servers, as child processes on loopback: Dagster, MLflow's UI, the reports. Started and ended here."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import dagster as dg

from ml_assets.errors import PortInUseError, ServerError
from ml_assets.resources.settings import Settings

_ROOT = Path(__file__).parent.parent
_GRACE_S = 15.0


@dataclass(frozen=True)
class Server:
    """A process and where it answers."""

    name: str
    process: subprocess.Popen[bytes]
    log: Path

    def wait(self, ready: Callable[[], bool], *, timeout_s: float) -> None:
        """Wait until it is ready.

        Raises:
            ServerError: It ended, or was not ready in time.
        """
        deadline = time.monotonic() + timeout_s
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                raise ServerError(self.name, f"it ended with {self.process.returncode}", self.log)
            if ready():
                return
            time.sleep(0.3)
        raise ServerError(self.name, f"not ready after {timeout_s:.0f} s", self.log)

    def stop(self) -> None:
        """End the process and its children, politely first."""
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGINT)
            try:
                self.process.wait(_GRACE_S)
            except subprocess.TimeoutExpired:
                os.killpg(self.process.pid, signal.SIGKILL)
                self.process.wait()


@contextmanager
def dagster(settings: Settings) -> Iterator[Server]:
    """Webserver, daemon and code server: `dagster dev` over the settings' state."""
    prepare_home(settings)
    arguments = ["dev", "-w", str(_ROOT / "workspace.yaml"), "-h", "127.0.0.1", "-p", str(settings.dagster_port)]
    with _running("dagster", [_program("dagster"), *arguments], settings, settings.dagster_port) as server:
        yield server


@contextmanager
def mlflow_ui(settings: Settings) -> Iterator[Server]:
    """MLflow's UI over the tracking store."""
    arguments = ["server", "--host", "127.0.0.1", "--port", str(settings.mlflow_port), "--workers", "1"]
    arguments += ["--backend-store-uri", settings.tracking_uri, "--artifacts-destination", settings.artifacts.as_uri()]
    with _running("mlflow", [_program("mlflow"), *arguments], settings, settings.mlflow_port) as server:
        yield server


@contextmanager
def report_server(settings: Settings) -> Iterator[Server]:
    """The report pages, read-only."""
    settings.reports.mkdir(parents=True, exist_ok=True)
    arguments = ["-m", "http.server", "--bind", "127.0.0.1", "--directory", str(settings.reports)]
    with _running(
        "reports", [sys.executable, *arguments, str(settings.reports_port)], settings, settings.reports_port
    ) as server:
        yield server


def prepare_home(settings: Settings) -> None:
    """DAGSTER_HOME with our dagster.yaml in it, and its tables made.

    Processes that start together would otherwise make them at the same time, and one of them can end with "more than
    one head present" for good.
    """
    settings.dagster_home.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(_ROOT / "dagster.yaml", settings.dagster_home / "dagster.yaml")
    with dg.DagsterInstance.from_config(str(settings.dagster_home)) as instance:
        instance.get_runs(limit=1)


def answers(port: int) -> bool:
    """Whether something listens on a port of loopback."""
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0


@contextmanager
def _running(name: str, command: Sequence[str], settings: Settings, port: int) -> Iterator[Server]:
    if answers(port):
        raise PortInUseError(name, port, f"ML_ASSETS_{name.upper()}_PORT")
    log = settings.home / "logs" / f"{name}.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    environment = {
        **os.environ,
        "DAGSTER_HOME": str(settings.dagster_home),
        "ML_ASSETS_HOME": str(settings.home),
        # Pages link each other: all processes go by the same ports.
        "ML_ASSETS_DAGSTER_PORT": str(settings.dagster_port),
        "ML_ASSETS_MLFLOW_PORT": str(settings.mlflow_port),
        "ML_ASSETS_REPORTS_PORT": str(settings.reports_port),
        "PYTHONUNBUFFERED": "1",
    }
    with log.open("ab") as output:
        process = subprocess.Popen(
            command, stdout=output, stderr=output, stdin=subprocess.DEVNULL, env=environment, cwd=_ROOT,
            start_new_session=True,
        )  # fmt: skip
    server = Server(name, process, log)
    try:
        yield server
    finally:
        server.stop()


def _program(name: str) -> str:
    """A console script of this very environment."""
    return str(Path(sys.executable).with_name(name))
