"""Real servers on loopback: SMTP (plain, STARTTLS, TLS; with a login), and HTTP for webhooks."""

import json
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address
from pathlib import Path
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

USER, PASSWORD = "alerts@example.com", "correct horse battery staple"
LARGE = 64 * 1024 * 1024


@dataclass
class Inbox:
    """What a server took, and how it answers.

    Attributes:
        mails: Each with the receivers of its envelope.
        to_receiver: Address -> answer to RCPT, e.g. "550 no such user".
        to_message: Answers to the next messages, before it takes any.
        hang_up_after: The connection is cut after so many messages were taken, before the answer; 0 for never.
        when_taken: Called when a message was taken, before the answer.
    """

    mails: list[tuple[list[str], EmailMessage]] = field(default_factory=list)
    to_receiver: dict[str, str] = field(default_factory=dict)
    to_message: list[str] = field(default_factory=list)
    hang_up_after: int = 0
    when_taken: Callable[[], None] | None = None

    async def handle_RCPT(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if address in self.to_receiver:
            return self.to_receiver[address]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        if self.to_message:
            return self.to_message.pop(0)
        mail = message_from_bytes(envelope.content, policy=policy.default)  # type: ignore[arg-type]
        self.mails.append((list(envelope.rcpt_tos), mail))  # type: ignore[arg-type]
        if self.when_taken:
            self.when_taken()
        if self.hang_up_after and len(self.mails) >= self.hang_up_after:
            self.hang_up_after = 0
            server.transport.abort()
        return "250 taken"


class _LoggedIn:
    """Takes one login."""

    def __call__(self, server: SMTP, session: Session, envelope: Envelope, mechanism: str, data: Any) -> AuthResult:
        wanted = (USER.encode(), PASSWORD.encode())
        right = isinstance(data, LoginPassword) and (data.login, data.password) == wanted
        return AuthResult(success=right, handled=False)


@contextmanager
def smtp(
    inbox: Inbox,
    *,
    port: int = 0,
    certificate: Path | None = None,
    tls_first: bool = False,
    login: bool = False,
    size_limit: int = LARGE,
) -> Iterator[int]:
    """A server on 127.0.0.1; yields its port.

    Args:
        inbox: Where mails go.
        port: A port; 0 for a free one.
        certificate: PEM of certificate and key; with it STARTTLS is required.
        tls_first: TLS from the first byte instead.
        login: Whether USER and PASSWORD are required.
        size_limit: Largest message in bytes.
    """
    context = None
    if certificate:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(certificate)
    options: dict[str, Any] = {"data_size_limit": size_limit}
    if login:
        options |= {"auth_required": True, "authenticator": _LoggedIn(), "auth_require_tls": not tls_first}
    if context is not None and not tls_first:
        options |= {"tls_context": context, "require_starttls": True}
    address = port or free_port()
    controller = Controller(
        inbox, hostname="127.0.0.1", port=address, ssl_context=context if tls_first else None, **options
    )
    controller.start()
    try:
        yield address
    finally:
        controller.stop()


@dataclass
class Webhook:
    """What an HTTP server was sent, and with which status it answers next."""

    bodies: list[dict[str, Any]] = field(default_factory=list)
    paths: list[str] = field(default_factory=list)
    statuses: list[int] = field(default_factory=list)


@contextmanager
def http(webhook: Webhook) -> Iterator[int]:
    """A server on 127.0.0.1; yields its port."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            status = webhook.statuses.pop(0) if webhook.statuses else 200
            if status == 200:
                webhook.bodies.append(json.loads(body))
            webhook.paths.append(self.path)
            self.send_response(status)
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            """Nothing to the console."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def free_port() -> int:
    """A port that nothing listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def make_certificate(folder: Path, *, host: str = "127.0.0.1") -> tuple[Path, Path]:
    """A certificate for a host, signed by itself: (certificate and key, certificate alone)."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.oid.NameOID.COMMON_NAME, host)])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address(host))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    public = made.public_bytes(serialization.Encoding.PEM)
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    both, alone = folder / "server.pem", folder / "ca.pem"
    both.write_bytes(public + private)
    both.chmod(0o600)
    alone.write_bytes(public)
    return both, alone
