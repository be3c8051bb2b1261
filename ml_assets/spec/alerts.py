"""Who is told what of a problem, and when. Never a password or a webhook's address: those come from the environment."""

from typing import Annotated, Literal

from pydantic import Field, StringConstraints, model_validator

from ml_assets.spec.base import Spec
from ml_assets.spec.cadence import TimeZone
from ml_assets.spec.monitoring import CheckName

MailAddress = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9._%+=-]{1,64}@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*$")]
"""A plain address. Neither a line break nor a comma, so it cannot become another header or recipient."""

Variable = Annotated[str, StringConstraints(pattern=r"^[A-Z][A-Z0-9_]{0,126}$")]
"""The name of an environment variable. An address with a token in it does not fit, so it is never written down."""

AlertEvent = Literal[
    "checks_failed", "recovered", "retraining_started", "retraining_failed", "promoted", "rejected", "changed_by_hand"
]


class QuietHours(Spec):
    """When nobody is told anything; messages wait until it is over."""

    start_hour: int = Field(ge=0, le=23, description="First quiet hour, local time.", examples=[22])
    end_hour: int = Field(ge=0, le=23, description="First hour that is not quiet any more.", examples=[7])
    time_zone: TimeZone = Field(
        "UTC", description="Where these hours are (IANA time zone database).", examples=["Europe/London"]
    )
    weekends: bool = Field(False, description="Whether all of Saturday and Sunday is quiet, too.", examples=[True])

    @model_validator(mode="after")
    def _some_hours_are_left(self) -> "QuietHours":
        if self.start_hour == self.end_hour:
            raise ValueError(f"quiet hours from {self.start_hour} to {self.end_hour} are none or all; change one")
        return self


class Alerts(Spec):
    """Who is told of failed checks and of what was done about them. Without a receiver there is no alert sensor."""

    to: tuple[MailAddress, ...] = Field(
        (),
        description="Mail addresses; each gets a mail of its own. The server comes from ML_ASSETS_SMTP_URL.",
        examples=[["ml-team@example.com"]],
    )
    apprise: tuple[Variable, ...] = Field(
        (),
        description="Environment variables that hold an apprise URL (Slack, Teams, any webhook, ...).",
        examples=[["ML_ASSETS_PUSH_SLACK"]],
    )
    events: tuple[AlertEvent, ...] = Field(
        ("checks_failed", "recovered", "retraining_failed", "promoted", "rejected", "changed_by_hand"),
        min_length=1,
        description="What is told.",
        examples=[["checks_failed", "retraining_failed"]],
    )
    checks: tuple[CheckName, ...] = Field(
        ("data_drift", "prediction_drift", "target_drift", "model_quality", "data_quality"),
        min_length=1,
        description="Checks whose failure is told.",
        examples=[["model_quality"]],
    )
    after_bad_windows: int = Field(1, ge=1, description="Bad windows in a row before anybody is told.", examples=[2])
    recovered_after_windows: int = Field(
        2, ge=1, description="Good windows in a row that count as recovered.", examples=[2]
    )
    attach_report: bool = Field(
        True, description="Whether the drift report of the window is attached to mails.", examples=[False]
    )
    quiet_hours: QuietHours | None = Field(
        None,
        description="Hours in which nothing is sent; it is sent afterwards.",
        examples=[{"start_hour": 22, "end_hour": 7, "time_zone": "Europe/London"}],
    )
    max_per_day: int = Field(
        20, ge=1, description="Messages to one receiver in any 24 hours; the others wait.", examples=[5]
    )
    keep_trying_days: int = Field(
        7, ge=1, description="How long a message is tried again while its server fails, in days.", examples=[14]
    )

    @model_validator(mode="after")
    def _each_receiver_once(self) -> "Alerts":
        for field in ("to", "apprise"):
            names = [name.lower() for name in getattr(self, field)]
            if twice := sorted({name for name in names if names.count(name) > 1}):
                raise ValueError(f"`{field}` names {twice[0]} twice; leave one out")
        return self

    @property
    def receivers(self) -> tuple[str, ...]:
        """Every receiver, as the outbox names it: mail:<address>, apprise:<variable>."""
        return (*(f"mail:{address}" for address in self.to), *(f"apprise:{name}" for name in self.apprise))
