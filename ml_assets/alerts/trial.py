"""A test message: whether those who are declared would really be told. It goes past the outbox and quiet hours."""

from collections.abc import Iterator
from datetime import datetime

from ml_assets.alerts.channels import AlertChannels
from ml_assets.alerts.content import Content
from ml_assets.alerts.message import compose
from ml_assets.alerts.outbox import Letter
from ml_assets.errors import AlertSettingsError, MessageNotSentError, MessageRefusedError, NoReceiversError
from ml_assets.spec import Problem


def send_test(problem: Problem, channels: AlertChannels, now: datetime, *, page: str) -> Iterator[tuple[str, str]]:
    """Send one message to each receiver: yields the receiver, and what went wrong, "" where nothing did.

    Args:
        problem: Whose receivers.
        channels: How to send.
        now: The clock.
        page: Address of the problem's page.

    Raises:
        NoReceiversError: Nobody is declared.
    """
    if not problem.alerts.receivers:
        raise NoReceiversError(problem.name)
    content = _content(problem, page)
    message = compose(content, None, None)
    with channels.open() as lines:
        for receiver in problem.alerts.receivers:
            key = f"test at {now.isoformat()}"
            letter = Letter(0, problem.name, key, receiver, content, now, "queued", 0, now, None, "")
            try:
                lines.send(letter, message)
            except (AlertSettingsError, MessageNotSentError, MessageRefusedError) as error:
                lines.hang_up()
                yield receiver, error.reason
            else:
                yield receiver, ""


def _content(problem: Problem, page: str) -> Content:
    policy = problem.alerts
    facts = [
        ("Why", f"Somebody ran `ml-assets alert-test {problem.name}`. Nothing happened to the problem."),
        ("You will be told of", ", ".join(event.replace("_", " ") for event in policy.events)),
        ("Checks", ", ".join(policy.checks)),
    ]
    if quiet := policy.quiet_hours:
        weekends = ", and at weekends" if quiet.weekends else ""
        facts.append(("Quiet", f"{quiet.start_hour}:00 to {quiet.end_hour}:00 {quiet.time_zone}{weekends}"))
    return Content(
        problem=problem.name,
        kind="test",
        headline="test message: alerts reach you",
        facts=tuple(facts),
        links=(("Overview", page),),
    )
