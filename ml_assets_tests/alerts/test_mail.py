"""Mails against a real SMTP server on loopback: what arrives, what TLS and logins hold, what failures say."""

import io
import logging
import socket
import threading
import zipfile
from collections.abc import Mapping
from dataclasses import replace
from email.message import EmailMessage
from pathlib import Path

import pytest

from ml_assets.alerts.mail import SMTP_CA_FILE, SMTP_FROM, SMTP_PASSWORD, SMTP_URL, SMTP_USER, MailServer
from ml_assets.alerts.message import Message, compose, report_file
from ml_assets.alerts.outbox import Letter
from ml_assets.alerts.picture import timeline
from ml_assets.errors import AlertSettingsError, MessageNotSentError, MessageRefusedError
from ml_assets_tests.alerts.example import content, letter
from ml_assets_tests.alerts.servers import PASSWORD, USER, Inbox, free_port, make_certificate, smtp

REPORT = b"<html>" + b"<p>drift of a window</p>" * 50_000 + b"</html>"


@pytest.fixture(scope="module")
def message() -> Message:
    said = content()
    return compose(said, timeline(said), report_file(said, REPORT))


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    return make_certificate(tmp_path_factory.mktemp("tls"))


def _settings(url: str, **more: str) -> dict[str, str]:
    return {SMTP_URL: url, SMTP_FROM: "alerts@example.com"} | more


def _send(settings: Mapping[str, str], message: Message, to: Letter | None = None) -> None:
    with MailServer.from_settings(settings).session() as session:
        session.send(to or letter(), message)


def test_the_report_is_attached_and_the_picture_is_inline(message: Message) -> None:
    inbox = Inbox()
    with smtp(inbox) as port:
        _send(_settings(f"smtp+plain://127.0.0.1:{port}"), message)
    [(receivers, mail)] = inbox.mails
    assert (receivers, mail["To"], mail["From"]) == (["ann@example.com"], "ann@example.com", "alerts@example.com")
    assert mail["Subject"] == "[flights] model_quality failed, since 2013-06-24"
    text, html = mail.get_body(("plain",)), mail.get_body(("html",))
    assert text is not None
    assert html is not None
    for part in (text, html):
        assert "57.87 minutes in window 2013-07-01, against 42.11 minutes held out" in part.get_content()
    pictures = [part for part in mail.walk() if part.get_content_type() == "image/png"]
    assert [part["Content-ID"] for part in pictures] == ["<timeline>"]
    assert pictures[0].get_content_disposition() == "inline"
    assert pictures[0].get_payload(decode=True).startswith(b"\x89PNG")
    assert 'src="cid:timeline"' in html.get_content()
    [attached] = list(mail.iter_attachments())
    with zipfile.ZipFile(io.BytesIO(attached.get_payload(decode=True))) as archive:
        assert archive.read("flights_drift_2013-07-01.html") == REPORT


def test_mails_of_one_incident_are_one_thread_and_a_mail_sent_twice_is_the_same(message: Message) -> None:
    inbox, other = Inbox(), letter(key="incident 1: recovered")
    with smtp(inbox) as port:
        for to in (letter(), letter(), other):
            _send(_settings(f"smtp+plain://127.0.0.1:{port}"), message, to)
    first, again, later = (mail for _, mail in inbox.mails)
    assert first["Message-ID"] == again["Message-ID"] != later["Message-ID"]
    assert first["References"] == later["References"]


@pytest.mark.parametrize("scheme", ["smtp", "smtps"], ids=["STARTTLS", "TLS from the first byte"])
def test_a_login_goes_over_tls_with_a_checked_certificate(
    scheme: str, message: Message, certificate: tuple[Path, Path]
) -> None:
    both, alone = certificate
    inbox = Inbox()
    with smtp(inbox, certificate=both, tls_first=scheme == "smtps", login=True) as port:
        login = {SMTP_USER: USER, SMTP_PASSWORD: PASSWORD}
        settings = _settings(f"{scheme}://127.0.0.1:{port}", **login, **{SMTP_CA_FILE: str(alone)})
        _send(settings, message)
        with pytest.raises(MessageNotSentError, match="certificate is not trusted: see ML_ASSETS_SMTP_CA_FILE"):
            _send(_settings(f"{scheme}://127.0.0.1:{port}", **login), message)
        with pytest.raises(MessageNotSentError, match=r"refuses the login \(535\)"):
            _send(settings | {SMTP_PASSWORD: "wrong horse"}, message)
    assert len(inbox.mails) == 1


def test_a_certificate_of_another_host_is_not_trusted(message: Message, tmp_path: Path) -> None:
    both, alone = make_certificate(tmp_path, host="127.0.0.2")
    with smtp(Inbox(), certificate=both) as port, pytest.raises(MessageNotSentError, match="not trusted"):
        _send(_settings(f"smtp://127.0.0.1:{port}", **{SMTP_CA_FILE: str(alone)}), message)


def test_a_server_that_offers_no_starttls_gets_neither_login_nor_mail(message: Message) -> None:
    inbox = Inbox()
    with (
        smtp(inbox) as port,
        pytest.raises(
            MessageNotSentError, match=r"offers no STARTTLS or no login; ML_ASSETS_SMTP_URL is smtp://.*smtps"
        ),
    ):
        _send(_settings(f"smtp://127.0.0.1:{port}", **{SMTP_USER: USER, SMTP_PASSWORD: PASSWORD}), message)
    assert inbox.mails == []


