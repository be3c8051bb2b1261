"""One cluster for all tests of this folder; where it cannot run, they say so."""

from collections.abc import Iterator

import pytest

from ml_assets_tests.spark.cluster import Cluster, running, why_not


@pytest.fixture(scope="session")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """A master and two workers of one core each."""
    if reason := why_not():
        pytest.skip(reason)
    with running(tmp_path_factory.mktemp("cluster")) as started:
        yield started
