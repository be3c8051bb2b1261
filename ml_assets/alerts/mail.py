"""Mail: the server as the environment names it, and one SMTP session.

TLS with a checked certificate is the rule; without it no password is ever sent. No text made here holds the login or
anything of a server's answer but its code.
"""

import smtplib
import ssl
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from email.message import EmailMessage
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from pydantic import TypeAdapter, ValidationError

from ml_assets.alerts.message import Message
from ml_assets.alerts.mime import mime
from ml_assets.alerts.outbox import Letter
from ml_assets.errors import AlertSettingsError, MessageNotSentError, MessageRefusedError
from ml_assets.spec.alerts import MailAddress

SMTP_URL, SMTP_USER, SMTP_PASSWORD = "ML_ASSETS_SMTP_URL", "ML_ASSETS_SMTP_USER", "ML_ASSETS_SMTP_PASSWORD"
SMTP_FROM, SMTP_CA_FILE = "ML_ASSETS_SMTP_FROM", "ML_ASSETS_SMTP_CA_FILE"
Security = Literal["smtp", "smtps", "smtp+plain"]
_FORM = "smtp://host:587 (STARTTLS), smtps://host:465 (TLS) or smtp+plain://host:25 (neither TLS nor login)"
_PORTS: dict[str, tuple[Security, int]] = {
    "smtp": ("smtp", 587),
    "smtps": ("smtps", 465),
    "smtp+plain": ("smtp+plain", 25),
}
_SERVER = "The mail server"
_TOO_LARGE = {552, 523}
_ADDRESS: TypeAdapter[str] = TypeAdapter(MailAddress)


@dataclass(frozen=True)
class MailServer:
    """Where mails go, and from whom.

    Attributes:
        host, port: Of the server.
        security: STARTTLS, TLS from the first byte, or none.
        sender: Address in "From".
        user, password: The login; both "" for none.
        ca_file: Certificates to trust instead of the system's; "" for the system's.
        timeout_s: Longest wait for any one answer.
    """

    host: str
    port: int
    security: Security
    sender: str
    user: str = field(default="", repr=False)
    password: str = field(default="", repr=False)
    ca_file: str = ""
    timeout_s: float = 15.0

    @classmethod
    def from_settings(cls, settings: Mapping[str, str]) -> "MailServer":
        """The server that the variables `ML_ASSETS_SMTP_*` name.

        Raises:
            AlertSettingsError: One is missing or malformed; the text names it and not its value.
        """
        host, port, security = _address(settings.get(SMTP_URL, ""))
        user, password = settings.get(SMTP_USER, ""), settings.get(SMTP_PASSWORD, "")
        if bool(user) != bool(password):
            missing = SMTP_PASSWORD if user else SMTP_USER
            raise AlertSettingsError(missing, "of user and password only one is set", "the other one")
        if user and security == "smtp+plain":
            form = "smtp://host:587 or smtps://host:465"
            raise AlertSettingsError(SMTP_URL, "a password is never sent without TLS", form)
        sender = settings.get(SMTP_FROM, "") or user
        try:
            _ADDRESS.validate_python(sender)
        except ValidationError:
            reason = "there is no sender" if not sender else "the sender is no plain address"
            raise AlertSettingsError(SMTP_FROM, reason, "an address like alerts@example.com") from None
        ca_file = settings.get(SMTP_CA_FILE, "")
        if ca_file and not Path(ca_file).is_file():
            raise AlertSettingsError(SMTP_CA_FILE, "there is no such file", "a file of PEM certificates")
        return cls(host, port, security, sender, user, password, ca_file)

    @contextmanager
    def session(self) -> Iterator["MailSession"]:
        """A connection, logged in.

        Raises:
            MessageNotSentError: It cannot be had now.
            AlertSettingsError: The file of certificates holds none.
        """
        context = self._tls()
        with _translated():
            smtp = self._connect(context)
        try:
            with _translated():
                if self.security == "smtp":
                    smtp.starttls(context=context)
                if self.user:
                    smtp.login(self.user, self.password)
            yield MailSession(self.sender, smtp)
        finally:
            # After the server took the message it does not matter how the connection ends.
            with suppress(smtplib.SMTPException, OSError):
                smtp.quit()
            smtp.close()

    def _tls(self) -> ssl.SSLContext:
        try:
            return ssl.create_default_context(cafile=self.ca_file or None)
        except (ssl.SSLError, OSError):
            raise AlertSettingsError(SMTP_CA_FILE, "the file cannot be read", "a file of PEM certificates") from None

    def _connect(self, context: ssl.SSLContext) -> smtplib.SMTP:
        # Our name in the greeting: looking up this machine's own can take as long as DNS does.
        own = self.sender.rpartition("@")[2]
        if self.security == "smtps":
            return smtplib.SMTP_SSL(self.host, self.port, own, timeout=self.timeout_s, context=context)
        return smtplib.SMTP(self.host, self.port, own, timeout=self.timeout_s)