@pytest.mark.parametrize(
    ("answer", "error", "says"),
    [
        pytest.param("451 greylisted", MessageNotSentError, r"does not take the message now \(451\)", id="later"),
        pytest.param("554 looks like spam", MessageRefusedError, r"refuses the message \(554\)", id="never"),
    ],
)
def test_a_refused_message_is_told_from_one_to_try_again(
    answer: str, error: type[Exception], says: str, message: Message
) -> None:
    inbox = Inbox(to_message=[answer])
    with smtp(inbox) as port, pytest.raises(error, match=says):
        _send(_settings(f"smtp+plain://127.0.0.1:{port}"), message)
    assert inbox.mails == []


def test_an_address_that_does_not_exist_is_refused_for_good(message: Message) -> None:
    inbox = Inbox(to_receiver={"ann@example.com": "550 no such user"})
    with smtp(inbox) as port, pytest.raises(MessageRefusedError, match=r"refuses the address \(550\)"):
        _send(_settings(f"smtp+plain://127.0.0.1:{port}"), message)


def test_a_mail_too_large_for_the_server_goes_without_its_attachment(message: Message) -> None:
    large = Message(message.subject, message.text, message.html, message.picture, report_file(content(), _noise()))
    inbox = Inbox()
    with smtp(inbox, size_limit=400_000) as port:
        _send(_settings(f"smtp+plain://127.0.0.1:{port}"), large)
    [(_, mail)] = inbox.mails
    assert list(mail.iter_attachments()) == []
    assert isinstance(mail, EmailMessage)


def _noise() -> bytes:
    """A megabyte that no packing makes smaller."""
    import random

    return random.Random(1).randbytes(1_000_000)  # noqa: S311


def test_a_server_that_hangs_up_after_taking_a_mail_is_tried_again(message: Message) -> None:
    inbox = Inbox(hang_up_after=1)
    with smtp(inbox) as port, pytest.raises(MessageNotSentError, match="it hung up"):
        _send(_settings(f"smtp+plain://127.0.0.1:{port}"), message)
    assert len(inbox.mails) == 1  # it took it, but nobody can know: the second one has the same Message-ID


def test_a_port_on_which_nobody_answers_is_named_as_such(message: Message) -> None:
    with pytest.raises(MessageNotSentError, match="nobody answers there"):
        _send(_settings(f"smtp+plain://127.0.0.1:{free_port()}"), message)


def test_a_server_that_never_greets_does_not_hold_the_sender_up() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"smtp+plain://127.0.0.1:{silent.getsockname()[1]}"
        server = replace(MailServer.from_settings(_settings(url)), timeout_s=0.3)
        with pytest.raises(MessageNotSentError, match="does not answer in time"), server.session():
            pass


@pytest.mark.parametrize(
    ("settings", "variable", "says"),
    [
        pytest.param({}, SMTP_URL, "no mail server is named", id="nothing set"),
        pytest.param({SMTP_URL: "mail.example.com"}, SMTP_URL, "address is none", id="no scheme"),
        pytest.param({SMTP_URL: "http://mail.example.com"}, SMTP_URL, "address is none", id="another scheme"),
        pytest.param({SMTP_URL: "smtp://mail.example.com:port"}, SMTP_URL, "address is none", id="no port number"),
        pytest.param({SMTP_URL: "smtp://a:hunter2@mail.example.com"}, SMTP_URL, "login belongs into", id="login in it"),
        pytest.param({SMTP_URL: "smtp://h", SMTP_USER: "a@b.c"}, SMTP_PASSWORD, "only one is set", id="no password"),
        pytest.param({SMTP_URL: "smtp://h", SMTP_PASSWORD: "hunter2"}, SMTP_USER, "only one is set", id="no user"),
        pytest.param(
            {SMTP_URL: "smtp+plain://h", SMTP_USER: "a@b.c", SMTP_PASSWORD: "hunter2"},
            SMTP_URL,
            "never sent without TLS",
            id="a login without TLS",
        ),
        pytest.param({SMTP_URL: "smtp://h"}, SMTP_FROM, "there is no sender", id="no sender"),
        pytest.param({SMTP_URL: "smtp://h", SMTP_FROM: "a@b.c\nBcc: x@y.z"}, SMTP_FROM, "no plain address", id="two"),
        pytest.param(
            {SMTP_URL: "smtp://h", SMTP_FROM: "a@b.c", SMTP_CA_FILE: "/nowhere"}, SMTP_CA_FILE, "no such", id="no file"
        ),
    ],
)
def test_a_malformed_setting_is_named_and_never_shown(settings: dict[str, str], variable: str, says: str) -> None:
    with pytest.raises(AlertSettingsError, match=says) as caught:
        MailServer.from_settings(settings)
    assert f"environment variable {variable} " in str(caught.value)
    assert "hunter2" not in str(caught.value)
    assert caught.value.__suppress_context__ or caught.value.__context__ is None


def test_neither_login_nor_password_is_in_any_text(
    message: Message, certificate: tuple[Path, Path], caplog: pytest.LogCaptureFixture
) -> None:
    both, alone = certificate
    secrets = {SMTP_USER: "spy@example.com", SMTP_PASSWORD: "hunter2"}
    with caplog.at_level(logging.DEBUG), smtp(Inbox(), certificate=both, login=True) as port:
        settings = _settings(f"smtp://127.0.0.1:{port}", **secrets, **{SMTP_CA_FILE: str(alone)})
        server = MailServer.from_settings(settings)
        with pytest.raises(MessageNotSentError) as caught:
            _send(settings, message)
    ours = [record.getMessage() for record in caplog.records if record.threadName == threading.main_thread().name]
    for text in (repr(server), str(caught.value), repr(caught.value.__cause__), *ours):
        assert "hunter2" not in text
        assert "spy@example.com" not in text
    assert caught.value.__suppress_context__
