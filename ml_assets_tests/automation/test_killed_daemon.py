"""One retraining per cause under a real daemon that is killed with SIGKILL at every step, and started again.

Two bad windows wait. Whatever is killed, and wherever: in the end one run for their cause has succeeded, the ledger
has one row for it, and nothing is in flight. Trainings are quick here; real ones are killed in `test_killed_run.py`.
"""

from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest

from ml_assets_tests.automation import killing
from ml_assets_tests.automation.daemons import Platform
from ml_assets_tests.automation.watched import Watched

pytestmark = pytest.mark.long
FIRST, BAD, ANSWER = "2024-01-03", ("2024-01-03", "2024-01-04"), "2024-01-05"


@pytest.fixture
def platform(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Platform]:
    options = {"location": killing.quick_location, "locations": 1} | getattr(request, "param", {})
    platform = Platform(tmp_path, **options)
    watched = Watched(tmp_path, platform.instance, platform.problem, first=FIRST)
    watched.ledger.rows(platform.problem)
    for window in BAD:
        watched.judge(window, "model_quality")
    yield platform
    platform.close()


def _answered(platform: Platform, *, attempts: int = 1) -> None:
    platform.wait_until_answered()
    platform.assert_answered_once([FIRST, ANSWER], attempts=attempts)


@pytest.mark.parametrize("step", [*killing.IN_SENSOR_DAEMON, *killing.IN_QUEUE_DAEMON])
def test_a_daemon_killed_at_any_step_leads_to_one_retraining(platform: Platform, step: str) -> None:
    platform.start(step)
    platform.wait_for_death(step)
    platform.start()
    # A run whose worker was never let go is noticed, and tried again.
    _answered(platform, attempts=2 if step in killing.IN_QUEUE_DAEMON else 1)


def test_a_daemon_killed_at_one_step_after_the_other_leads_to_one_retraining(platform: Platform) -> None:
    for step in ("TICK_HELD", "RUN_IDS_RESERVED", "RUN_CREATED", "RUN_LAUNCHED"):
        platform.start(step)
        platform.wait_for_death(step)
    platform.start()
    _answered(platform)


@pytest.mark.parametrize("platform", [{"locations": 2}], indirect=True, ids=["two locations"])
@pytest.mark.parametrize("step", ["", "RUN_IDS_RESERVED", "RUN_CREATED"])
def test_the_same_problem_in_two_code_locations_is_retrained_once(platform: Platform, step: str) -> None:
    platform.start(step)
    if step:
        platform.wait_for_death(step)
        platform.start()
    _answered(platform)


def test_a_code_server_killed_while_the_sensor_decides_leads_to_one_retraining(platform: Platform) -> None:
    platform.start("claimed")
    platform.wait("death of the code server", platform.marker.exists)
    platform.kill()
    platform.start()
    _answered(platform)


@pytest.mark.parametrize("with_daemon", [False, True], ids=["the run alone", "and the daemon with it"])
@pytest.mark.parametrize("step", killing.IN_RUN)
def test_a_run_killed_at_any_step_is_noticed_and_tried_again(platform: Platform, step: str, with_daemon: bool) -> None:
    platform.start(step)
    platform.wait(f"death at '{step}'", platform.marker.exists)
    if with_daemon:
        platform.kill()
        platform.start()
    _answered(platform, attempts=2)


def test_a_daemon_killed_while_the_run_works_asks_for_no_other(platform: Platform) -> None:
    platform.hold.touch()
    platform.start()
    started = dg.RunsFilter(statuses=[dg.DagsterRunStatus.STARTED])
    platform.wait("a run that works", lambda: platform.instance.get_runs(started))
    platform.kill()
    platform.start()
    platform.hold.unlink()
    _answered(platform)


def test_a_daemon_killed_after_the_run_asks_for_no_other(platform: Platform) -> None:
    platform.start()
    platform.wait("a run that is over", lambda: any(each.state == "succeeded" for each in platform.attempts))
    platform.kill()
    platform.start()
    _answered(platform)


@pytest.mark.parametrize("platform", [{"location": killing.impatient_location}], indirect=True, ids=["three seconds"])
def test_a_retraining_that_hangs_is_ended_and_tried_again(platform: Platform) -> None:
    platform.hold.touch()
    platform.start()
    platform.wait("a failure", lambda: any(each.state == "failed" for each in platform.attempts))
    platform.hold.unlink()
    platform.wait_until_answered()
    states = [each.state for each in platform.attempts]
    assert set(states[:-1]) == {"failed"}
    assert states[-1] == "succeeded"
    assert [row.cutoff for row in platform.ledger.rows(platform.problem)] == [FIRST, ANSWER]
