"""A real retraining, requested by a real daemon, whose run is killed with SIGKILL: noticed, tried again, done once."""

import contextlib
import shutil
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from ml_assets.assets import keys
from ml_assets_tests.assets.visits import CUTOFF, DAYS, deliver, landed, require
from ml_assets_tests.automation import killing
from ml_assets_tests.automation.daemons import Platform
from ml_assets_tests.scenario import Scenario

pytestmark = pytest.mark.long
LAST, ANSWER = "2024-01-08", "2024-01-09"


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A home with six days and a version, then two more days that are scored and bad; and a copy of it."""
    folder = tmp_path_factory.mktemp("killed")
    home, saved = folder / "home", folder / "saved"
    platform = Platform(home, location=killing.real_location)
    scenario = Scenario(platform.problem, home, platform.instance)
    deliver(scenario, *DAYS, CUTOFF, LAST)
    require(scenario.run(keys.feature_store_job(platform.problem)))
    require(scenario.run_range(keys.landing_job(platform.problem), DAYS[0], DAYS[-1], landed(platform.problem)))
    require(scenario.run(keys.training_job(platform.problem), CUTOFF))
    for day in (CUTOFF, LAST):
        require(scenario.run(keys.window_job(platform.problem), day))
    platform.close()
    shutil.copytree(home, saved)
    return home, saved


@pytest.fixture
def platform(built: tuple[Path, Path]) -> Iterator[Platform]:
    home, saved = built
    shutil.rmtree(home)
    shutil.copytree(saved, home)
    platform = Platform(home, location=killing.real_location)
    yield platform
    platform.close()


@pytest.mark.parametrize("step", killing.IN_RUN)
def test_a_real_training_killed_at_any_step_ends_as_one_version(platform: Platform, step: str) -> None:
    platform.start(step)
    platform.wait(f"death at '{step}'", platform.marker.exists)
    platform.wait_until_answered()
    platform.assert_answered_once([CUTOFF, ANSWER], attempts=2)
    # Not through MLflow, which in this process still holds the files of the former test.
    with contextlib.closing(sqlite3.connect(platform.home / "mlflow" / "mlflow.db")) as connection:
        assert connection.execute("SELECT version FROM model_versions ORDER BY version").fetchall() == [(1,), (2,)]
