"""Rounds of sending over real servers: nothing is lost, nothing goes out twice, nothing comes too often."""

import signal
import subprocess
import sys
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from ml_assets.alerts.channels import AlertChannels
from ml_assets.alerts.outbox import Letter
from ml_assets.alerts.sending import Round, send_due
from ml_assets.spec import Alerts, QuietHours
from ml_assets_tests.alerts.example import ALERT, NOW, content, outbox
from ml_assets_tests.alerts.servers import Inbox, Webhook, free_port, http, smtp

ANN, BOB = "mail:ann@example.com", "mail:bob@example.com"
POLICY = Alerts(to=("ann@example.com",))


class Clock:
    """A clock that a test sets."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> datetime:
        return self.now

    def forward(self, **span: float) -> None:
        self.now += timedelta(**span)


class Desk:
    """An outbox, channels to a port, and a clock."""

    def __init__(self, folder: Path, port: int, policy: Alerts = POLICY) -> None:
        self.box, self.clock, self.policy, self.reports = outbox(folder), Clock(), policy, folder / "reports"
        self.reports.mkdir(exist_ok=True)
        self.channels = AlertChannels(smtp_url=f"smtp+plain://127.0.0.1:{port}", smtp_from="alerts@example.com")

    def put(self, number: int = 1, receivers: tuple[str, ...] = (ANN,)) -> None:
        alert = type(ALERT)(**vars(ALERT) | {"key": f"incident {number}: checks failed", "incident": number})
        self.box.put("flights", alert, content(incident=number, points=()), receivers, self.clock())

    def round(self) -> Round:
        return send_due("flights", self.policy, self.box, self.channels, self.reports, self.clock)

    def states(self) -> list[str]:
        return [letter.state for letter in self.box.letters("flights")]


@pytest.fixture
def inbox() -> Inbox:
    return Inbox()


@pytest.fixture
def desk(tmp_path: Path, inbox: Inbox) -> Iterator[Desk]:
    with smtp(inbox) as port:
        yield Desk(tmp_path, port)


def _attached(inbox: Inbox) -> list[str | None]:
    return [part.get_filename() for _, mail in inbox.mails for part in mail.iter_attachments()]


def test_a_server_that_is_down_for_a_day_loses_nothing(tmp_path: Path, inbox: Inbox) -> None:
    port = free_port()
    desk = Desk(tmp_path, port)
    for number in range(1, 4):
        desk.put(number)
    attempts = 0
    for _ in range(24 * 12):
        attempts += bool(desk.round().troubles)
        desk.clock.forward(minutes=5)
    assert desk.states() == ["queued"] * 3
    assert 24 < attempts < 120  # of the round's messages the first one that fails speaks for its server
    with smtp(inbox, port=port):
        for _ in range(13):
            desk.round()
            desk.clock.forward(minutes=5)
    assert [mail["Subject"] for _, mail in inbox.mails] == ["[flights] model_quality failed, since 2013-06-24"] * 3
    assert desk.states() == ["sent"] * 3


def test_what_was_sent_is_not_sent_again(desk: Desk, inbox: Inbox) -> None:
    desk.put()
    assert [desk.round().sent for _ in range(3)] == [1, 0, 0]
    assert len(inbox.mails) == 1


_SEND = """
import sys
from pathlib import Path
from ml_assets.alerts.channels import AlertChannels
from ml_assets.alerts.sending import send_due
from ml_assets.spec import Alerts
from ml_assets_tests.alerts.example import NOW, outbox
folder, channels = Path(sys.argv[1]), AlertChannels(smtp_url=sys.argv[2], smtp_from="alerts@example.com")
send_due("flights", Alerts(to=("ann@example.com",)), outbox(folder), channels, folder, lambda: NOW)
"""


def test_a_process_killed_while_the_server_takes_a_mail_sends_the_same_one_again(tmp_path: Path, inbox: Inbox) -> None:
    with smtp(inbox) as port:
        desk = Desk(tmp_path, port)
        desk.put()
        sender = subprocess.Popen([sys.executable, "-c", _SEND, str(tmp_path), f"smtp+plain://127.0.0.1:{port}"])
        inbox.when_taken = sender.kill
        assert sender.wait(60) == -signal.SIGKILL
        assert (len(inbox.mails), desk.states()) == (1, ["queued"])
        inbox.when_taken = None
        desk.round()
    first, again = (mail for _, mail in inbox.mails)
    assert first["Message-ID"] == again["Message-ID"]
    assert desk.states() == ["sent"]


def test_an_address_that_does_not_exist_does_not_keep_the_others_waiting(desk: Desk, inbox: Inbox) -> None:
    inbox.to_receiver["ann@example.com"] = "550 no such user"
    desk.policy = Alerts(to=("ann@example.com", "bob@example.com"))
    desk.put(receivers=(ANN, BOB))
    done = desk.round()
    assert (done.sent, desk.states()) == (1, ["given_up", "sent"])
    assert "refused the message for good: it refuses the address (550)" in str(done)


def test_a_server_that_is_busy_is_asked_again(desk: Desk, inbox: Inbox) -> None:
    inbox.to_message = ["451 greylisted", "451 greylisted"]
    desk.put()
    for _ in range(4):
        desk.round()
        desk.clock.forward(minutes=1)
    [letter] = desk.box.letters("flights")
    assert (letter.state, letter.attempts, letter.trouble) == ("sent", 3, "")


def test_a_mail_server_that_is_down_does_not_hold_up_a_webhook(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    webhook = Webhook()
    policy = Alerts(to=("ann@example.com",), apprise=("ML_ASSETS_PUSH_TEST",))
    desk = Desk(tmp_path, free_port(), policy)
    desk.put(receivers=policy.receivers)
    with http(webhook) as port:
        monkeypatch.setenv("ML_ASSETS_PUSH_TEST", f"json://127.0.0.1:{port}/token")
        desk.round()
    assert (len(webhook.bodies), desk.states()) == (1, ["queued", "sent"])


def test_quiet_hours_delay_and_drop_nothing(desk: Desk, inbox: Inbox) -> None:
    desk.policy = Alerts(to=POLICY.to, quiet_hours=QuietHours(start_hour=9, end_hour=17))
    desk.put()
    quiet = desk.round()
    assert (quiet.sent, quiet.waiting, quiet.next_due) == (0, 1, NOW.replace(hour=17, minute=0))
    desk.clock.forward(hours=8)
    assert desk.round().sent == 1


def test_the_daily_limit_delays_and_drops_nothing(desk: Desk, inbox: Inbox) -> None:
    desk.policy = Alerts(to=("ann@example.com", "bob@example.com"), max_per_day=2)
    for number in range(1, 6):
        desk.put(number)
    desk.put(6, receivers=(BOB,))
    sent = []
    for _ in range(3):
        sent.append(desk.round().sent)
        desk.clock.forward(hours=24)
    assert sent == [3, 2, 1]  # two and one, since the limit is each receiver's own
    assert len({mail["Message-ID"] for _, mail in inbox.mails}) == 6


def test_after_the_declared_days_a_message_is_given_up_and_stays_to_be_seen(tmp_path: Path) -> None:
    desk = Desk(tmp_path, free_port())
    desk.put()
    for _ in range(8 * 6):
        desk.round()
        desk.clock.forward(hours=4)
    [letter] = desk.box.letters("flights")
    assert (letter.state, "nobody answers there" in letter.trouble) == ("given_up", True)


def test_a_long_quiet_time_does_not_make_the_first_attempt_the_last(tmp_path: Path, inbox: Inbox) -> None:
    port = free_port()
    desk = Desk(tmp_path, port)
    desk.put()
    desk.clock.forward(days=30)
    desk.round()
    assert desk.states() == ["queued"]


def test_a_receiver_that_is_not_declared_any_more_is_told_nothing(desk: Desk, inbox: Inbox) -> None:
    desk.put(receivers=(BOB,))
    assert "not declared any more" in str(desk.round())
    assert (inbox.mails, desk.states()) == ([], ["given_up"])


def test_the_report_is_attached_unless_declared_otherwise_or_gone(desk: Desk, inbox: Inbox) -> None:
    report = desk.reports / "flights" / "drift" / "2013-07-01.html"
    report.parent.mkdir(parents=True)
    report.write_text("<html></html>")
    desk.put(1)
    desk.round()
    desk.policy = Alerts(to=POLICY.to, attach_report=False)
    desk.put(2)
    desk.round()
    report.unlink()
    desk.policy = POLICY
    desk.put(3)
    desk.round()
    assert (len(inbox.mails), _attached(inbox)) == (3, ["flights_drift_2013-07-01.zip"])


@pytest.mark.parametrize("place", ["../secret.html", "/etc/hostname", "flights/../../secret.html"])
def test_nothing_outside_the_reports_folder_is_mailed(place: str, desk: Desk, inbox: Inbox, tmp_path: Path) -> None:
    (tmp_path / "secret.html").write_text("hunter2")
    desk.box.put("flights", ALERT, content(report=place, points=()), (ANN,), NOW)
    desk.round()
    assert (len(inbox.mails), _attached(inbox)) == (1, [])


def test_without_a_mail_server_messages_wait_and_the_variable_is_named(tmp_path: Path) -> None:
    desk = Desk(tmp_path, 1)
    desk.channels = AlertChannels()
    desk.put()
    assert "Set the environment variable ML_ASSETS_SMTP_URL" in str(desk.round())
    letters: list[Letter] = desk.box.queued("flights")
    assert len(letters) == 1
