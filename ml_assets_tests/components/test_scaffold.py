"""`dg scaffold defs`: what it writes is a declaration that holds."""

from pathlib import Path

import dagster as dg
import pytest
from click import UsageError
from dagster.components.component_scaffolding import scaffold_object
from dagster.components.scaffold.scaffold import get_scaffolder

from ml_assets.components import FeatureViews, ModelProblem
from ml_assets.components.declaration import read_feature_set, read_problem
from ml_assets.components.places import read_documents
from ml_assets.components.schema import PACKAGE, schema_comment
from ml_assets.components.static import document_mistakes


def _scaffold(folder: Path, component: str, *, form: str = "yaml", append: bool = False) -> Path:
    scaffold_object(folder / "defs.yaml" if append else folder, f"{PACKAGE}.{component}", None, form, None, append)
    return folder / "defs.yaml"


def test_a_scaffolded_problem_holds_and_says_what_its_parts_are(tmp_path: Path) -> None:
    file = _scaffold(tmp_path / "my-returns", "ModelProblem")
    text = file.read_text()
    assert text.splitlines()[0] == schema_comment(file)
    assert text.count("  # ") >= 5
    assert [str(m) for document in read_documents(file) for m in document_mistakes(document)] == []
    problem = read_problem(file)
    assert (problem.name, problem.task) == ("my_returns", "binary")


def test_scaffolded_feature_views_hold_and_can_be_appended(tmp_path: Path) -> None:
    file = _scaffold(tmp_path / "shop", "FeatureViews")
    assert read_feature_set(file).name == "shop"
    _scaffold(tmp_path / "shop", "FeatureViews", append=True)
    assert len(read_documents(file)) == 2


def test_python_is_refused_with_what_to_do_instead(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="build_problem_defs"):
        _scaffold(tmp_path / "shop", "ModelProblem", form="python")


@pytest.mark.parametrize("component", [ModelProblem, FeatureViews], ids=lambda component: component.__name__)
def test_dagster_finds_the_scaffolders_and_asks_them_for_no_parameters(component: type) -> None:
    scaffolder = get_scaffolder(component)
    assert isinstance(scaffolder, dg.Scaffolder)
    assert scaffolder.get_scaffold_params().model_fields == {}
