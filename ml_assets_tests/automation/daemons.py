"""A Dagster home under a real daemon that tests start, kill and watch."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import dagster as dg
from dagster._core.instance.ref import InstanceRef

from ml_assets.assets import keys
from ml_assets.automation.run_worker import Worker
from ml_assets.automation.trainings import trainings
from ml_assets.ml.monitoring.attempts import Attempt
from ml_assets.resources.ledger import Ledger
from ml_assets_tests.automation import killing

REPOSITORY = Path(__file__).parents[2]
DAGSTER_YAML = """
run_launcher: {module: ml_assets.automation.warm_runs, class: WarmRunLauncher}
run_coordinator:
  module: ml_assets.automation.warm_runs
  class: WarmQueuedRunCoordinator
  config: {max_concurrent_runs: 2, dequeue_interval_seconds: 1}
run_monitoring: {enabled: true, poll_interval_seconds: 1, start_timeout_seconds: 30}
telemetry: {enabled: false}
"""


class Platform:
    """A home with a workspace of one or more code locations of the same problem."""

    def __init__(self, home: Path, *, location: Callable[[str], dg.Definitions], locations: int = 1) -> None:
        self.home, self.problem = home, killing.watched_visits()
        self.marker, self.hold = home / "killed", home / "hold"
        self.daemon: subprocess.Popen[bytes] | None = None
        home.mkdir(exist_ok=True)
        (home / "dagster.yaml").write_text(DAGSTER_YAML)
        name = location.__name__
        (home / "watched_location.py").write_text(
            f"from {killing.__name__} import {name}\n\ndefs = {name}({str(home)!r})\n"
        )
        entries = [
            f"  - python_file: {{relative_path: watched_location.py, location_name: no_{number}}}"
            for number in range(locations)
        ]
        (home / "workspace.yaml").write_text("\n".join(["load_from:", *entries]) + "\n")
        self.instance = dg.DagsterInstance.from_ref(InstanceRef.from_dir(str(home)))

    @property
    def ledger(self) -> Ledger:
        return Ledger(url=f"sqlite:///{self.home / 'ledger.db'}")

    @property
    def log(self) -> str:
        return (self.home / "daemon.log").read_text()[-3000:]

    @property
    def attempts(self) -> list[Attempt]:
        """Runs for a cause, oldest first."""
        return [each for each in trainings(self.instance, self.problem) if each.cause_id]

    def start(self, step: str = "") -> None:
        """Start the daemon; it, its code server or its run dies at the step."""
        environment = os.environ | {"DAGSTER_HOME": str(self.home), "PYTHONPATH": str(REPOSITORY)}
        environment |= {killing.STEP: step, killing.MARKER: str(self.marker), killing.HOLD: str(self.hold)}
        command = [sys.executable, "-m", killing.__name__, "-w", str(self.home / "workspace.yaml")]
        with (self.home / "daemon.log").open("ab") as log:
            self.daemon = subprocess.Popen(
                command, cwd=self.home, env=environment, stdout=log, stderr=log, start_new_session=True
            )

    def kill(self) -> None:
        """The daemon, its code servers and its fork server; runs are in sessions of their own and live on."""
        assert self.daemon is not None
        with contextlib.suppress(ProcessLookupError):  # all of them are gone
            os.killpg(self.daemon.pid, signal.SIGKILL)
        self.daemon.wait(timeout=30)

    def wait_for_death(self, step: str) -> None:
        """Until the daemon killed itself; its children go with it."""
        self.wait(f"death at '{step}'", lambda: self.daemon and self.daemon.poll() is not None)
        assert self.daemon is not None
        assert self.daemon.returncode == -signal.SIGKILL, self.log
        self.kill()

    def close(self) -> None:
        """End everything."""
        if self.daemon is not None:
            self.kill()
        for run in self.instance.get_runs(limit=20):
            worker = Worker.of_tags(run.tags)
            if worker is not None and (process := worker.find()) is not None:
                process.kill()
        self.instance.dispose()

    def wait(self, what: str, look: Callable[[], object], timeout_s: float = 300) -> None:
        end = time.monotonic() + timeout_s
        while time.monotonic() < end:
            if look():
                return
            time.sleep(0.1)
        raise AssertionError(f"{what}: not within {timeout_s} s; {self.attempts}; log: {self.log}")

    def wait_until_answered(self) -> None:
        """Until a run succeeded, and each location's sensor looked again twice and found nothing to do."""
        self.wait("a success", lambda: any(each.state == "succeeded" for each in self.attempts))
        since = time.time()
        self.wait("two ticks", lambda: all(sum(at > since for at in ticks) >= 2 for ticks in self._idle_ticks()))

    def _idle_ticks(self) -> list[list[float]]:
        """For each location, when its sensor last found nothing to do."""
        found = []
        for state in self.instance.all_instigator_state():
            if state.instigator_name == keys.retraining_sensor(self.problem):
                ticks = self.instance.get_ticks(state.instigator_origin_id, state.selector_id, limit=5)
                idle = [tick for tick in ticks if "No window is judged since" in str(tick.tick_data.skip_reason)]
                found.append([tick.timestamp for tick in idle])
        return found

    def assert_answered_once(self, cutoffs: list[str], *, attempts: int = 1) -> None:
        """One success, after so many attempts, and one row of the ledger."""
        found = self.attempts
        assert [each.state for each in found] == ["failed"] * (attempts - 1) + ["succeeded"]
        assert [each.number for each in found] == list(range(1, attempts + 1))
        assert len({each.cause_id for each in found}) == 1
        assert [row.cutoff for row in self.ledger.rows(self.problem)] == cutoffs
        over = {dg.DagsterRunStatus.SUCCESS, dg.DagsterRunStatus.FAILURE}
        assert {run.status for run in self.instance.get_runs()} <= over
        done = self.instance.get_materialized_partitions(keys.stage(self.problem, "registered_version"))
        assert cutoffs[-1] in done
