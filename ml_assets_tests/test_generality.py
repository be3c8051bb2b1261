"""What makes the platform general: a graph follows from its declaration alone, and no platform code knows a problem."""

import re
from pathlib import Path

import dagster as dg
import pytest
import yaml

import ml_assets
from ml_assets.assets.feature_set import build_feature_defs
from ml_assets.assets.problem import build_problem_defs
from ml_assets.components.catalogue import defs_files
from ml_assets.components.declaration import (
    FEATURE_VIEWS,
    MODEL_PROBLEM,
    bound_feature_set,
    bound_problem,
    declared,
    read_feature_set,
    read_problem,
)
from ml_assets.spec import FeatureSet, Problem, ProblemDeclaration

PACKAGE = Path(ml_assets.__file__).parent
DEFS = PACKAGE / "defs"
WORDS = PACKAGE / "onboarding" / "hints.py"  # a vocabulary of what labels are called in the world at large
PLATFORM = [
    path
    for path in sorted(PACKAGE.rglob("*.py"))
    if DEFS not in path.parents and PACKAGE / "demo" not in path.parents and path != WORDS
]
STAGES = (
    *("rows", "labels", "dataset", "tuned_model", "registered_version"),
    *("predictions", "quality", "drift_report", "overview"),
)


def _own_words() -> set[str]:
    """Names that belong to one of the declared problems and to no other part of the world."""
    words: set[str] = set()
    for file in defs_files(DEFS):
        for component in (FEATURE_VIEWS, MODEL_PROBLEM):
            for attributes in declared(file, component):
                words.add(attributes["name"])
                words |= {view["name"] for view in attributes.get("feature_views", ())}
                words |= {name for view in attributes.get("feature_views", ()) for name in view["features"]}
                words.add(attributes.get("label", {}).get("name", attributes["name"]))
    return words - {"weather", "lines"}


def _code(path: Path) -> str:
    """A module without its docstrings, descriptions and examples, which may well speak of an example."""
    text = re.sub(r'"""(?:.|\n)*?"""', "", path.read_text())
    text = re.sub(r"#.*", "", text)
    text = re.sub(r"examples=\[.*?\]\s*[,)]", "", text, flags=re.DOTALL)
    return re.sub(r'description=\(?\s*(?:f?"[^"]*"\s*)+', "", text)


def test_three_problems_of_different_shapes_are_declared() -> None:
    problems = [read_problem(file) for file in defs_files(DEFS) for _ in declared(file, MODEL_PROBLEM)]
    assert {(p.name, p.task, p.cadence.kind) for p in problems} == {
        ("flights", "regression", "weekly"),
        ("churn", "binary", "monthly"),
        ("lifetime_value", "regression", "monthly"),
    }


@pytest.mark.parametrize("path", PLATFORM, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_no_platform_code_knows_a_problem(path: Path) -> None:
    found = [word for word in _own_words() if re.search(rf"\b{word}\b", _code(path))]
    if path.name == "cli.py":
        found = [word for word in found if word != "flights"]  # which problem the demo is about
    assert found == []


def test_no_defs_folder_but_the_resources_holds_python() -> None:
    assert {p.name for p in DEFS.rglob("*.py")} == {"__init__.py", "resources.py"}


def _names(defs: dg.Definitions) -> dict[str, set[str]]:
    return {
        "assets": {key.to_user_string() for asset in defs.assets or () for key in asset.keys},  # type: ignore[union-attr]
        "jobs": {job.name for job in defs.jobs or ()},
        "sensors": {sensor.name for sensor in defs.sensors or ()},
        "schedules": {schedule.name for schedule in defs.schedules or ()},
    }


@pytest.mark.parametrize("name", ["flights", "churn", "lifetime_value"])
def test_another_name_gives_the_same_graph_under_that_name(name: str) -> None:
    file = DEFS / name / "defs.yaml"
    [attributes] = declared(file, MODEL_PROBLEM)
    ours = _names(build_problem_defs(read_problem(file)))
    other = bound_problem(ProblemDeclaration.model_validate({**attributes, "name": "other"}), file.parent)
    theirs = _names(build_problem_defs(other))
    assert theirs == {kind: {re.sub(rf"^{name}(?=[/_])", "other", n) for n in names} for kind, names in ours.items()}


def test_shared_views_are_built_once_and_named_by_every_problem_on_them() -> None:
    shared = _names(build_feature_defs(read_feature_set(DEFS / "retail" / "defs.yaml")))["assets"]
    assert {"retail/sources/lines", "retail/feature_store", "retail/online_features"} <= shared
    for name in ("churn", "lifetime_value"):
        defs = build_problem_defs(read_problem(DEFS / name / "defs.yaml"))
        assert _names(defs)["assets"] == {f"{name}/{stage}" for stage in STAGES}


def test_a_declaration_in_python_gives_the_graph_of_the_one_in_yaml() -> None:
    file = DEFS / "churn" / "defs.yaml"
    [attributes] = declared(file, MODEL_PROBLEM)
    shared = read_feature_set(DEFS / "retail" / "defs.yaml")
    parts = {key: value for key, value in attributes.items() if key != "use_views"}
    written = Problem(**parts, cadence=shared.cadence, sources=shared.sources, feature_views=shared.feature_views)
    assert _names(build_problem_defs(written)) == _names(build_problem_defs(read_problem(file)))


def test_problem_and_views_may_share_a_file(tmp_path: Path) -> None:
    [views] = declared(DEFS / "retail" / "defs.yaml", FEATURE_VIEWS)
    views = {
        **views,
        "name": "shop",
        "feature_views": [],
        "sources": [{**views["sources"][0], "sql": None, "event_time": "InvoiceDate", "row_known_at": None}],
    }
    problem = {
        "name": "price",
        "features_from": "shop",
        "rows": {"key": ["Invoice"], "features": {"Quantity": "float"}},
        "label": {"name": "Price"},
    }
    documents = [
        {"type": "ml_assets.components.FeatureViews", "attributes": views},
        {"type": "ml_assets.components.ModelProblem", "attributes": problem},
    ]
    file = tmp_path / "defs.yaml"
    file.write_text(yaml.safe_dump_all(documents))
    read = read_problem(file)
    assert (read.feature_group, read.source("lines").event_time) == ("shop", "InvoiceDate")
    assert bound_feature_set(FeatureSet.model_validate(views), tmp_path).feature_group == "shop"
