"""The code location as Dagster loads it."""

import os
import subprocess
import sys

import pytest

from ml_assets.components.catalogue import defs_files
from ml_assets.components.declaration import FEATURE_VIEWS, MODEL_PROBLEM, declared, read_feature_set, read_problem
from ml_assets.spec import FeatureSet
from ml_assets_tests.test_generality import DEFS, STAGES

HEAVY = ("feast", "great_expectations", "evidently", "mlflow", "hyperopt", "xgboost", "matplotlib", "dagster_mlflow")


@pytest.fixture(scope="module")
def loaded() -> list[str]:
    """Asset keys and, after a line, the heavy modules that loading the location imported."""
    code = (
        "import sys; from ml_assets.definitions import defs; loaded = defs().resolve_all_asset_specs()\n"
        "print('\\n'.join(sorted(spec.key.to_user_string() for spec in loaded))); print('-')\n"
        f"print('\\n'.join(name for name in {HEAVY!r} if name in sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def test_the_graphs_of_all_problems_are_complete(loaded: list[str]) -> None:
    found = set(loaded[: loaded.index("-")])
    expected = set()
    for file in defs_files(DEFS):
        for attributes in declared(file, FEATURE_VIEWS):
            expected |= _of_features(read_feature_set(file, attributes["name"]))
        for attributes in declared(file, MODEL_PROBLEM):
            problem = read_problem(file, attributes["name"])
            expected |= {f"{problem.name}/{stage}" for stage in STAGES}
            expected |= _of_features(problem) if problem.features_from is None else set()
    assert found == expected


def _of_features(features: FeatureSet) -> set[str]:
    names = {f"sources/{source.name}" for source in features.sources}
    names |= {f"features/{view.name}" for view in features.feature_views}
    return {f"{features.name}/{name}" for name in (*names, "feature_store", "online_features")}


def test_loading_imports_no_heavy_library(loaded: list[str]) -> None:
    assert [name for name in loaded[loaded.index("-") + 1 :] if name] == []


def test_addresses_from_the_environment_are_shown_by_name_only() -> None:
    """What Dagster's UI shows of a resource is its configuration; servers' addresses may hold passwords."""
    secret = "postgresql://anna:hunter2@db/"  # noqa: S105
    servers = {
        "ML_ASSETS_LEDGER_URL": secret + "ledger",
        "ML_ASSETS_TRACKING_URI": secret + "mlflow",
        "ML_ASSETS_FEAST_REGISTRY": secret + "feast",
    }
    code = (
        "from dagster._core.remote_representation.external_data import RepositorySnap\n"
        "from ml_assets.defs.resources import resources\n"
        "for each in RepositorySnap.from_def(resources().get_repository_def()).resources:\n"
        "    print(each.name, each.configured_values)"
    )
    environment = {**os.environ, **servers}
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment)
    assert "hunter2" not in shown.stdout
    assert all(name in shown.stdout for name in servers)
