"""The JSON schema of declarations: up to date, complete, and the one that dg shows."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from jsonschema.validators import validator_for

import ml_assets
from ml_assets.checking.schema_command import schema as schema_command
from ml_assets.components import FeatureViews, ModelProblem
from ml_assets.components.documents import DEFS_YAML
from ml_assets.components.places import read_documents
from ml_assets.components.schema import MODELS, SCHEMA_FILE, attributes_schema, schema_comment, schema_text

DECLARATIONS = sorted((Path(ml_assets.__file__).parent / "defs").rglob(DEFS_YAML))


def _fields(component: str) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """(model, field, schema of the field) of everything that a component's attributes can hold."""
    root = attributes_schema(component)
    for model, node in {component: root, **root["$defs"]}.items():
        for name, field in node["properties"].items():
            yield model, name, field


ALL = {f"{model}.{name}": field for component in MODELS for model, name, field in _fields(component)}


def test_the_committed_schema_is_that_of_the_spec() -> None:
    assert SCHEMA_FILE.read_text() == schema_text(), "run `ml-assets schema`"


def test_the_command_writes_schema_and_page_anywhere(tmp_path: Path) -> None:
    schema_command(["--to", str(tmp_path / "s.json"), "--page", str(tmp_path / "p.md")], standalone_mode=False)
    assert (tmp_path / "s.json").read_text() == schema_text()
    page = (tmp_path / "p.md").read_text()
    for name, field in ALL.items():
        assert f" {field['description'].replace('|', chr(92) + '|')} |" in page, name


@pytest.mark.parametrize("file", DECLARATIONS, ids=lambda file: file.parent.name)
def test_the_declarations_of_this_repository_satisfy_it(file: Path) -> None:
    whole = json.loads(SCHEMA_FILE.read_text())
    validator = validator_for(whole)
    validator.check_schema(whole)
    for document in read_documents(file):
        assert [error.message for error in validator(whole).iter_errors(document.value)] == []


@pytest.mark.parametrize(
    ("document", "says"),
    [
        pytest.param(
            {"type": "ml_assets.components.ModelProblm", "attributes": {}}, "is not valid under any", id="type"
        ),
        pytest.param({"type": "ml_assets.components.ModelProblem"}, "'attributes' is a required", id="attributes"),
        pytest.param({"type": "other.Component", "atributes": {}}, "'atributes' was unexpected", id="key"),
    ],
)
def test_what_is_around_the_attributes_is_judged(document: dict[str, Any], says: str) -> None:
    whole = json.loads(SCHEMA_FILE.read_text())
    assert any(says in error.message for error in validator_for(whole)(whole).iter_errors(document))
    assert list(validator_for(whole)(whole).iter_errors({"type": "other.Component", "attributes": {"a": 1}})) == []


@pytest.mark.parametrize("field", ALL, ids=str)
def test_every_field_has_a_description_and_an_example_and_no_title(field: str) -> None:
    schema = ALL[field]
    assert schema.get("description", "").endswith((".", "..."))
    assert schema.get("examples")
    assert "title" not in schema


@pytest.mark.parametrize("field", ALL)
def test_every_example_may_be_written_so(field: str) -> None:
    definitions = {**attributes_schema("FeatureViews")["$defs"], **attributes_schema("ModelProblem")["$defs"]}
    validator = Draft202012Validator({**ALL[field], "$defs": definitions})
    for example in ALL[field]["examples"]:
        assert [error.message for error in validator.iter_errors(example)] == []


@pytest.mark.parametrize("field", [name for name in ALL if re.search(r"(days|hours)$", name)], ids=str)
def test_a_field_with_a_unit_says_it(field: str) -> None:
    assert field.rpartition("_")[2].rpartition(".")[2] in ALL[field]["description"].lower()


@pytest.mark.parametrize("component", [ModelProblem, FeatureViews], ids=lambda component: component.__name__)
def test_dg_is_told_the_same_schema(component: type[ModelProblem] | type[FeatureViews]) -> None:
    model = component.get_model_cls()
    assert model.model_json_schema() == attributes_schema(component.__name__)
    assert component.get_description()
    assert component.get_spec().produces


def test_the_first_line_of_a_declaration_leads_to_the_schema(tmp_path: Path) -> None:
    line = schema_comment(tmp_path / "a" / "b" / DEFS_YAML)
    path = line.removeprefix("# yaml-language-server: $schema=")
    assert (tmp_path / "a" / "b" / path).resolve() == SCHEMA_FILE.resolve()


def test_every_declaration_begins_with_that_line() -> None:
    assert [f for f in DECLARATIONS if f.read_text().splitlines()[0] != schema_comment(f)] == []
