"""What a version carries, in MLflow and in Dagster; and that its files are refused once they were altered."""

import json
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path

import dagster as dg
import pandas as pd
import pytest

from ml_assets.assets import keys
from ml_assets.errors import AlteredModelError
from ml_assets.ml.training.model import model_hash
from ml_assets.resources.tracking import SEARCH
from ml_assets_tests.assets.test_tasks import CUTOFF, declared, write_history
from ml_assets_tests.scenario import Scenario, failure

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def scenario(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scenario]:
    """Tumours, with a segment per place and every limit declared."""
    problem = declared("tumours")
    limits = {
        "segments": [{"column": "place"}],
        "min_segment_rows": 20,
        "max_model_bytes": 10**7,
        "max_latency_ms": 1e4,
    }
    promotion = problem.promotion.model_validate(problem.promotion.model_dump() | limits)
    with dg.DagsterInstance.ephemeral() as instance:
        problem = problem.model_copy(update={"promotion": promotion})
        found = Scenario(problem, tmp_path_factory.mktemp("version"), instance)
        write_history(found)
        yield found


@pytest.fixture(scope="module")
def trained(scenario: Scenario) -> dg.ExecuteInProcessResult:
    result = scenario.run(keys.training_job(scenario.problem), CUTOFF)
    assert result.success, failure(result)
    return result


@pytest.fixture
def metadata(scenario: Scenario, trained: dg.ExecuteInProcessResult) -> Mapping[str, dg.MetadataValue]:
    [event] = trained.asset_materializations_for_node(f"{scenario.problem.name}__registered_version")
    return event.metadata


def test_mlflow_has_origin_and_metrics_with_intervals_with_the_version(
    scenario: Scenario, trained: dg.ExecuteInProcessResult
) -> None:
    client = scenario.registry.client()
    version = client.get_model_version(scenario.problem.name, "1")
    origin = ("dataset_partition", "data_sha256", "code_version", "seed", "search_id", "mlflow_run_id", "model_sha256")
    assert all(version.tags.get(name) for name in origin)
    low, value, high = (float(version.tags[name]) for name in ("test_auc_low", "test_auc", "test_auc_high"))
    assert low <= value <= high
    assert low < high
    found = client.search_runs(
        [client.get_run(version.run_id).info.experiment_id], f"tags.`{SEARCH}` = '{version.tags['search_id']}'"
    )
    assert len(found) == 1 + scenario.problem.search.max_trials


def test_mlflow_has_the_model_card_with_its_pictures_and_the_description(
    scenario: Scenario, trained: dg.ExecuteInProcessResult
) -> None:
    client = scenario.registry.client()
    version = client.get_model_version(scenario.problem.name, "1")
    files = {file.path for file in client.list_artifacts(version.run_id, "model_card")}
    assert files == {"model_card/model_card.md", "model_card/calibration.png", "model_card/importance.png"}
    card = Path(client.download_artifacts(version.run_id, "model_card/model_card.md")).read_text()
    assert version.description in card
    assert "![calibration](calibration.png)" in card
    for part in ("Quality on the held-out test rows", "Segments against the champion", "Origin", "Input", "Example"):
        assert f"## {part}\n" in card
    assert version.tags["data_sha256"] in card
    assert len(version.description) <= 5000


def test_mlflow_has_the_input_signature_and_an_example(scenario: Scenario, trained: dg.ExecuteInProcessResult) -> None:
    import mlflow

    location = scenario.ledger.version(scenario.problem, 1).model_location
    info = mlflow.models.Model.load(location.removeprefix("file://"))
    assert info.signature is not None
    assert info.signature.inputs.input_names() == list(scenario.problem.features)
    assert info.saved_input_example_info is not None
    assert info.metadata["model_sha256"] == scenario.ledger.version(scenario.problem, 1).model_sha256


def test_dagster_shows_the_same(metadata: Mapping[str, dg.MetadataValue], scenario: Scenario) -> None:
    values = {name: value.value for name, value in metadata.items()}
    assert (values["version"], values["stage"]) == (1, "production")
    assert values["dataset_partition"] == CUTOFF
    assert {"data_sha256", "code_version", "seed", "search_id", "mlflow_run_id"} <= set(values)
    assert values["test_auc_low"] <= values["test_auc"] <= values["test_auc_high"]
    assert isinstance(metadata["input_signature"], dg.TableSchemaMetadataValue)
    assert "![calibration](data:image/png;base64," in str(values["model_card"])
    assert str(values["input_example"]).count("\n") == 1 + 5


