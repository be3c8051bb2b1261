"""Lineage and versions on a real instance: metadata per window, stale marks after an edit, the registry, the trace."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

import dagster as dg
import pytest
from dagster._core.definitions.data_version import StaleCauseCategory

from ml_assets import errors
from ml_assets.assets import feature_versions, keys, lineage
from ml_assets.ml.features.versions import dataset_version, view_version
from ml_assets.spec import Problem
from ml_assets.tracing import printing
from ml_assets.tracing.trace import trace
from ml_assets_tests.assets.stale import Stale
from ml_assets_tests.assets.visits import CUTOFF, DAYS, RECENT, edited, landed, require, whole
from ml_assets_tests.scenario import Scenario

pytestmark = pytest.mark.slow
OTHER = RECENT.replace("1 DAY", "2 DAY")


@pytest.fixture(scope="module")
def scenario(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scenario]:
    """The whole problem, run once; tests before the last ones only read it."""
    with dg.DagsterInstance.ephemeral() as instance:
        yield whole(tmp_path_factory.mktemp("visits"), instance)


def materialization(scenario: Scenario, key: dg.AssetKey, partition: str) -> dg.AssetMaterialization:
    """The newest event of a partition."""
    found = scenario.instance.fetch_materializations(
        dg.AssetRecordsFilter(asset_key=key, asset_partitions=[partition]), limit=1
    )
    event = found.records[0].asset_materialization
    assert event is not None
    return event


def column_deps(scenario: Scenario, key: dg.AssetKey, partition: str) -> dict[str, set[str]]:
    """Column -> the columns that its lineage names, as `asset:column`."""
    value = materialization(scenario, key, partition).metadata["dagster/column_lineage"].value
    assert isinstance(value, dg.TableColumnLineage)
    deps = value.deps_by_column
    return {c: {f"{'/'.join(d.asset_key.path[1:])}:{d.column_name}" for d in found} for c, found in deps.items()}


def stages(problem: Problem) -> Mapping[str, tuple[dg.AssetKey, tuple[str, ...]]]:
    """Assets with the partitions that were materialised."""
    windows = (*DAYS, CUTOFF)
    found = {name: (keys.stage(problem, name), (CUTOFF,)) for name in ("dataset", "tuned_model", "registered_version")}
    found |= {name: (keys.features(problem, name), windows) for name in ("recent", "level")}
    found |= {name: (keys.stage(problem, name), windows) for name in ("rows", "labels")}
    return found | {
        "visits": (keys.source(problem, "visits"), windows),
        "predictions": (keys.stage(problem, "predictions"), (CUTOFF,)),
    }


def stale(scenario: Scenario, problem: Problem) -> set[str]:
    """The assets of which all partitions are stale by their code; a part of them, or another cause, fails."""
    resolver, found = Stale(scenario, problem), set()
    for name, (key, partitions) in stages(problem).items():
        causes = [resolver.causes(key, partition) for partition in partitions]
        assert causes in (
            [set()] * len(partitions),
            [{(StaleCauseCategory.CODE, "has a new code version")}] * len(partitions),
        ), name
        if causes[0]:
            found.add(name)
    return found


@pytest.mark.parametrize("day", [DAYS[1], CUTOFF], ids=["of a range", "by itself"])
def test_a_feature_column_names_the_source_columns_behind_it(scenario: Scenario, day: str) -> None:
    deps = column_deps(scenario, keys.features(scenario.problem, "recent"), day)
    assert deps["mean_x"] == {"sources/visits:x", "sources/visits:id", "sources/visits:seen_at"}
    assert column_deps(scenario, keys.features(scenario.problem, "level"), day)["z"] == {"sources/visits:z"}


def test_columns_of_rows_labels_dataset_and_predictions_lead_upwards(scenario: Scenario) -> None:
    problem = scenario.problem
    assert column_deps(scenario, keys.stage(problem, "labels"), CUTOFF)["y"] == {
        "sources/visits:y",
        "sources/visits:seen_at",
    }
    dataset = column_deps(scenario, keys.stage(problem, "dataset"), CUTOFF)
    assert {name: dataset[name] for name in ("id", "event_timestamp", "mean_x", "z", "y", "level__known_at")} == {
        "id": {"rows:id"},
        "event_timestamp": {"rows:event_timestamp"},
        "mean_x": {"features/recent:mean_x"},
        "z": {"features/level:z"},
        "y": {"labels:y"},
        "level__known_at": {"features/level:known_at"},
    }
    predictions = column_deps(scenario, keys.stage(problem, "predictions"), CUTOFF)
    assert predictions["prediction"] == {"features/recent:mean_x", "features/level:z"}
    assert predictions["mean_x"] == {"features/recent:mean_x"}
    assert "model_version" not in predictions


def test_the_table_of_columns_tells_the_origin_in_words(scenario: Scenario) -> None:
    problem = scenario.problem

    def told(key: dg.AssetKey, column: str) -> str | None:
        schema = materialization(scenario, key, CUTOFF).metadata["dagster/column_schema"].value
        assert isinstance(schema, dg.TableSchema)
        return next(each.description for each in schema.columns if each.name == column)

    words = "visits.x; rows by visits.id, visits.seen_at"
    assert told(keys.features(problem, "recent"), "mean_x") == words
    assert told(keys.stage(problem, "dataset"), "mean_x") == f"features/recent, from {words}"
    assert told(keys.source(problem, "visits"), "x") == "delivered.x"
    assert (
        told(keys.stage(problem, "predictions"), "prediction")
        == "By the model version, from 2 features that its trees use."
    )


def test_where_origins_cannot_be_seen_the_metadata_says_so(scenario: Scenario) -> None:
    problem = edited(
        scenario.problem,
        sql="SELECT id, seen_at AS event_timestamp, seen_at AS known_at, COLUMNS('x') AS mean_x FROM visits",
    )
    table = scenario.lake.read("recent", [scenario.lake.view(problem, "recent", CUTOFF)])
    metadata = lineage.view_columns(problem, problem.view("recent"), table)
    assert metadata[lineage.NOTE] == "The SQL of feature view 'recent' holds COLUMNS: all columns are named."
    assert len(metadata["dagster/column_lineage"].deps_by_column["mean_x"]) == 5


@pytest.mark.parametrize("day", [DAYS[0], DAYS[-1], CUTOFF])
def test_each_window_carries_its_code_version_and_those_of_its_inputs(scenario: Scenario, day: str) -> None:
    problem = scenario.problem
    tags = materialization(scenario, keys.features(problem, "recent"), day).tags or {}
    assert tags["dagster/code_version"] == view_version(problem, problem.view("recent"))
    assert tags["dagster/input_data_version/visits_model/sources/visits"]
    assert tags["dagster/input_event_pointer/visits_model/sources/visits"].isdigit()


def test_nothing_is_stale_as_declared(scenario: Scenario) -> None:
    assert stale(scenario, scenario.problem) == set()


BELOW = {"dataset", "tuned_model", "registered_version"}


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        (lambda p: edited(p, sql=OTHER), {"recent", "predictions", *BELOW}),
        (lambda p: edited(p, ttl_hours=24), {"predictions", *BELOW}),
        (lambda p: edited(p, description="Other words."), set()),
        (lambda p: p.model_copy(update={"split": p.split.model_copy(update={"train_windows": 3})}), BELOW),
        (lambda p: p.model_copy(update={"search": p.search.model_copy(update={"seed": 9})}), BELOW - {"dataset"}),
        (
            lambda p: p.model_copy(update={"promotion": p.promotion.model_copy(update={"min_gain": 0.1})}),
            {"registered_version"},
        ),
        (
            lambda p: p.model_copy(update={"sources": (p.sources[0].model_copy(update={"timezone": "Europe/Rome"}),)}),
            {"visits", "recent", "level", "rows", "labels", "predictions", *BELOW},
        ),
    ],
    ids=["SQL of a view", "TTL of a view", "a description", "split", "seed", "gate", "source"],
)  # fmt: skip
def test_an_edit_marks_what_it_changes_and_nothing_else(scenario: Scenario, changed: Any, expected: set[str]) -> None:
    assert stale(scenario, changed(scenario.problem)) == expected


def test_a_file_knows_its_version_and_equal_versions_give_equal_bytes(scenario: Scenario) -> None:
    problem, lake = scenario.problem, scenario.lake
    path = lake.view(problem, "recent", DAYS[2])
    assert lake.version(path) == view_version(problem, problem.view("recent"))
    table = lake.read("recent", [path])
    for version, same in ((lake.version(path), True), ("other", False)):
        copy = lake.write(path.with_name("copy.parquet"), table, version=version)
        assert (copy.read_bytes() == path.read_bytes()) is same
        assert lake.read("recent", [copy]).equals(table)
        copy.unlink()


def test_a_model_version_names_the_versions_of_the_views_that_it_was_trained_on(scenario: Scenario) -> None:
    problem = scenario.problem
    tags = scenario.registry.client().get_model_version(problem.name, "1").tags
    views = {f"view.{view.name}": view_version(problem, view) for view in problem.feature_views}
    assert {name: tags[name] for name in views} == views
    assert tags["dataset_partition"] == CUTOFF


def test_a_trace_leads_from_a_prediction_to_source_columns(scenario: Scenario) -> None:
    problem = scenario.problem
    key = {"id": "7", "seen_at": "2024-01-07T01:10:00"}
    found = trace(problem, CUTOFF, key, scenario.lake, scenario.ledger, scenario.registry)
    frame = scenario.lake.read_stage(problem, "predictions", CUTOFF)
    row = frame[(frame["id"] == 7) & (frame["seen_at"] == "2024-01-07T01:10:00Z")].iloc[0]
    assert (found.rows, found.prediction) == (1, row["prediction"])
    tags = scenario.registry.client().get_model_version(problem.name, "1").tags
    assert found.model.version == 1
    assert (found.model.data_sha256, found.model.seed) == (tags["data_sha256"], tags["seed"])
    assert (found.model.stage, found.model.stage_now) == ("production", tags["stage"])
    assert found.model.mlflow_run_id
    [mean_x, z] = found.features
    declared = view_version(problem, problem.view("recent"))
    assert (mean_x.value, mean_x.asset) == (row["mean_x"], "features/recent")
    assert (mean_x.version_at_scoring, mean_x.version_at_training) == (declared, declared)
    assert mean_x.known_at == row["recent__known_at"].isoformat()
    assert mean_x.computed_from == ("visits.x",)
    assert mean_x.rows_chosen_by == ("visits.id", "visits.seen_at")
    assert (z.computed_from, z.rows_chosen_by) == (("visits.z",), ())
    assert (mean_x.note, z.note) == ("", "")
    assert json.loads(printing.as_json(found))["features"][0]["feature"] == "mean_x"


def test_a_trace_under_an_edited_view_says_whose_source_columns_it_names(scenario: Scenario) -> None:
    problem = edited(scenario.problem, sql=OTHER)
    [mean_x, _] = trace(problem, CUTOFF, {}, scenario.lake, scenario.ledger, scenario.registry).features
    assert mean_x.version_at_scoring == view_version(scenario.problem, scenario.problem.view("recent"))
    declared = view_version(problem, problem.view("recent"))
    assert mean_x.note == f"The source columns are those of version {declared}, as declared by now."


@pytest.mark.parametrize(
    ("window", "key", "message"),
    [
        (CUTOFF, {"id": "99"}, "of window 2024-01-07 have none with id=99 (120 rows)"),
        (CUTOFF, {"who": "7"}, "have no column 'who': use id, seen_at"),
        (CUTOFF, {"seen_at": "soon"}, "have times in 'seen_at', and 'soon' is none"),
        (DAYS[0], {}, "Asset 'visits_model/predictions' is not materialised for 2024-01-01"),
        ("2024-01", {}, "2024-01"),
    ],
    ids=["no such row", "no such column", "no time", "not scored", "no window"],
)
def test_what_cannot_be_traced_is_said_in_one_line(
    scenario: Scenario, window: str, key: dict[str, str], message: str
) -> None:
    with pytest.raises(errors.MLAssetsError) as raised:
        trace(scenario.problem, window, key, scenario.lake, scenario.ledger, scenario.registry)
    assert message in str(raised.value)
    assert "\n" not in str(raised.value)


def test_a_dataset_of_several_versions_is_told_with_the_windows_to_make_again(scenario: Scenario) -> None:
    """The last test: it edits the view, computes two windows again, and trains."""
    problem = edited(scenario.problem, sql=OTHER)
    old, new = (view_version(each, each.view("recent")) for each in (scenario.problem, problem))
    changed = Scenario(problem, scenario.home, scenario.instance)
    recent = keys.features(problem, "recent")
    require(changed.run_range(keys.landing_job(problem), DAYS[2], DAYS[3], [recent]))
    result = require(changed.run(keys.training_job(problem), CUTOFF))
    [check] = [each for each in result.get_asset_check_evaluations() if each.check_name == feature_versions.CHECK]
    assert (check.passed, check.severity) == (False, dg.AssetCheckSeverity.WARN)
    assert check.description == (
        f"Feature view 'recent' is declared as {new}, but 4 of the windows read were computed as {old}: materialise "
        "visits_model/features/recent for 2024-01-01, 2024-01-02, 2024-01-05, 2024-01-06, then this dataset."
    )
    version = changed.ledger.rows(problem)[-1].version
    found = changed.registry.client().get_model_version(problem.name, str(version))
    assert found.tags["view.recent"] == f"{old} (4 windows), {new} (2 windows)"
    resolver = Stale(changed, problem)
    made_again = {day: not resolver.causes(recent, day) for day in DAYS}
    assert [day for day, fresh in made_again.items() if fresh] == list(DAYS[2:4])
    assert dataset_version(problem) != dataset_version(scenario.problem)
    require(changed.run_range(keys.landing_job(problem), DAYS[0], DAYS[-1], landed(problem)))
    again = require(changed.run(keys.training_job(problem), CUTOFF))
    [check] = [each for each in again.get_asset_check_evaluations() if each.check_name == feature_versions.CHECK]
    assert check.passed
