"""The resource by which alerts go out: settings as Dagster shows them, which is by the names of their variables."""

import os
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager

import dagster as dg
from pydantic import Field

from ml_assets.alerts.mail import SMTP_CA_FILE, SMTP_FROM, SMTP_PASSWORD, SMTP_URL, SMTP_USER, MailServer, MailSession
from ml_assets.alerts.message import Message
from ml_assets.alerts.outbox import Letter
from ml_assets.alerts.push import push


class AlertChannels(dg.ConfigurableResource):
    """A mail server, and all services that apprise knows. Values from the environment come as `dg.EnvVar`."""

    smtp_url: str | None = Field(None, description="smtp://host:587 (STARTTLS), smtps://host:465 (TLS), smtp+plain://.")
    smtp_user: str | None = Field(None, description="Login at the mail server.")
    smtp_password: str | None = Field(None, description="Its password.")
    smtp_from: str | None = Field(None, description="Sender's address; the user when left out.")
    smtp_ca_file: str | None = Field(None, description="PEM certificates to trust instead of the system's.")

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> "AlertChannels":
        """What the environment sets, by the names of the variables: values stay where they are."""
        names = {
            "smtp_url": SMTP_URL,
            "smtp_user": SMTP_USER,
            "smtp_password": SMTP_PASSWORD,
            "smtp_from": SMTP_FROM,
            "smtp_ca_file": SMTP_CA_FILE,
        }
        given = {field: dg.EnvVar(name) for field, name in names.items() if environment.get(name)}
        return cls(**given)

    @contextmanager
    def open(self) -> Iterator["Lines"]:
        """Lines to all receivers; those that are used are closed at the end."""
        with ExitStack() as stack:
            yield Lines(self, stack)

    def mail_session(self) -> AbstractContextManager[MailSession]:
        """A session at the mail server.

        Raises:
            AlertSettingsError: The server is not, or wrongly, named.
        """
        settings = {
            SMTP_URL: self.smtp_url,
            SMTP_USER: self.smtp_user,
            SMTP_PASSWORD: self.smtp_password,
            SMTP_FROM: self.smtp_from,
            SMTP_CA_FILE: self.smtp_ca_file,
        }
        return MailServer.from_settings({name: value or "" for name, value in settings.items()}).session()


class Lines:
    """What messages of one round go over: one mail session for all of them."""

    def __init__(self, channels: AlertChannels, stack: ExitStack) -> None:
        self._channels = channels
        self._stack = stack
        self._mail: MailSession | None = None

    def send(self, letter: Letter, message: Message) -> None:
        """Send to the letter's receiver.

        Raises:
            AlertSettingsError: The environment lacks what is needed.
            MessageNotSentError: Not now.
            MessageRefusedError: Never.
        """
        kind, _, name = letter.receiver.partition(":")
        if kind == "mail":
            self._session().send(letter, message)
        else:
            push(name, letter.content, message, os.environ)

    def hang_up(self) -> None:
        """After a failure in between the next mail needs a session of its own."""
        self._mail = None
        self._stack.close()

    def _session(self) -> MailSession:
        if self._mail is None:
            self._mail = self._stack.enter_context(self._channels.mail_session())
        return self._mail