def test_the_gates_numbers_are_a_check_and_a_ledger_row(scenario: Scenario, trained: dg.ExecuteInProcessResult) -> None:
    [row] = scenario.ledger.rows(scenario.problem)
    [check] = [each for each in trained.get_asset_check_evaluations() if each.check_name == "promotion_gate"]
    assert (check.passed, check.description) == (True, row.reason)
    assert check.metadata["gain"].value == row.numbers["gain"]
    assert check.metadata["ledger_row"].value == 1
    segments = {each["name"]: each for each in row.numbers["segments"]}
    assert set(segments) == {"place=here", "place=there"}
    assert all(each["passed"] and each["rows"] >= 20 for each in segments.values())
    records = [record.data for record in check.metadata["segments"].records]
    assert {record["segment"]: record["gain"] for record in records} == {k: v["gain"] for k, v in segments.items()}
    assert 0 < row.numbers["model_bytes"] <= 10**7
    assert row.numbers["latency_ms"] > 0


def test_a_decided_version_that_is_decided_again_stays_as_it_was(
    scenario: Scenario, trained: dg.ExecuteInProcessResult
) -> None:
    version = scenario.registry.client().get_model_version(scenario.problem.name, "1")
    again = scenario.run(keys.training_job(scenario.problem), CUTOFF)
    assert again.success, failure(again)
    [row] = scenario.ledger.rows(scenario.problem)
    [check] = [each for each in again.get_asset_check_evaluations() if each.check_name == "promotion_gate"]
    assert (check.passed, check.description) == (True, row.reason)
    after = scenario.registry.client().get_model_version(scenario.problem.name, "1")
    assert {**version.tags, "mlflow_run_id": ""} == {**after.tags, "mlflow_run_id": ""}
    assert version.description.replace(version.tags["mlflow_run_id"], "") == after.description.replace(
        after.tags["mlflow_run_id"], ""
    )
    assert scenario.registry.aliases(scenario.problem) == {"production": 1}


def _copy(scenario: Scenario, to: Path) -> tuple[Path, Path]:
    """The logged model elsewhere: its folder, and the folder of our files in it."""
    location = scenario.ledger.version(scenario.problem, 1).model_location
    root = Path(shutil.copytree(location.removeprefix("file://"), to / "model"))
    [about] = root.rglob("model.json")
    return root, about.parent


@pytest.mark.parametrize("name", ["model.ubj", "encoder.json", "model.json"])
def test_mlflow_refuses_to_load_what_was_altered(
    scenario: Scenario, trained: dg.ExecuteInProcessResult, name: str, tmp_path: Path
) -> None:
    import mlflow

    root, folder = _copy(scenario, tmp_path)
    assert mlflow.pyfunc.load_model(root.as_uri()) is not None
    (folder / name).write_bytes((folder / name).read_bytes() + b" ")
    with pytest.raises(AlteredModelError, match=rf"altered after its registration \({name}"):
        mlflow.pyfunc.load_model(root.as_uri())


def test_another_whole_model_in_its_place_is_refused_as_well(
    scenario: Scenario, trained: dg.ExecuteInProcessResult, tmp_path: Path
) -> None:
    import mlflow

    root, folder = _copy(scenario, tmp_path)
    about = json.loads((folder / "model.json").read_text())
    (folder / "model.json").write_text(json.dumps(about | {"best_iteration": 3}, indent=2, sort_keys=True) + "\n")
    with pytest.raises(AlteredModelError, match=r"model\.json has another hash"):
        mlflow.pyfunc.load_model(root.as_uri())
    row = scenario.ledger.version(scenario.problem, 1)
    assert model_hash(folder) != row.model_sha256
    swapped = type(row)(**{**vars(row), "model_location": root.as_uri()})
    with pytest.raises(AlteredModelError, match="'tumours' version 1 was altered"):
        scenario.registry.load(scenario.problem, swapped)


def test_a_sound_version_is_loaded_and_predicts(scenario: Scenario, trained: dg.ExecuteInProcessResult) -> None:
    model = scenario.registry.load(scenario.problem, scenario.ledger.version(scenario.problem, 1))
    frame = pd.read_parquet(scenario.lake.stage(scenario.problem, "dataset", CUTOFF)).head(3)
    assert len(model.predict(frame)) == 3
