"""The queue on SQLite and on PostgreSQL: one message per cause and receiver, whoever finds it, whoever dies."""

import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from ml_assets.alerts.outbox import Outbox
from ml_assets.errors import LedgerUnavailableError, LockTimeoutError
from ml_assets_tests.alerts.example import ALERT, NOW, content
from ml_assets_tests.real_servers import fresh_database

RECEIVERS = ("mail:ann@example.com", "apprise:ML_ASSETS_PUSH_SLACK")
_PUT = """
import sys
from ml_assets.alerts.outbox import Outbox
from ml_assets_tests.alerts.example import ALERT, NOW, content
box = Outbox(sys.argv[1])
print("ready", flush=True)
sys.stdin.readline()
for _ in range(5):
    box.put("flights", ALERT, content(), ("mail:ann@example.com",), NOW)
"""
_HOLD = """
import sys
from ml_assets.alerts.outbox import Outbox
with Outbox(sys.argv[1]).alone("flights"):
    print("held", flush=True)
    sys.stdin.readline()
"""


@pytest.fixture(params=["sqlite", "postgresql"])
def address(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'ledger.db'}"
        return
    with fresh_database(request.getfixturevalue("postgresql")) as url:
        yield sa.engine.make_url(url).set(drivername="postgresql+psycopg").render_as_string(hide_password=False)


def test_a_message_is_queued_once_for_each_receiver(address: str) -> None:
    box = Outbox(address)
    for _ in range(2):
        box.put("flights", ALERT, content(), RECEIVERS, NOW)
    assert [letter.receiver for letter in box.queued("flights")] == list(RECEIVERS)
    assert box.queued("flights")[0].content == content()
    assert box.told("flights") == [ALERT]
    assert (box.told("churn"), box.queued("churn")) == ([], [])


def test_what_nobody_is_told_of_is_remembered(address: str) -> None:
    box = Outbox(address)
    box.put("flights", ALERT, content(), (), NOW)
    assert (box.told("flights"), box.letters("flights")) == ([ALERT], [])


def test_alerts_begin_once(address: str) -> None:
    box = Outbox(address)
    assert box.began("flights", NOW) == NOW
    assert box.began("flights", NOW + timedelta(days=1)) == NOW
    assert box.told("flights") == []


def test_states_are_kept(address: str) -> None:
    box = Outbox(address)
    box.put("flights", ALERT, content(), RECEIVERS, NOW)
    mail, push = box.queued("flights")
    later = NOW + timedelta(minutes=4)
    box.postpone(mail, later, "nobody answers there")
    [waiting] = [letter for letter in box.queued("flights") if letter.id == mail.id]
    assert (waiting.due, waiting.attempts, waiting.trouble) == (later, 1, "nobody answers there")
    box.mark_sent(waiting, later)
    box.give_up(push, "never")
    assert box.queued("flights") == []
    assert [(letter.state, letter.attempts) for letter in box.letters("flights")] == [("sent", 2), ("given_up", 1)]
    assert box.sent_since("flights", mail.receiver, NOW) == [later]
    assert box.sent_since("flights", mail.receiver, later + timedelta(seconds=1)) == []


def test_processes_that_find_the_same_at_once_queue_it_once(address: str) -> None:
    processes = [_start(_PUT, address, "ready") for _ in range(3)]  # also the table is made by one of them
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    assert [process.wait(60) for process in processes] == [0, 0, 0]
    assert len(Outbox(address).letters("flights")) == 1


def test_only_one_process_tells_of_a_problem_and_a_killed_one_does_not_block(address: str) -> None:
    box = Outbox(address)
    holder = _start(_HOLD, address, "held")
    try:
        with pytest.raises(LockTimeoutError), box.alone("flights"):
            pass
        with box.alone("churn"):
            pass
    finally:
        holder.kill()
        holder.wait(20)
    with box.alone("flights", wait_s=20):
        pass


def test_a_database_that_does_not_answer_is_named_without_its_login(tmp_path: Path) -> None:
    box = Outbox(f"postgresql+psycopg://ann:hunter2@127.0.0.1:1/{tmp_path.name}")
    with pytest.raises(LedgerUnavailableError) as caught:
        box.told("flights")
    assert "hunter2" not in str(caught.value)


def _start(code: str, address: str, word: str) -> "subprocess.Popen[str]":
    process = subprocess.Popen(
        [sys.executable, "-c", code, address], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline().strip() == word
    return process
