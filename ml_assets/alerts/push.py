"""Slack, Teams and all other services that apprise knows, each by a URL that an environment variable holds.

Such a URL is a secret as a whole: whoever has a webhook's address may post there. So nothing that apprise or its HTTP
client would say about it is let through.
"""

import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from ml_assets.alerts.content import Content
from ml_assets.alerts.message import Message
from ml_assets.errors import AlertSettingsError, MessageNotSentError

_TALKATIVE = ("apprise", "urllib3", "requests")
_URGENCY = {
    "checks_failed": "warning",
    "retraining_failed": "failure",
    "rejected": "warning",
    "recovered": "success",
    "promoted": "success",
}


def push(variable: str, content: Content, message: Message, environment: Mapping[str, str]) -> None:
    """Send the text of a message to the service that the variable names.

    Raises:
        AlertSettingsError: The variable is not set, or apprise does not understand it.
        MessageNotSentError: The service did not take it; apprise does not tell whether it ever will.
    """
    from apprise import Apprise, AppriseAsset, NotifyFormat, NotifyType

    address = environment.get(variable, "")
    if not address:
        raise AlertSettingsError(variable, "it is not set", "an apprise URL")
    receiver = Apprise(asset=AppriseAsset(app_id="ml_assets", secure_logging=True))
    with _silent():
        known = receiver.add(address)
    if not known:
        form = "an apprise URL (https://github.com/caronc/apprise/wiki)"
        raise AlertSettingsError(variable, "apprise does not know what it holds", form)
    with _silent():  # again: with the service's module further loggers may have come
        sent = receiver.notify(
            title=message.subject,
            body=message.text,
            body_format=NotifyFormat.TEXT,
            notify_type=NotifyType(_URGENCY.get(content.kind, "info")),
        )
    if not sent:
        raise MessageNotSentError(f"The service of {variable}", "it does not answer, or not with success")


@contextmanager
def _silent() -> Iterator[None]:
    """Loggers that would write the address, or the path of a request with the token in it, say nothing."""
    loggers = [logging.getLogger(name) for name in _TALKATIVE]
    loggers += [
        logging.getLogger(name)
        for name in list(logging.root.manager.loggerDict)
        if name.partition(".")[0] in _TALKATIVE and "." in name
    ]
    before = [logger.disabled for logger in loggers]
    for logger in loggers:
        logger.disabled = True
    try:
        yield
    finally:
        for logger, was in zip(loggers, before, strict=True):
            logger.disabled = was
