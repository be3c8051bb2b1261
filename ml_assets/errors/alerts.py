"""Mails and other messages to people. No text made here ever holds a password, a login or an address with a token."""

from ml_assets.errors.base import MLAssetsError


class NoReceiversError(MLAssetsError):
    """A test message was asked for, and nobody would get it."""

    def __init__(self, problem: str) -> None:
        super().__init__(
            f"Problem '{problem}' declares nobody who is told. Name a mail address or an apprise variable in its "
            "`alerts`; docs/alerts.md shows how."
        )


class AlertSettingsError(MLAssetsError):
    """An environment variable that sending needs is missing or malformed. Its value is never shown."""

    def __init__(self, variable: str, reason: str, form: str) -> None:
        self.reason = f"{reason}; set {variable} to {form}"
        super().__init__(f"Alerts cannot be sent: {reason}. Set the environment variable {variable} to {form}.")


class MessageNotSentError(MLAssetsError):
    """A message did not go out, but may later. Nothing of the server's answer is shown but its code."""

    def __init__(self, server: str, reason: str) -> None:
        self.reason = reason
        super().__init__(f"{server} did not take the message: {reason}. It stays queued and is tried again.")


class MessageRefusedError(MLAssetsError):
    """A server refused a message for good."""

    def __init__(self, server: str, reason: str) -> None:
        self.reason = reason
        super().__init__(
            f"{server} refused the message for good: {reason}. Correct the receiver in `alerts`, or ask who runs the "
            "server."
        )
