"""What an alert says, as plain values: kept in the outbox until it is sent, and the same in mails and webhooks.

No address of a receiver and nothing from the environment is in it. How it looks is the business of `message`.
"""

from typing import Literal

from pydantic import BaseModel, ConfigDict

from ml_assets.spec import AlertEvent


class Point(BaseModel):
    """One window of the picture.

    Attributes:
        window: Its key.
        error: Its error, in `Content.unit`; None where it is not known (yet).
        held_out: The champion's own error on its held-out rows; None where it is not known.
        drifted_share: Drifted features / features watched; None where it was not judged.
        bad: Whether a watched check failed.
    """

    model_config = ConfigDict(frozen=True)

    window: str
    error: float | None = None
    held_out: float | None = None
    drifted_share: float | None = None
    bad: bool = False


class Finding(BaseModel):
    """A check's words on a window."""

    model_config = ConfigDict(frozen=True)

    window: str
    check: str
    text: str
    passed: bool


class Content(BaseModel):
    """One alert in words and numbers.

    Attributes:
        problem: Whose it is.
        kind: Which event, or a test.
        incident: Number of the incident, for the thread of mails; 0 where it belongs to none.
        headline: One line; the subject.
        facts: Label and sentence: since when, what it costs, what was done.
        findings: What the checks found.
        links: Name and address.
        points: For the picture, oldest first.
        metric, unit: Of the points' errors; unit "" where there is none.
        max_drifted_share: The limit of the drifted share.
        report: Drift report, relative to the reports' folder; "" where there is none.
    """

    model_config = ConfigDict(frozen=True)

    problem: str
    kind: AlertEvent | Literal["test"]
    incident: int = 0
    headline: str
    facts: tuple[tuple[str, str], ...] = ()
    findings: tuple[Finding, ...] = ()
    links: tuple[tuple[str, str], ...] = ()
    points: tuple[Point, ...] = ()
    metric: str = ""
    unit: str = ""
    max_drifted_share: float | None = None
    report: str = ""
