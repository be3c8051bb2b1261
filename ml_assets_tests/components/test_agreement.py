"""`dg check yaml`, `dagster definitions validate` and `ml-assets check` pass or fail alike, in a real project."""

import os
import subprocess
import sys
from pathlib import Path

import dagster as dg
import pytest
from click.testing import CliRunner
from dagster.components.core.component_tree import ComponentTreeException
from dagster_dg_core.check import check_yaml
from dagster_dg_core.context import DgContext

from ml_assets.checking.command import check
from ml_assets.defs import resources
from ml_assets_tests.checking.shop import DEFS_YAML, Shop, open_shop

BIN = Path(sys.executable).parent
PYPROJECT = """\
[project]
name = "{name}"
version = "0"
[tool.dg]
directory_type = "project"
[tool.dg.project]
root_module = "{name}"
code_location_name = "{name}.definitions"
registry_modules = ["ml_assets.components"]
"""
DEFINITIONS = """\
from pathlib import Path

import dagster as dg

from ml_assets.components.loading import load_defs


@dg.definitions
def defs() -> dg.Definitions:
    return load_defs(Path(__file__).parent)
"""


def _project(root: Path, name: str) -> Shop:
    """A Dagster project with the shop as its only declaration; each needs a package name of its own."""
    (root / name / "defs").mkdir(parents=True)
    (root / "pyproject.toml").write_text(PYPROJECT.format(name=name))
    for package in (root / name, root / name / "defs"):
        (package / "__init__.py").touch()
    (root / name / "definitions.py").write_text(DEFINITIONS)
    (root / name / "defs" / "resources.py").write_text(Path(resources.__file__).read_text())
    return open_shop(root / name / "defs" / "returns")


def _dg_passes(root: Path, *paths: Path) -> bool:
    return check_yaml(DgContext.for_project_environment(root, {}), paths, validate_requirements=False)


def _loading_says(root: Path) -> str:
    """What Dagster's own loading of the folder ends with."""
    with pytest.raises(ComponentTreeException) as caught:
        dg.load_from_defs_folder(path_within_project=root)
    return str(caught.value.__cause__)


def _check_says(shop: Shop) -> tuple[int, str]:
    done = CliRunner().invoke(check, ["--no-data", str(shop.folder)])
    return done.exit_code, done.output


EXPRESSIBLE = {
    "unknown field": (
        "description: Which",
        "descripton: Which",
        "`descripton` is no field. Did you mean 'description'?",
    ),
    "wrong value": ("kind: monthly", "kind: montly", "`cadence.kind` is 'montly'. Did you mean 'monthly'?"),
    "wrong type": (
        "max_trials: 3",
        'max_trials: "3"',
        "`search.max_trials` is '3'. Give a whole number, without quotes",
    ),
    "missing field": ("    key: [order_id]\n    features: {am", "    features: {am", "`rows.key` is missing. Add it"),
    "form of a union": ("low: 0.03, high: 0.3", "low: 0.03, hight: 0.3", "`search.space.eta.hight` is no field"),
    "metric of another task": (
        "task: binary",
        "task: binary\n  metric: rmse",
        "`metric` rmse does not fit task binary",
    ),
    "sql and function": ("sql: customer_orders.sql", "sql: SELECT 1\n      function: f.py:f", "has both `sql` and"),
    "neither own nor shared": (
        "  cadence: {kind: monthly, start: 2024-01-01, end: 2025-01-01}\n",
        "",
        "`cadence` is missing",
    ),
    "day of no month": ("start: 2024-01-01", "start: 2024-01-31", "not every month has a day 31"),
    "no time": ("start: 2024-01-01", "start: January", "`cadence.start` is 'January'. Give a day or time"),
}
BEYOND_A_SCHEMA = {
    "unknown source": (
        "sql: customer_orders.sql",
        "sql: customer_orders.sql\n      sources: [order]",
        "'order', which is no source",
    ),
    "SQL file": ("customer_orders.sql", "customer_order.sql", "Did you mean 'customer_orders.sql'?"),
    "label that no column is": (
        "    name: returned",
        "    name: retrned",
        "no column 'retrned'. Did you mean 'returned'?",
    ),
    "empty range": ("low: 0.03, high: 0.3", "low: 0.3, high: 0.03", "high 0.03 is not above low 0.3"),
    "time zone": ("end: 2025-01-01}", "end: 2025-01-01, timezone: Europe/Londn}", "'Europe/Londn' is no time zone"),
    "no window to train on": ("test_windows: 2", "test_windows: 10", "no window is left for training"),
    "key twice": ("max_trials: 3", "max_trials: 3\n    max_trials: 4", "`attributes.search.max_trials` is there twice"),
}


