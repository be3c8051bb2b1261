"""A real standalone Spark cluster on loopback, from pyspark's wheel: one master, two workers, each a process."""

import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

import psutil

START_S = 180.0  # a machine whose cores others use needs that long for three JVMs


def why_not() -> str:
    """What is missing for a cluster here, or ""."""
    if find_spec("pyspark") is None:
        return "SPARK IS NOT TESTED HERE: pyspark is not installed (pip install 'ml_assets[spark]')"
    if shutil.which("java") is None:
        return "SPARK IS NOT TESTED HERE: there is no Java (17) on this machine"
    return ""


class Cluster:
    """The processes of a cluster; each is ended by its id."""

    def __init__(self, folder: Path, cores: int = 1) -> None:
        self._folder, self._cores = folder, cores
        self.port = _free_port()
        self.master = f"spark://127.0.0.1:{self.port}"
        self.processes: list[subprocess.Popen[bytes]] = []
        self.workers: list[subprocess.Popen[bytes]] = []

    def start(self, workers: int = 2) -> None:
        """Start the master, then the workers; ready when all are registered."""
        arguments = ["--host", "127.0.0.1", "--port", str(self.port), "--webui-port", "0"]
        self._start("master", "org.apache.spark.deploy.master.Master", arguments)
        self._wait("I have been elected leader", 1)
        for _ in range(workers):
            self.add_worker()
        self.wait_for_workers()

    def wait_for_workers(self) -> None:
        """Wait until all workers that were ever started have registered."""
        self._wait("Registering worker", len(self.workers))

    def add_worker(self) -> None:
        """Start one more worker."""
        number = len(self.workers)
        arguments = ["--host", "127.0.0.1", "--cores", str(self._cores), "--memory", "1g", "--webui-port", "0"]
        arguments += ["--work-dir", str(self._folder / f"work{number}"), self.master]
        self.workers.append(self._start(f"worker{number}", "org.apache.spark.deploy.worker.Worker", arguments))

    def kill(self, worker: subprocess.Popen[bytes]) -> int:
        """kill -9 a worker, its executors and their Pythons, as if its machine lost power; how many processes."""
        family = [*psutil.Process(worker.pid).children(recursive=True), psutil.Process(worker.pid)]
        for process in reversed(family):
            process.send_signal(signal.SIGKILL)
        worker.wait()
        return len(family)

    def stop(self) -> None:
        for process in reversed(self.processes):
            if process.poll() is None:
                self.kill(process)

    def _start(self, name: str, main: str, arguments: list[str]) -> subprocess.Popen[bytes]:
        import pyspark

        home = Path(pyspark.__file__).parent
        environment = {**os.environ, "SPARK_HOME": str(home), "SPARK_LOCAL_IP": "127.0.0.1"}
        environment |= {"SPARK_DAEMON_MEMORY": "256m", "SPARK_CONF_DIR": str(self._folder / "no-conf")}
        with (self._folder / f"{name}.log").open("wb") as log:
            command = [str(home / "bin" / "spark-class"), main, *arguments]
            process = subprocess.Popen(command, env=environment, stdout=log, stderr=log, start_new_session=True)
        self.processes.append(process)
        return process

    def _wait(self, said: str, times: int) -> None:
        log, end = self._folder / "master.log", time.monotonic() + START_S
        while log.read_text(errors="replace").count(said) < times:
            if time.monotonic() > end or self.processes[-1].poll() is not None:
                raise RuntimeError(f"no Spark cluster:\n{log.read_text(errors='replace')}")
            time.sleep(0.1)


@contextmanager
def running(folder: Path, workers: int = 2, cores: int = 1) -> Iterator[Cluster]:
    """A cluster; its processes are ended with the context, whatever happened."""
    cluster = Cluster(folder, cores)
    try:
        cluster.start(workers)
        yield cluster
    finally:
        cluster.stop()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
