"""A message as a mail, by the rules of MIME."""

from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from hashlib import sha256

from ml_assets.alerts.message import PICTURE_ID, Message
from ml_assets.alerts.outbox import Letter

_POLICY = SMTP.clone(cte_type="7bit")
"""What every server takes; not all take eight bits."""


def mime(letter: Letter, message: Message, sender: str, *, attach: bool = True) -> EmailMessage:
    """The message as a mail: text, and HTML with its picture, as alternatives; the attachment beside them.

    Sent twice it has the same Message-ID, by which mail programs show it once.
    """
    mail = EmailMessage(policy=_POLICY)
    mail["From"], mail["To"], mail["Subject"] = sender, letter.receiver.partition(":")[2], message.subject
    mail["Date"] = format_datetime(letter.at)
    mail["Message-ID"] = _identity(letter.problem, letter.key, letter.receiver)
    mail["Auto-Submitted"] = "auto-generated"  # so that nobody's out-of-office answers
    if letter.content.incident:
        mail["References"] = _identity(letter.problem, f"incident {letter.content.incident}", letter.receiver)
    mail.set_content(message.text)
    mail.add_alternative(message.html, subtype="html")
    if message.picture:
        html = mail.get_payload()[1]  # type: ignore[index]
        html.add_related(message.picture, "image", "png", cid=f"<{PICTURE_ID}>", disposition="inline")  # type: ignore[union-attr]
    if message.attachment and attach:
        mail.add_attachment(
            message.attachment.content, maintype="application", subtype="zip", filename=message.attachment.name
        )
    return mail


def _identity(*parts: str) -> str:
    return f"<{sha256(' '.join(parts).encode()).hexdigest()[:40]}@ml-assets>"
