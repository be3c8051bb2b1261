"""Fixtures that several folders of tests share."""

import os
from datetime import date
from pathlib import Path

import pytest

from ml_assets.telemetry import disable_telemetry
from ml_assets_tests.flights import Deliveries
from ml_assets_tests.real_servers import empty_redis, postgresql, redis_server  # noqa: F401

WEEK = "2013-02-04"
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # as the launcher of runs does; before XGBoost is imported


@pytest.fixture(autouse=True, scope="session")
def _no_telemetry() -> None:
    disable_telemetry()


@pytest.fixture(scope="session")
def landed(tmp_path_factory: pytest.TempPathFactory) -> Deliveries:
    """Three weeks of real flights, landed; tests only read them."""
    deliveries = Deliveries.below(tmp_path_factory.mktemp("landed"), start=date(2013, 1, 21))
    for key in ("2013-01-21", "2013-01-28", WEEK):
        deliveries.land_all(key)
    return deliveries


@pytest.fixture
def delivered(tmp_path: Path) -> Deliveries:
    """One week delivered, its registers landed; a test may change the files."""
    deliveries = Deliveries.below(tmp_path)
    deliveries.deliver(WEEK)
    for source in ("airlines", "airports", "planes"):
        deliveries.land(source, WEEK)
    return deliveries
