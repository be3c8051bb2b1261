"""A filled shelf for each test; MLflow's store is made once."""

import shutil
from pathlib import Path

import pytest

from ml_assets_tests.lifecycle.shelf import Shelf, fill


@pytest.fixture(scope="session")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Shelf:
    return fill(tmp_path_factory.mktemp("shelf") / "home")


@pytest.fixture
def shelf(filled: Shelf, tmp_path: Path) -> Shelf:
    """A copy; its ledger still names the files of the original, so that no test may alter those."""
    return Shelf(Path(shutil.copytree(filled.home, tmp_path / "home")))
