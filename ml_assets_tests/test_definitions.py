"""The code location as Dagster loads it."""

import subprocess
import sys

import pytest

from ml_assets_tests.flights import flights

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


def test_the_graph_of_a_problem_is_complete(loaded: list[str]) -> None:
    problem, found = flights(), set(loaded[: loaded.index("-")])
    stages = "rows labels feature_store online_features dataset tuned_model registered_version predictions quality drift_report"
    expected = {f"flights/{stage}" for stage in stages.split()}
    expected |= {f"flights/sources/{source.name}" for source in problem.sources}
    expected |= {f"flights/features/{view.name}" for view in problem.feature_views}
    assert found == expected


def test_loading_imports_no_heavy_library(loaded: list[str]) -> None:
    assert [name for name in loaded[loaded.index("-") + 1 :] if name] == []
