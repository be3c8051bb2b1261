"""The online store's asset: each window is compared with the lake, and what differs is named."""

from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest

from ml_assets.assets import keys
from ml_assets.assets.feature_store import build_feature_store, build_online_features, view_folders
from ml_assets.assets.online_parity import CHECK, parity_check
from ml_assets.ml.features.parity import Difference, ViewParity
from ml_assets.resources.feature_store import FeatureStore
from ml_assets.resources.lake import Lake
from ml_assets.spec import Problem
from ml_assets.spec.parity import Parity
from ml_assets_tests.resources.feature_lake import ROUTE, STATION, FeatureLake, after, problem
from ml_assets_tests.scenario import check_results

WEEKS = ("2013-01-07", "2013-01-14")


class _Lake(FeatureLake):
    """Its files lie where the platform's lake has them."""

    @property
    def folders(self) -> dict[str, Path]:
        return view_folders(self.problem, Lake(root=str(self.root / "lake"), landing=str(self.root / "landing")))


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.ephemeral() as ephemeral:
        yield ephemeral


@pytest.fixture
def lake(tmp_path: Path) -> _Lake:
    lake = _Lake(tmp_path, problem([STATION.model_copy(update={"ttl_hours": 240.0}), ROUTE]))
    lake.land("station", [("EWR", after(day), after(day), day, 1, "x") for day in (1, 6)])
    lake.apply()
    return lake


def _run(lake: _Lake, instance: dg.DagsterInstance, first: str, last: str | None = None) -> bool:
    online = build_online_features(lake.problem)
    job = dg.define_asset_job("online", [online])
    defs = dg.Definitions([online], jobs=[job], resources={"feature_store": lake.store})
    ends = {"dagster/asset_partition_range_start": first, "dagster/asset_partition_range_end": last or first}
    run = defs.resolve_job_def("online").execute_in_process(
        instance=instance, partition_key=None if last else first, tags=ends if last else None, raise_on_error=False
    )
    return run.success


def test_each_window_of_a_range_run_has_its_own_result(lake: _Lake, instance: dg.DagsterInstance) -> None:
    assert _run(lake, instance, *WEEKS)
    results = check_results(instance, keys.online(lake.problem), CHECK)
    assert {week: result.passed for week, result in results.items()} == dict.fromkeys(WEEKS, True)
    numbers = {name: results[WEEKS[0]].metadata[name].value for name in ("compared", "different", "waiting")}
    assert numbers == {"compared": 1, "different": 0, "waiting": 0}


def test_a_stale_row_fails_the_window_and_names_what_mends_it(lake: _Lake, instance: dg.DagsterInstance) -> None:
    assert _run(lake, instance, WEEKS[0])
    lake.land("station", [("EWR", after(1), after(1), 1.0, 1, "x"), ("EWR", after(6.5), after(6.5), 9.0, 1, "x")])
    assert _run(lake, instance, WEEKS[1])  # nothing new there: the check fails, the window does not
    result = check_results(instance, keys.online(lake.problem), CHECK)[WEEKS[1]]
    assert (result.passed, result.severity) == (False, dg.AssetCheckSeverity.ERROR)
    assert result.description == (
        "1 of 1 entities differ. View 'station', entity origin=EWR: 'wind' is 6.0 online and 9.0 in the lake; "
        "materialise 'trips/online_features' of 2013-01-07 again."
    )
    assert _run(lake, instance, WEEKS[0])
    assert check_results(instance, keys.online(lake.problem), CHECK)[WEEKS[0]].passed


def test_a_row_that_the_lake_has_lost_is_not_said_to_be_mended_by_materialising() -> None:
    lost = Difference("station", "origin=EWR", "wind", 2.0, 1.0, after(6), lost=True)
    result = parity_check(problem(), [ViewParity("station", 1, 1, 0, (lost,))])
    assert not result.passed
    assert "the lake holds that row of 2013-01-07 no longer" in str(result.description)


def test_no_entities_no_check(tmp_path: Path) -> None:
    declared: Problem = problem().model_copy(update={"parity": Parity(entities=0)})
    assert not list(build_online_features(declared).check_keys)
    assert len(list(build_online_features(problem()).check_keys)) == 1


def test_applying_says_what_changed_and_is_another_version_only_then(
    tmp_path: Path, instance: dg.DagsterInstance
) -> None:
    lake = Lake(root=str(tmp_path / "lake"), landing=str(tmp_path / "landing"))
    resources = {"lake": lake, "feature_store": FeatureStore(root=str(tmp_path / "feast"))}
    longer = problem([STATION.model_copy(update={"ttl_hours": 240.0}), ROUTE])
    versions = []
    for declared, changed in (
        (problem(), "added view station"),
        (problem(), "nothing"),
        (longer, "changed view station"),
    ):
        done = dg.materialize([build_feature_store(declared)], instance=instance, resources=resources)
        [event] = done.asset_materializations_for_node(done.job_def.nodes[0].name)
        assert changed in str(event.metadata["changed"].value)
        versions.append((event.tags or {})["dagster/data_version"])
    assert versions[0] == versions[1] != versions[2]