@dataclass(frozen=True)
class MailSession:
    """An open connection."""

    sender: str
    smtp: smtplib.SMTP

    def send(self, letter: Letter, message: Message) -> None:
        """Send it to the letter's address; one that is too large for the server goes without its attachment.

        Raises:
            MessageNotSentError: The server did not take it now.
            MessageRefusedError: The server will never take it.
        """
        try:
            self._send(mime(letter, message, self.sender))
        except _TooLargeError:
            if message.attachment is None:
                raise MessageRefusedError(_SERVER, "it is too large") from None
            try:
                self._send(mime(letter, message, self.sender, attach=False))
            except _TooLargeError:
                raise MessageRefusedError(_SERVER, "it is too large") from None

    def _send(self, mail: EmailMessage) -> None:
        with _translated():
            self.smtp.send_message(mail)


class _TooLargeError(Exception):
    """The server says that the message is too large."""


@contextmanager
def _translated() -> Iterator[None]:
    """What may go wrong, in words of ours: a server's own may repeat the login, and Dagster logs a whole chain."""
    try:
        yield
    except smtplib.SMTPRecipientsRefused as error:
        _refused(min(code for code, _ in error.recipients.values()), "the address")
    except smtplib.SMTPSenderRefused as error:
        if error.smtp_code in _TOO_LARGE:
            raise _TooLargeError from None
        raise MessageNotSentError(_SERVER, f"it refuses the sender ({error.smtp_code})") from None
    except smtplib.SMTPDataError as error:
        if error.smtp_code in _TOO_LARGE:
            raise _TooLargeError from None
        _refused(error.smtp_code, "the message")
    except smtplib.SMTPAuthenticationError as error:
        raise MessageNotSentError(_SERVER, f"it refuses the login ({error.smtp_code}): see {SMTP_USER}") from None
    except smtplib.SMTPNotSupportedError:
        raise MessageNotSentError(_SERVER, f"it offers no STARTTLS or no login; {SMTP_URL} is {_FORM}") from None
    except smtplib.SMTPServerDisconnected:
        raise MessageNotSentError(_SERVER, "it hung up, or does not answer in time") from None
    except smtplib.SMTPResponseException as error:
        raise MessageNotSentError(_SERVER, f"it answers {error.smtp_code}") from None
    except smtplib.SMTPException as error:
        raise MessageNotSentError(_SERVER, type(error).__name__) from None
    except ssl.SSLCertVerificationError:
        raise MessageNotSentError(_SERVER, f"its certificate is not trusted: see {SMTP_CA_FILE}") from None
    except ssl.SSLError:
        raise MessageNotSentError(_SERVER, f"it does not speak TLS as expected: see {SMTP_URL}") from None
    except TimeoutError:
        raise MessageNotSentError(_SERVER, "it does not answer in time") from None
    except ConnectionRefusedError:
        raise MessageNotSentError(_SERVER, "nobody answers there") from None
    except OSError as error:
        raise MessageNotSentError(_SERVER, f"it cannot be reached ({type(error).__name__})") from None


def _refused(code: int, what: str) -> None:
    if code >= 500:
        raise MessageRefusedError(_SERVER, f"it refuses {what} ({code})") from None
    raise MessageNotSentError(_SERVER, f"it does not take {what} now ({code})") from None


def _address(text: str) -> tuple[str, int, Security]:
    if not text:
        raise AlertSettingsError(SMTP_URL, "no mail server is named", _FORM)
    try:
        parts = urlsplit(text)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        raise AlertSettingsError(SMTP_URL, "the mail server's address is none", _FORM) from None
    if "@" in parts.netloc:
        raise AlertSettingsError(SMTP_URL, f"the login belongs into {SMTP_USER} and {SMTP_PASSWORD}", _FORM)
    if parts.scheme not in _PORTS or not host:
        raise AlertSettingsError(SMTP_URL, "the mail server's address is none", _FORM)
    if parts.path.strip("/") or parts.query or parts.fragment:
        raise AlertSettingsError(SMTP_URL, "after the mail server's host there may be only a port", _FORM)
    security, usual = _PORTS[parts.scheme]
    return host, port or usual, security
