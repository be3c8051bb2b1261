"""One round of sending: what is due goes out, what fails is tried again later, what is refused is given up.

Called by whoever holds `Outbox.alone`. Every outcome is written down before the next message is looked at.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

from ml_assets.alerts import timing
from ml_assets.alerts.channels import AlertChannels, Lines
from ml_assets.alerts.message import Attachment, compose, report_file
from ml_assets.alerts.outbox import Letter, Outbox
from ml_assets.alerts.picture import timeline
from ml_assets.errors import AlertSettingsError, MessageNotSentError, MessageRefusedError
from ml_assets.spec import Alerts

ROUND_S = 25.0
"""No further message is begun after so long: Dagster ends a sensor's tick after 60 seconds."""
_LEAST_ATTEMPTS = 10
"""Before these (five hours) nothing is given up, however long it lay in quiet hours or behind the daily limit."""


@dataclass
class Round:
    """What happened.

    Attributes:
        sent: Messages that went out.
        waiting: Messages that stay queued.
        troubles: What went wrong, one line each.
        next_due: When the next message is tried; None where none waits.
    """

    sent: int = 0
    waiting: int = 0
    troubles: list[str] = field(default_factory=list)
    next_due: datetime | None = None

    def wait(self, due: datetime) -> None:
        """One more message that waits."""
        self.waiting += 1
        self.next_due = min(due, self.next_due or due)

    def __str__(self) -> str:
        text = f"{self.sent} sent, {self.waiting} queued"
        text += f", next at {self.next_due.isoformat(timespec='seconds')}" if self.next_due else ""
        return "; ".join([text, *dict.fromkeys(self.troubles)])


def send_due(
    problem: str, policy: Alerts, outbox: Outbox, channels: AlertChannels, reports: Path, now: Callable[[], datetime]
) -> Round:
    """Send what is due, oldest first.

    Args:
        problem: Whose messages.
        policy: The declared policy, with all receivers there are.
        outbox: The queue.
        channels: How to send.
        reports: Folder of the drift reports.
        now: The clock.
    """
    done, end = Round(), time.monotonic() + ROUND_S
    loud = timing.quiet_until(policy.quiet_hours, now())
    failing: set[str] = set()  # a server that just failed is not asked again in the same round
    with channels.open() as lines:
        for letter in outbox.queued(problem):
            due = max(letter.due, loud or letter.due, _free_from(outbox, letter, policy, now()))
            server = letter.receiver if letter.receiver.startswith("apprise:") else "mail"
            if letter.receiver not in policy.receivers:
                outbox.give_up(letter, "the receiver is not declared any more")
                done.troubles.append(f"'{letter.key}' was given up: its receiver is not declared any more")
            elif due > now():
                done.wait(due)
            elif server in failing or time.monotonic() > end:
                done.wait(now())
            elif not _send(letter, policy, outbox, lines, reports, now, done):
                failing.add(server)
    return done


def _send(
    letter: Letter,
    policy: Alerts,
    outbox: Outbox,
    lines: Lines,
    reports: Path,
    now: Callable[[], datetime],
    done: Round,
) -> bool:
    """Whether the server is well: it took the message, or refused just this one."""
    content = letter.content
    attachment = _report(letter, reports) if policy.attach_report and letter.receiver.startswith("mail:") else None
    message = compose(content, timeline(content), attachment)
    try:
        lines.send(letter, message)
    except MessageRefusedError as error:
        outbox.give_up(letter, error.reason)
        done.troubles.append(str(error))
        lines.hang_up()  # a refusal may leave the session in the middle of a message
        return True
    except (MessageNotSentError, AlertSettingsError) as error:
        lines.hang_up()
        _again_later(letter, policy, outbox, str(error), now(), done)
        return False
    outbox.mark_sent(letter, now())
    done.sent += 1
    return True


def _again_later(letter: Letter, policy: Alerts, outbox: Outbox, trouble: str, now: datetime, done: Round) -> None:
    done.troubles.append(trouble)
    too_old = now - letter.at > timedelta(days=policy.keep_trying_days)
    if too_old and letter.attempts + 1 >= _LEAST_ATTEMPTS:
        outbox.give_up(letter, trouble)
        done.troubles.append(f"'{letter.key}' was given up after {policy.keep_trying_days} days")
        return
    due = timing.next_attempt(letter.attempts + 1, now)
    outbox.postpone(letter, due, trouble)
    done.wait(due)


def _free_from(outbox: Outbox, letter: Letter, policy: Alerts, now: datetime) -> datetime:
    sent = outbox.sent_since(letter.problem, letter.receiver, now - timing.DAY)
    return timing.free_from(sent, policy.max_per_day, now) or letter.due


def _report(letter: Letter, reports: Path) -> Attachment | None:
    """The drift report; None where there is none, or not any more."""
    if not letter.content.report:
        return None
    path = (reports / letter.content.report).resolve()
    # The place comes from a check's metadata: nothing outside the reports' folder is ever mailed.
    if not path.is_relative_to(reports.resolve()) or not path.is_file():
        return None
    return report_file(letter.content, path.read_bytes())
