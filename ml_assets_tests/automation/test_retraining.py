"""The retraining sensor: from verdicts, runs and decisions on a real instance to one request per cause."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import dagster as dg
import pytest
from dagster._core.test_utils import create_run_for_test

from ml_assets.alerts.reading import trainings as told_trainings
from ml_assets.assets import keys
from ml_assets.automation.claims import EXPIRES, claim
from ml_assets.automation.evaluations import NEWEST_WINDOWS, judged_windows
from ml_assets.automation.retraining import Wanted
from ml_assets_tests.automation.watched import Watched, watched_problem


@pytest.fixture
def watched(tmp_path: Path) -> Iterator[Watched]:
    with dg.DagsterInstance.ephemeral() as instance:
        yield Watched(tmp_path, instance, watched_problem())


def test_two_bad_windows_request_one_retraining_that_says_why(watched: Watched) -> None:
    watched.judge_weeks("gqb")
    [request] = watched.tick().run_requests or ()
    assert request.partition_key == watched.week(3)
    assert {name: value for name, value in request.tags.items() if name.startswith("ml_assets/")} == {
        keys.PROBLEM_TAG: "flights",
        keys.CAUSE_TAG: "2 bad windows of the last 3 (2013-04-08, 2013-04-15): model_quality, target_drift.",
        keys.CAUSE_ID_TAG: "after 2013-04-01: 2013-04-08, 2013-04-15",
        keys.ATTEMPT_TAG: "1",
        keys.WINDOWS_TAG: "2013-04-08, 2013-04-15",
        keys.CHECKS_TAG: "model_quality, target_drift",
    }
    [again] = watched.tick().run_requests or ()
    assert again.run_key == request.run_key  # which Dagster answers with one run


def test_a_hundred_failed_checks_of_a_backfill_are_one_retraining(watched: Watched) -> None:
    for week in range(50):
        watched.judge(watched.week(week), "model_quality", "target_drift")
    [request] = watched.tick().run_requests or ()
    assert request.partition_key == watched.week(50)
    run = watched.launch(request)
    assert "A training is in flight" in watched.skipped()
    watched.succeed(run)
    assert "No window is judged since" in watched.skipped()


def test_nothing_is_requested_while_verdicts_are_coming_in(watched: Watched) -> None:
    watched.judge_weeks("gqq")
    run = create_run_for_test(
        watched.instance,
        job_name=keys.scoring_job(watched.problem),
        tags={keys.PROBLEM_TAG: "flights"},
        status=dg.DagsterRunStatus.STARTED,
    )
    assert "windows are in flight" in watched.skipped()
    watched.instance.report_run_failed(run)
    assert watched.tick().run_requests


def test_windows_may_come_late_and_in_any_order(watched: Watched) -> None:
    for week in (2, 0, 1):
        watched.judge(watched.week(week), *(["model_quality"] if week else []))
    [request] = watched.tick().run_requests or ()
    assert request.tags[keys.WINDOWS_TAG] == f"{watched.week(1)}, {watched.week(2)}"
    watched.succeed(watched.launch(request))
    watched.judge(watched.week(2), "model_quality")  # arrives anew
    watched.judge(watched.week(1), "model_quality", "target_drift")
    assert "No window is judged since" in watched.skipped()


def test_the_newest_windows_are_seen_behind_any_number_of_older_ones_judged_later(watched: Watched) -> None:
    watched.judge_weeks("qq", start=30)
    for _ in range(20):
        watched.judge_weeks("g" * 30)
    [request] = watched.tick().run_requests or ()
    assert request.partition_key == watched.week(32)
    assert len(judged_windows(watched.instance, watched.problem)) == 32 < NEWEST_WINDOWS


def test_a_window_that_is_judged_again_and_good_now_is_no_cause(watched: Watched) -> None:
    watched.judge_weeks("gqq")
    assert watched.tick().run_requests
    watched.judge(watched.week(1))
    assert "1 bad of the last 3" in watched.skipped()


def test_a_window_that_is_judged_again_while_a_retraining_answers_it_is_no_new_cause(watched: Watched) -> None:
    watched.judge_weeks("gqq")
    [request] = watched.tick().run_requests or ()
    run = watched.launch(request)
    watched.judge(watched.week(0), "model_quality")
    watched.judge(watched.week(2), "model_quality", "target_drift")
    watched.succeed(run)
    assert "No window is judged since" in watched.skipped()


def test_windows_without_a_verdict_are_neither_good_nor_bad(watched: Watched) -> None:
    watched.judge_weeks("gqq-")
    assert [window.key for window in judged_windows(watched.instance, watched.problem)] == [
        watched.week(week) for week in range(3)
    ]
    [request] = watched.tick().run_requests or ()
    assert (request.tags[keys.WINDOWS_TAG], request.partition_key) == (
        f"{watched.week(1)}, {watched.week(2)}",
        watched.week(4),  # the unjudged window is scored, and trained on
    )


def test_a_window_is_judged_by_the_checks_that_could(watched: Watched) -> None:
    watched.judge_weeks("gg")
    watched.judge(watched.week(1), "target_drift", not_judged=("model_quality",))
    assert judged_windows(watched.instance, watched.problem)[watched.window(watched.week(1))] == ["target_drift"]


def test_a_retraining_that_fails_is_tried_again_later_and_given_up_in_the_end(watched: Watched) -> None:
    watched.judge_weeks("gqq")
    numbers = []
    for pause in (0, 10, 20, 40):
        if pause:
            assert "due at" in str(watched.wanted(in_minutes=pause - 1))
        wanted = watched.wanted(in_minutes=pause + 1)
        assert isinstance(wanted, Wanted)
        numbers.append(wanted.number)
        watched.fail(watched.run(wanted.cutoff, _tags(wanted)))
    assert numbers == [1, 2, 3, 4]
    assert "Given up" in str(watched.wanted(in_minutes=100_000))


def test_people_are_told_of_a_failure_when_it_is_given_up_and_not_before(watched: Watched) -> None:
    def told() -> list[str]:
        found = told_trainings(watched.instance, watched.problem, datetime(2013, 1, 1, tzinfo=UTC))
        return [training.state for training in found]

    watched.judge_weeks("gqq")
    while isinstance(wanted := watched.wanted(in_minutes=100), Wanted):
        assert told() == []
        watched.fail(watched.run(wanted.cutoff, _tags(wanted)))
    assert told() == ["failed"]


def test_the_next_bad_window_begins_anew_after_a_retraining_was_given_up(watched: Watched) -> None:
    watched.judge_weeks("gqq")
    _give_up(watched)
    watched.judge_weeks("q", start=3)
    wanted = watched.wanted(in_minutes=100)
    assert isinstance(wanted, Wanted)
    assert (wanted.number, wanted.cutoff) == (1, watched.week(4))


def test_a_training_by_hand_ends_what_was_given_up(watched: Watched) -> None:
    watched.judge_weeks("gqq")
    _give_up(watched)
    watched.succeed(watched.run(watched.week(3)))
    assert "No window is judged since" in watched.skipped()


def test_who_cancels_a_retraining_is_not_asked_again(watched: Watched) -> None:
    watched.judge_weeks("gqq")
    [request] = watched.tick().run_requests or ()
    watched.instance.report_run_canceled(watched.launch(request))
    assert "was cancelled" in str(watched.wanted(in_minutes=1000))


def test_a_part_of_a_training_that_a_person_runs_anew_answers_nothing(watched: Watched) -> None:
    watched.judge_weeks("gqq")
    [request] = watched.tick().run_requests or ()
    watched.fail(watched.launch(request))
    part = watched.run(str(request.partition_key), request.tags, only="dataset")
    watched.succeed(part, decides=False)
    wanted = watched.wanted(in_minutes=11)
    assert isinstance(wanted, Wanted)
    assert wanted.number == 2


def test_a_retraining_that_was_killed_after_its_decision_is_finished(watched: Watched) -> None:
    watched.judge_weeks("gqq")
    [request] = watched.tick().run_requests or ()
    watched.fail(watched.launch(request), decided=True)
    watched.judge_weeks("g", start=3)  # a newer window is scored meanwhile: the version stays the one decided upon
    wanted = watched.wanted(in_minutes=11)
    assert isinstance(wanted, Wanted)
    assert (wanted.number, wanted.cutoff, wanted.windows) == (2, watched.week(3), (watched.week(1), watched.week(2)))
    assert wanted.cause_id == request.tags[keys.CAUSE_ID_TAG]
    again = watched.run(wanted.cutoff, _tags(wanted))
    watched.instance.report_dagster_event(
        dg.DagsterEvent(dg.DagsterEventType.RUN_SUCCESS.value, job_name=again.job_name), again.run_id
    )
    assert isinstance(watched.wanted(in_minutes=60), str)


def test_a_dry_run_says_what_it_would_do_once_and_starts_nothing(tmp_path: Path) -> None:
    with dg.DagsterInstance.ephemeral() as instance:
        watched = Watched(tmp_path, instance, watched_problem(mode="dry_run"))
        watched.judge_weeks("gqq")
        first = watched.tick()
        assert not first.run_requests
        [observation] = first.asset_events
        assert (observation.asset_key.path, observation.partition) == (["flights", "registered_version"], "2013-04-22")
        assert "would retrain for 2013-04-22. 2 bad windows" in str(observation.description)
        second = watched.tick(cursor=first.cursor)
        assert not second.asset_events
        assert "would retrain for 2013-04-22" in str(second.skip_reason)
        watched.judge_weeks("q", start=3)
        assert watched.tick(cursor=second.cursor).asset_events


def test_the_same_problem_in_two_code_locations_retrains_once(watched: Watched) -> None:
    watched.judge_weeks("gqq")
    [request] = watched.tick(location="one").run_requests or ()
    assert "'one' retrains" in watched.skipped(location="two")  # before the run is there
    assert watched.tick(location="one").run_requests  # killed in between, it asks again
    run = watched.launch(request)
    assert "in flight" in watched.skipped(location="two")
    watched.succeed(run)
    assert "No window is judged since" in watched.skipped(location="two")


def test_two_code_locations_with_different_policies_do_not_retrain_at_once(watched: Watched) -> None:
    other = replace(watched, problem=watched_problem(bad_windows=1, of_last=1))
    watched.judge_weeks("gqq")
    assert watched.tick(location="one").run_requests
    assert "'one' retrains" in other.skipped(location="two")


def test_a_code_location_that_claimed_and_vanished_does_not_stop_the_others(watched: Watched) -> None:
    watched.judge_weeks("gqq")
    wanted = watched.wanted()
    assert isinstance(wanted, Wanted)
    then = datetime.now(UTC) - EXPIRES
    assert claim(watched.ledger.url, "flights", wanted.after, "gone", then) == "gone"
    assert watched.tick(location="two").run_requests


def test_other_problems_are_left_alone(watched: Watched) -> None:
    other = replace(watched, problem=watched.problem.model_copy(update={"name": "trains"}))
    watched.judge_weeks("gqq")
    other.judge_weeks("gqq")
    [request] = watched.tick(location="one").run_requests or ()
    watched.launch(request)
    [theirs] = other.tick(location="two").run_requests or ()
    assert theirs.run_key != request.run_key
    assert theirs.tags[keys.PROBLEM_TAG] == "trains"


def _tags(wanted: Wanted) -> dict[str, str]:
    return {
        keys.CAUSE_TAG: wanted.reason,
        keys.CAUSE_ID_TAG: wanted.cause_id,
        keys.ATTEMPT_TAG: str(wanted.number),
        keys.WINDOWS_TAG: ", ".join(wanted.windows),
    }


def _give_up(watched: Watched) -> None:
    while isinstance(wanted := watched.wanted(in_minutes=100), Wanted):
        watched.fail(watched.run(wanted.cutoff, _tags(wanted)))
    assert "Given up" in wanted
