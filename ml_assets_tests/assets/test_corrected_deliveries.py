"""A delivery that is corrected and landed again marks what was made of it as stale, window by window, and only that."""

from collections.abc import Iterator

import dagster as dg
import pytest
from dagster._core.definitions.data_version import StaleCauseCategory

from ml_assets.assets import keys
from ml_assets.assets.corrected import NOTE
from ml_assets.ml.windows import window_of
from ml_assets_tests.assets.stale import Stale
from ml_assets_tests.assets.visits import CUTOFF, DAYS, declared, deliver, landed, require
from ml_assets_tests.scenario import Scenario

pytestmark = pytest.mark.slow
NEW = (StaleCauseCategory.DATA, "has a new data version")


@pytest.fixture
def scenario(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scenario]:
    """Six days landed in one run of a range, and their training set."""
    with dg.DagsterInstance.ephemeral() as instance:
        scenario = Scenario(declared(), tmp_path_factory.mktemp("visits"), instance)
        problem = scenario.problem
        deliver(scenario, *DAYS)
        require(scenario.run(keys.feature_store_job(problem)))
        require(scenario.run_range(keys.landing_job(problem), DAYS[0], DAYS[-1], landed(problem)))
        dataset(scenario)
        yield scenario


def dataset(scenario: Scenario) -> None:
    problem = scenario.problem
    only = [keys.stage(problem, "dataset")]
    require(scenario.run(keys.training_job(problem), CUTOFF, asset_selection=only))


def correct(scenario: Scenario, day: str, column: str) -> None:
    """A delivery with another value in one row."""
    path = scenario.lake.delivery(scenario.problem, "visits", window_of(scenario.problem.cadence, day))
    frame = scenario.lake.read("delivery", [path]).to_pandas()
    frame.loc[3, column] += 1
    scenario.lake.write(path, frame)


def land(scenario: Scenario, first: str, last: str, assets: list[dg.AssetKey]) -> None:
    """In one run: of a window, or of a range of them."""
    job = keys.landing_job(scenario.problem)
    if first == last:
        require(scenario.run(job, first, asset_selection=assets))
    else:
        require(scenario.run_range(job, first, last, assets))


def stale(scenario: Scenario) -> dict[str, set[str]]:
    """Asset -> its stale windows; they must be so by the data that they were made of."""
    problem, found = scenario.problem, {}
    resolver = Stale(scenario, problem)
    for key in [*landed(problem), keys.stage(problem, "dataset")]:
        windows = (CUTOFF,) if key.path[-1] == "dataset" else DAYS
        causes = {day: resolver.causes(key, day) for day in windows}
        assert all(cause in (set(), {NEW}) for cause in causes.values()), causes
        if some := {day for day, cause in causes.items() if cause}:
            found[key.path[-1]] = some
    return found


@pytest.mark.parametrize(("first", "last"), [(DAYS[2], DAYS[2]), (DAYS[1], DAYS[4])], ids=["by itself", "in a range"])
def test_only_what_was_made_of_a_corrected_window_is_stale(scenario: Scenario, first: str, last: str) -> None:
    source = [keys.source(scenario.problem, "visits")]
    land(scenario, first, last, source)
    assert stale(scenario) == {}  # the same delivery, landed again

    correct(scenario, DAYS[2], "y")
    land(scenario, first, last, source)
    assert stale(scenario) == {name: {DAYS[2]} for name in ("recent", "level", "rows", "labels")}

    made_again = landed(scenario.problem)[1:]
    land(scenario, first, last, [key for key in made_again if key.path[-1] != "labels"])
    assert stale(scenario) == {"labels": {DAYS[2]}}  # the views came out as they were: the training set still holds
    land(scenario, first, last, [key for key in made_again if key.path[-1] == "labels"])
    assert stale(scenario) == {"dataset": {CUTOFF}}
    dataset(scenario)
    assert stale(scenario) == {}


def test_a_corrected_feature_marks_the_training_set(scenario: Scenario) -> None:
    correct(scenario, DAYS[3], "x")
    land(scenario, DAYS[0], DAYS[-1], landed(scenario.problem))
    assert stale(scenario) == {"dataset": {CUTOFF}}


def test_windows_that_read_a_corrected_one_by_look_back_are_named_at_the_source(scenario: Scenario) -> None:
    problem = scenario.problem
    source = keys.source(problem, "visits")

    def noted(first: str, last: str) -> dict[str, str]:
        land(scenario, first, last, [source])
        records = scenario.instance.fetch_materializations(source, limit=2 * len(DAYS)).records
        newest = {event.partition: event for record in reversed(records) if (event := record.asset_materialization)}
        return {day: str(event.metadata[NOTE].value) for day, event in newest.items() if NOTE in event.metadata}

    assert noted(DAYS[0], DAYS[-1]) == {}
    for first, last in ((DAYS[2], DAYS[2]), (DAYS[0], DAYS[-1])):
        correct(scenario, DAYS[2], "x")
        [(day, text)] = noted(first, last).items()
        assert day == DAYS[2]
        assert text.splitlines()[2:] == [f"- `visits_model/features/recent`: {DAYS[3]}"]
    correct(scenario, DAYS[-1], "x")
    assert noted(DAYS[-1], DAYS[-1]).keys() <= {DAYS[2]}  # nothing after it has been computed