def _packages(cases: dict) -> list:
    return [pytest.param(*case, id=name) for name, case in cases.items()]


@pytest.mark.parametrize(("old", "new", "says"), _packages(EXPRESSIBLE))
def test_all_three_refuse_what_a_schema_can_express(
    tmp_path: Path,
    request: pytest.FixtureRequest,
    monkeypatch: pytest.MonkeyPatch,
    old: str,
    new: str,
    says: str,
) -> None:
    monkeypatch.syspath_prepend(tmp_path)
    shop = _project(tmp_path, "shop_" + request.node.callspec.id.replace(" ", "_"))
    shop.change(old, new)
    code, said = _check_says(shop)
    assert (code, says in said) == (1, True), said
    assert not _dg_passes(tmp_path)
    assert says in _loading_says(tmp_path)


@pytest.mark.parametrize(("old", "new", "says"), _packages(BEYOND_A_SCHEMA))
def test_loading_and_check_refuse_what_no_schema_can_express(
    tmp_path: Path,
    request: pytest.FixtureRequest,
    monkeypatch: pytest.MonkeyPatch,
    old: str,
    new: str,
    says: str,
) -> None:
    monkeypatch.syspath_prepend(tmp_path)
    shop = _project(tmp_path, "shop_" + request.node.callspec.id.replace(" ", "_"))
    shop.change(old, new)
    code, said = _check_says(shop)
    assert (code, says in said) == (1, True), said
    assert _dg_passes(tmp_path)
    assert says in _loading_says(tmp_path)


def test_without_a_path_dg_check_yaml_sees_one_document_of_a_type_only(tmp_path: Path) -> None:
    """Dagster 1.13 keeps documents by their type. Given a folder, it looks at that one."""
    shop = _project(tmp_path, "shop_twins")
    other = open_shop(shop.folder.parent / "refunds", DEFS_YAML.replace("name: returns", "name: refunds"))
    for wrong, right in ((shop, other), (other, shop)):
        wrong.change("kind: monthly", "kind: montly")
        assert not _dg_passes(tmp_path, wrong.folder)
        assert _dg_passes(tmp_path, right.folder)
        wrong.change("kind: montly", "kind: monthly")
    for each in (shop, other):
        each.change("kind: monthly", "kind: montly")
    assert not _dg_passes(tmp_path)


def _run(root: Path, *command: str) -> tuple[int, str]:
    environment = {**os.environ, "PYTHONPATH": str(root), "DAGSTER_DISABLE_TELEMETRY": "yes", "NO_COLOR": "1"}
    environment.pop("DAGSTER_HOME", None)
    done = subprocess.run(
        [BIN / command[0], *command[1:]], cwd=root, env=environment, capture_output=True, text=True, check=False
    )
    return done.returncode, done.stdout + done.stderr


@pytest.mark.slow
def test_the_commands_themselves_pass_a_declaration_that_holds(tmp_path: Path) -> None:
    _project(tmp_path, "shop_good")
    assert _run(tmp_path, "dg", "check", "yaml")[0] == 0
    code, said = _run(tmp_path, "dagster", "definitions", "validate")
    assert code == 0, said


@pytest.mark.slow
def test_the_commands_themselves_fail_with_every_mistake_of_every_file_in_a_line_of_its_own(tmp_path: Path) -> None:
    shop = _project(tmp_path, "shop_bad")
    lines = [shop.change("kind: monthly", "kind: montly"), shop.change("    name: returned", "    name: retrned")]
    other = open_shop(shop.folder.parent / "refunds", DEFS_YAML.replace("name: returns", "name: refunds"))
    lines.append(other.change("max_ratio: 1.5", "max_ratio: 0.5"))
    expected = [
        f"shop_bad/defs/refunds/defs.yaml:{lines[2]}: `quality.max_ratio` is 0.5. Give a number above 1.0, e.g. 1.25.",
        f"shop_bad/defs/returns/defs.yaml:{lines[0]}: `cadence.kind` is 'montly'. Did you mean 'monthly'?",
        f"shop_bad/defs/returns/defs.yaml:{lines[1]}: source 'orders' has no column 'retrned'. Did you mean 'returned'?",
    ]
    assert _run(tmp_path, "dg", "check", "yaml", "shop_bad/defs/returns")[0] == 1
    code, said = _run(tmp_path, "dagster", "definitions", "validate")
    assert code == 1
    assert [line for line in expected if line not in said] == []
    traced = [line for line in said.splitlines() if line.startswith("  File ")]
    assert len(traced) <= 3, said
