"""A real daemon, its code server and its runs, each of which ends itself with SIGKILL at a named step, once.

The sensor daemon's steps are Dagster's own (`check_for_debug_crash`); the others are wrapped around what is called at
that step. `python -m ml_assets_tests.automation.killing` is `dagster-daemon run`.
"""

import os
import signal
import sys
import time
from collections.abc import Callable
from functools import partial, wraps
from pathlib import Path
from typing import Any

import dagster as dg

from ml_assets.assets import keys, partitions
from ml_assets.automation.retraining import build_retraining_sensor
from ml_assets.resources.ledger import Ledger, LedgerRow
from ml_assets.spec import Problem, QualityPolicy, RetrainingPolicy
from ml_assets_tests.assets.visits import declared
from ml_assets_tests.scenario import Scenario

STEP, MARKER, HOLD = "ML_ASSETS_TEST_KILL_AT", "ML_ASSETS_TEST_KILL_MARKER", "ML_ASSETS_TEST_HOLD"
IN_SENSOR_DAEMON = (
    "TICK_CREATED",
    "TICK_HELD",
    "RUN_IDS_RESERVED",
    "RUN_CREATED",
    "RUN_LAUNCHED",
    "RUN_IDS_ADDED_TO_EVALUATIONS",
)
IN_QUEUE_DAEMON = ("run dequeued", "worker started")
IN_RUN = ("training begins", "version registered", "decision written")
POLICY = RetrainingPolicy(
    checks=("model_quality",), bad_windows=2, of_last=2, cooldown_windows=1, max_retries=3, backoff_minutes=0
)


def watched_visits() -> Problem:
    """Visits that no model is good enough for: every judged window is bad."""
    strict = QualityPolicy(min_rows=50, max_bias=1e-9)
    return declared().model_copy(update={"quality": strict, "retraining": POLICY})


def real_location(home: str) -> dg.Definitions:
    """All that the problem has, from sources to versions."""
    from ml_assets.assets import dataset, gate

    _mortal_sensor()
    dataset.training_set = _dies(dataset.training_set, before="training begins")
    gate.decide = _dies(gate.decide, before="version registered", after="decision written")
    with dg.DagsterInstance.ephemeral() as unused:
        return Scenario(watched_visits(), Path(home), unused).defs


def impatient_location(home: str) -> dg.Definitions:
    """The same with trainings that may take three seconds."""
    return quick_location(home, timeout_hours=3 / 3600)


def quick_location(home: str, *, timeout_hours: float = 24) -> dg.Definitions:
    """The sensor, and a training that only comes to a decision."""
    policy = POLICY.model_copy(update={"timeout_hours": timeout_hours})
    problem = watched_visits().model_copy(update={"retraining": policy})
    ledger = Ledger(url=f"sqlite:///{Path(home) / 'ledger.db'}")
    _mortal_sensor()

    @dg.asset(key=keys.stage(problem, "registered_version"), partitions_def=partitions.cutoffs(problem))
    def registered_version(context: dg.AssetExecutionContext) -> None:
        die_at("training begins")
        while Path(os.environ[HOLD]).exists():
            time.sleep(0.1)
        rows, cutoff = ledger.rows(problem), context.partition_key
        version = next((row.version for row in rows if row.cutoff == cutoff), len(rows) + 1)
        die_at("version registered")
        decision = LedgerRow("rejected", version, cutoff, context.run.run_id, "not better", "", "file:///m", "abc", {})
        ledger.record(problem, decision)
        die_at("decision written")

    job = dg.define_asset_job(keys.training_job(problem), [registered_version])
    return dg.Definitions(
        assets=[registered_version],
        jobs=[job],
        sensors=[build_retraining_sensor(problem, job)],
        resources={"ledger": ledger},
        executor=dg.in_process_executor,
    )


def die_at(step: str) -> None:
    """End this process as `kill -9` does, if that step is the one and was not reached before."""
    if os.environ.get(STEP) != step:
        return
    try:
        Path(os.environ[MARKER]).touch(exist_ok=False)
    except FileExistsError:
        return
    os.kill(os.getpid(), signal.SIGKILL)


def run_daemon() -> None:
    """Be the daemon."""
    from dagster._daemon import sensor
    from dagster._daemon.cli import run_command

    from ml_assets.automation import warm_runs

    if (step := os.environ.get(STEP)) in IN_SENSOR_DAEMON:
        flags = {keys.retraining_sensor(watched_visits()): {step: signal.SIGKILL}}
        sensor.execute_sensor_iteration = partial(sensor.execute_sensor_iteration, debug_crash_flags=flags)
    # Of several locations the first one dies, and after that the last one looks first.
    sensor.shuffled_round_robin_by_key = partial(sorted, reverse=not step)
    launcher = warm_runs.WarmRunLauncher
    launcher.launch_run = _dies(launcher.launch_run, before="run dequeued")  # type: ignore[method-assign]
    warm_runs._start = _dies(warm_runs._start, after="worker started")
    run_command.main(args=sys.argv[1:], prog_name="dagster-daemon")


def _mortal_sensor() -> None:
    from ml_assets.automation import retraining

    retraining.claim = _dies(retraining.claim, after="claimed")  # type: ignore[attr-defined]


def _dies(call: Callable[..., Any], *, before: str = "", after: str = "") -> Callable[..., Any]:
    @wraps(call)
    def mortal(*arguments: Any, **named: Any) -> Any:
        die_at(before or "never")
        result = call(*arguments, **named)
        die_at(after or "never")
        return result

    return mortal


if __name__ == "__main__":
    run_daemon()
