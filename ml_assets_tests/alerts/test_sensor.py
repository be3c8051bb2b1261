"""The sensor on a Dagster instance with real evaluations and runs, to a real mail server."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, timedelta
from pathlib import Path

import dagster as dg
import pytest

from ml_assets.alerts.mail import SMTP_FROM, SMTP_PASSWORD, SMTP_URL, SMTP_USER
from ml_assets.alerts.outbox import Outbox
from ml_assets.assets import keys
from ml_assets.assets.problem import build_problem_defs
from ml_assets.spec import Alerts
from ml_assets_tests.alerts.desk import REPORTS_URL, Desk
from ml_assets_tests.alerts.servers import Inbox, smtp
from ml_assets_tests.flights import flights

ALL = ("checks_failed", "recovered", "retraining_started", "retraining_failed", "promoted", "rejected")


@pytest.fixture
def inbox() -> Inbox:
    return Inbox()


@pytest.fixture
def desk(tmp_path: Path, inbox: Inbox) -> Iterator[Desk]:
    problem = flights().model_copy(update={"alerts": Alerts(to=("ann@example.com",), events=ALL)})
    with dg.DagsterInstance.ephemeral() as instance, smtp(inbox) as port:
        yield Desk(problem, tmp_path, instance, port)


def _subjects(inbox: Inbox) -> list[str]:
    return [str(mail["Subject"]) for _, mail in inbox.mails]


def _text(inbox: Inbox) -> str:
    """Plain text of the newest mail, on one line."""
    body = inbox.mails[-1][1].get_body(("plain",))
    assert body is not None
    return " ".join(body.get_content().split())


def test_a_mail_says_what_drifted_since_when_what_it_costs_and_what_was_done(desk: Desk, inbox: Inbox) -> None:
    desk.decide(1, "2013-04-01", promoted=True)
    desk.tick()
    inbox.mails.clear()
    desk.report("2013-05-13")
    desk.judge("model_quality", "2013-05-06", passed=True, error=42.0, held_out=42.11, rows=6000)
    desk.judge("data_drift", "2013-05-06", passed=False, text="7 of 12 features drifted: temp_f.", drifted_share=0.58)
    desk.judge("data_drift", "2013-05-13", passed=False, text="8 of 12 features drifted: temp_f.", drifted_share=0.66)
    numbers = {"error": 57.87, "held_out": 42.11, "rows": 6314, "harder": 1.12}
    desk.judge("model_quality", "2013-05-13", passed=False, text="rmse 57.87", **numbers)
    assert desk.tick() == "1 sent, 0 queued."
    assert _subjects(inbox) == ["[flights] data_drift, model_quality failed, since 2013-05-06"]
    for said in (
        "Since: window 2013-05-06; newest bad window 2013-05-13, 2 in all.",
        "Drifted: 8 of 12 features drifted: temp_f.",
        "Cost: rmse 57.87 minutes in window 2013-05-13, against 42.11 minutes held out: +15.76 minutes (+37.4%), "
        "on rows 1.12 times as hard, over 6,314 rows.",
        "2013-05-06 data_drift: failed. 7 of 12 features drifted: temp_f.",
        "Version 1 stays in production.",
        f"Drift report: {REPORTS_URL}/flights/drift/2013-05-13.html",
        "http://127.0.0.1:3070/assets/flights/drift_report?view=checks",
        "Attached: flights_drift_2013-05-13.zip",
    ):
        assert said in _text(inbox), _text(inbox)
    assert any(part.get_content_type() == "image/png" for part in inbox.mails[-1][1].walk())


def test_a_cause_is_told_once_and_its_end_as_well(desk: Desk, inbox: Inbox) -> None:
    desk.judge("model_quality", "2013-05-06", passed=False)
    for window in ("2013-05-13", "2013-05-20"):
        desk.tick()
        desk.judge("model_quality", window, passed=False)
    for window in ("2013-05-27", "2013-06-03", "2013-06-10"):
        desk.judge("model_quality", window, passed=True)
        desk.tick()
    assert _subjects(inbox) == [
        "[flights] model_quality failed, since 2013-05-06",
        "[flights] recovered: model_quality good again at 2013-06-03",
    ]


def test_a_window_judged_again_counts_by_its_newest_verdict(desk: Desk, inbox: Inbox) -> None:
    desk.judge("model_quality", "2013-05-06", passed=False)
    desk.judge("model_quality", "2013-05-06", passed=True)
    desk.tick()
    assert inbox.mails == []


def test_checks_that_could_not_judge_are_neither_failure_nor_recovery(desk: Desk, inbox: Inbox) -> None:
    desk.judge("model_quality", "2013-05-06", passed=False)
    desk.tick()
    for window in ("2013-05-13", "2013-05-20", "2013-05-27"):
        desk.judge("model_quality", window, passed=True, text="Not judged: 12 labels < 500.")
    desk.tick()
    assert len(inbox.mails) == 1


def test_a_training_is_told_from_its_start_to_the_gate(desk: Desk, inbox: Inbox) -> None:
    desk.tick()
    desk.train("2013-05-20", fails=True)
    desk.tick()
    desk.train("2013-05-20", fails=False)
    desk.decide(1, "2013-05-20", promoted=True)
    desk.decide(2, "2013-05-27", promoted=False)
    desk.tick()
    desk.tick()
    assert _subjects(inbox) == [
        "[flights] training for 2013-05-20 started",
        "[flights] training for 2013-05-20 failed",
        "[flights] version 1 promoted, from 2013-05-20 on",
        "[flights] version 2, trained for 2013-05-27, rejected",
    ]
    assert "Done: Version 1 stays in production." in _text(inbox)


def test_what_happened_before_alerts_were_switched_on_is_history(desk: Desk, inbox: Inbox) -> None:
    desk.train("2013-05-20", fails=True)
    [record] = desk.instance.get_run_records()
    Outbox(desk.ledger.url).began("flights", record.update_timestamp.replace(tzinfo=UTC) + timedelta(seconds=1))
    desk.tick()
    assert inbox.mails == []


def test_while_a_window_is_in_flight_its_verdicts_are_waited_for(desk: Desk, inbox: Inbox) -> None:
    from dagster._core.test_utils import create_run_for_test

    desk.judge("model_quality", "2013-05-06", passed=False)
    run = create_run_for_test(
        desk.instance,
        job_name=keys.window_job(desk.problem),
        tags={keys.PROBLEM_TAG: "flights"},
        status=dg.DagsterRunStatus.STARTED,
    )
    assert "windows are in flight" in desk.tick()
    assert inbox.mails == []
    desk.instance.report_run_canceled(run)
    desk.tick()
    assert len(inbox.mails) == 1


def test_another_daemon_that_is_at_it_is_left_alone(desk: Desk, inbox: Inbox) -> None:
    desk.judge("model_quality", "2013-05-06", passed=False)
    with Outbox(desk.ledger.url).alone("flights"):
        assert desk.tick() == "Another daemon is telling of this problem."
    assert inbox.mails == []


def test_events_that_are_not_declared_are_noted_and_not_told(desk: Desk, inbox: Inbox) -> None:
    desk.problem = flights().model_copy(update={"alerts": Alerts(to=("ann@example.com",), events=("recovered",))})
    desk.judge("model_quality", "2013-05-06", passed=False)
    desk.tick()
    for window in ("2013-05-13", "2013-05-20"):
        desk.judge("model_quality", window, passed=True)
    desk.tick()
    assert [re.sub(":.*", "", subject) for subject in _subjects(inbox)] == ["[flights] recovered"]


def test_only_a_problem_with_receivers_has_the_sensor() -> None:
    with_alerts = flights().model_copy(update={"alerts": Alerts(apprise=("ML_ASSETS_PUSH_SLACK",))})
    for problem, there in ((flights(), False), (with_alerts, True)):
        names = {sensor.name for sensor in build_problem_defs(problem).sensors or ()}
        assert (keys.alert_sensor(problem) in names) is there


def test_dagsters_ui_and_the_outbox_show_variables_and_no_values(tmp_path: Path) -> None:
    """What the UI is sent of a resource, taken from the code location as Dagster loads it."""
    code = (
        "from ml_assets.definitions import defs\n"
        "from dagster._core.remote_representation.external_data import RepositorySnap\n"
        "repository = defs().get_repository_def()\n"
        "import dagster as dg\n"
        "print(dg.serialize_value(RepositorySnap.from_def(repository)))\n"
    )
    secrets = {SMTP_URL: "smtp://mail.example.com", SMTP_USER: "spy@example.com", SMTP_PASSWORD: "hunter2"}
    environment = {**os.environ, **secrets, SMTP_FROM: "a@example.com", "ML_ASSETS_HOME": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False, env=environment, cwd=Path.cwd()
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert SMTP_PASSWORD in done.stdout
    for secret in ("hunter2", "spy@example.com", "mail.example.com"):
        assert secret not in done.stdout + done.stderr
    assert json.loads(done.stdout.splitlines()[-1])
