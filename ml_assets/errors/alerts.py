"""Mails and other messages to people. No text made here ever holds a password, a login or an address with a token."""

from ml_assets.errors.base import MLAssetsError


class AlertSettingsError(MLAssetsError):
    """An environment variable that sending needs is missing or malformed. Its value is never shown."""

    def __init__(self, variable: str, reason: str, form: str) -> None:
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
