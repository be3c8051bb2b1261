"""Policies on a planted change of concept: who retrains when, at what price, and what is left as it was."""

from pathlib import Path

import pytest

from ml_assets.errors import NothingToReplayError, UnknownPolicyError
from ml_assets.replay.page import page
from ml_assets.replay.report import Outcome, Report
from ml_assets_tests.replay import planted

POLICIES = ("never", "every", "every:7", "declared")


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A landed history."""
    folder = tmp_path_factory.mktemp("planted")
    planted.land(folder, planted.declared())
    return folder


@pytest.fixture(scope="module")
def before(home: Path) -> dict[str, bytes]:
    """Every file before the replay."""
    return _files(home)


@pytest.fixture(scope="module")
def report(home: Path, before: dict[str, bytes]) -> Report:
    """All policies."""
    return planted.replayed(home, planted.declared(), *POLICIES)


def _files(home: Path) -> dict[str, bytes]:
    return {str(path.relative_to(home)): path.read_bytes() for path in sorted(home.rglob("*")) if path.is_file()}


def _of(report: Report, name: str) -> Outcome:
    found = report.outcome(name)
    assert found is not None
    return found


def _error(report: Report, name: str) -> float:
    value = _of(report, name).value
    assert value is not None
    return value.value


def test_who_never_retrains_is_worst_and_the_declared_policy_pays(report: Report) -> None:
    never, every, declared = (_error(report, name) for name in ("never", "every", "declared"))
    assert never > 1.5 > declared > every
    loss = _of(report, "declared").loss
    assert loss is not None
    assert loss.low is not None
    assert loss.low <= loss.value < 0.25


def test_each_policy_retrains_when_it_says(report: Report) -> None:
    cutoffs = {name: [each.cutoff[-2:] for each in _of(report, name).retrainings] for name in POLICIES}
    assert cutoffs["never"] == []
    assert cutoffs["every"] == [f"{day:02d}" for day in range(7, 21)]
    assert cutoffs["every:7"] == ["13", "20"]
    assert cutoffs["declared"] == ["13"]  # four bad days, from the ninth to the twelfth


def test_a_window_is_scored_by_a_version_of_an_earlier_or_its_own_cutoff(report: Report) -> None:
    for outcome in report.outcomes:
        assert all(point.version <= point.window for point in outcome.points)
        assert outcome.points[0].version == planted.FIRST


def test_the_gate_decides_who_scores(report: Report) -> None:
    every = _of(report, "every")
    promoted = {each.cutoff for each in every.retrainings if each.promoted}
    assert max(promoted) == "2024-01-13"  # all that came later had no more to say
    assert {point.version for point in every.points} == {planted.FIRST, *promoted}


def test_an_alarm_is_real_when_a_retraining_would_have_helped(report: Report) -> None:
    declared, never = _of(report, "declared"), _of(report, "never")
    assert (declared.real_alarms, len(declared.retrainings)) == (1, 1)
    assert never.real_moments >= 8  # every day from the turn on, once a training has something of it
    assert _of(report, "every").real_moments < never.real_moments


def test_production_is_not_touched(home: Path, before: dict[str, bytes], report: Report) -> None:
    after = {name: content for name, content in _files(home).items() if not name.startswith("scratch/replay/")}
    assert after == before


def test_the_same_history_gives_the_same_bytes(home: Path, report: Report, tmp_path: Path) -> None:
    few = ("never", "every:7", "declared")
    again, afresh = (
        planted.replayed(home, planted.declared(), *few, scratch=scratch)
        for scratch in (home / "scratch" / "replay", tmp_path)
    )
    assert afresh.to_json() == again.to_json()
    assert page(planted.replayed(home, planted.declared(), *few)) == page(again)  # seconds are kept with a training


def test_a_killed_replay_goes_on(home: Path, tmp_path: Path) -> None:
    class KilledError(Exception):
        """Stands for the end of the process."""

    told: list[str] = []

    def die(text: str) -> None:
        told.append(text)
        if len(told) == 4:
            raise KilledError

    with pytest.raises(KilledError):
        planted.replayed(home, planted.declared(), "every:2", scratch=tmp_path, tell=die)
    finished, again = told[:3], []
    planted.replayed(home, planted.declared(), "every:2", scratch=tmp_path, tell=again.append)
    assert not set(finished) & set(again)
    assert told[3] in again


def test_labels_that_become_known_later_are_not_used(tmp_path: Path) -> None:
    problem = planted.declared()
    planted.land(tmp_path, problem, late_hours=30 * 24)
    report = planted.replayed(tmp_path, problem, "declared", "every:7")
    assert _of(report, "declared").retrainings == ()  # nobody knows yet that all is wrong
    assert _error(report, "declared") > 1.5  # in the end everybody does
    for failed in _of(report, "every:7").retrainings:  # as in production: it stays as it is
        assert not failed.promoted
        assert "the training failed: Label 'y' of the" in failed.gate


def test_a_ranking_is_compared_window_by_window(tmp_path: Path) -> None:
    problem = planted.declared(task="binary", metric="auc")
    planted.land(tmp_path, problem)
    report = planted.replayed(tmp_path, problem, "never", "every:4", cutoff="2024-01-09")
    never, other = (_of(report, name) for name in ("never", "every:4"))
    assert report.against == "never"  # nobody retrains every window
    assert never.value is not None
    assert other.value is not None
    assert never.value.value < 0.3 < other.value.value < 1
    assert other.loss is not None
    assert other.loss.high is not None
    assert other.loss.high < 0


@pytest.mark.parametrize(
    ("cutoff", "says"),
    [
        pytest.param("2024-01-02", "window 2024-01-02 leaves none to train on", id="too early"),
        pytest.param("2024-01-20", "there are 1 windows with labels from 2024-01-20 on", id="too late"),
    ],
)
def test_a_first_version_needs_a_past_and_a_future(home: Path, cutoff: str, says: str) -> None:
    with pytest.raises(NothingToReplayError, match=says):
        planted.replayed(home, planted.declared(), "never", cutoff=cutoff)


@pytest.mark.parametrize("name", ["weekly", "every:0", "every:", "Declared", ""])
def test_an_unknown_policy_is_refused_by_name(home: Path, name: str) -> None:
    with pytest.raises(UnknownPolicyError, match=f"no policy '{name}'"):
        planted.replayed(home, planted.declared(), name)


def test_a_replay_ends_where_labels_do(tmp_path: Path) -> None:
    problem = planted.declared()
    planted.land(tmp_path, problem)
    (tmp_path / "lake/planted/labels/labels/2024-01-10.parquet").unlink()
    report = planted.replayed(tmp_path, problem, "never")
    assert (report.first, report.last) == (planted.FIRST, "2024-01-09")


def test_what_has_not_landed_is_named_with_the_command_that_lands_it(tmp_path: Path) -> None:
    problem = planted.declared()
    with pytest.raises(NothingToReplayError, match=r"no window of it has landed.*`ml-assets run planted`"):
        planted.read(tmp_path, problem)
    planted.land(tmp_path, problem)
    (tmp_path / "lake/planted/labels/labels/2024-01-04.parquet").unlink()
    with pytest.raises(NothingToReplayError, match="window 2024-01-04, which a training needs, has no labels"):
        planted.replayed(tmp_path, problem, "never")
