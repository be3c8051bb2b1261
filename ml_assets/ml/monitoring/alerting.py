"""What is worth telling: from verdicts, trainings and decisions, and from what was told before. It only decides.

Failed checks are told as one *incident*: from the first bad windows on, over all checks that fail, until each of
them is good again. Who is told, when, and in which words belongs to `ml_assets/alerts/`.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from ml_assets.ml.promotion.decisions import LedgerRow
from ml_assets.ml.windows import Window
from ml_assets.spec import AlertEvent, Alerts

Verdicts = Mapping[str, Mapping[Window, bool]]
"""Check -> window -> whether it passed; windows without a verdict are absent."""


@dataclass(frozen=True)
class Training:
    """The newest run that trains for a cutoff.

    Attributes:
        cutoff: Partition that is trained.
        run: Dagster run.
        state: What became of it; one that Dagster starts again by itself is in flight.
        cause: Why it was started; "" by hand.
        at: When it last changed.
        windows: Bad windows that it answers.
    """

    cutoff: str
    run: str
    state: Literal["in_flight", "failed", "succeeded"]
    cause: str
    at: datetime
    windows: tuple[str, ...] = ()


@dataclass(frozen=True)
class Alert:
    """Something to tell, or told.

    Attributes:
        kind: Which event.
        key: Names its cause within the problem: what has the same key is the same news.
        incident: Number of the incident, from 1; 0 where it is not about failed checks.
        checks: Checks that fail; of a recovery those that did.
        since: First bad window.
        latest: Newest window that it is about.
        cutoff: Cutoff of the training; "" where it is not about one.
        sequence: Number of the ledger's row; 0 where it is not about one.
    """

    kind: AlertEvent
    key: str
    incident: int = 0
    checks: tuple[str, ...] = ()
    since: str = ""
    latest: str = ""
    cutoff: str = ""
    sequence: int = 0


def decide(
    verdicts: Verdicts,
    trainings: Sequence[Training],
    decisions: Sequence[LedgerRow],
    told: Sequence[Alert],
    policy: Alerts,
    *,
    since: datetime,
) -> list[Alert]:
    """What is new.

    Args:
        verdicts: Of the watched checks.
        trainings: One per cutoff.
        decisions: All rows of the ledger.
        told: All that was found to be news before, oldest first, whether anybody was told of it or not.
        policy: The declared policy.
        since: Trainings and decisions before are history.
    """
    keys = {alert.key for alert in told}
    # The ledger's times are whole seconds.
    begin = since.replace(microsecond=0)
    found = [*_incident(verdicts, told, policy)]
    found += [alert for training in trainings if training.at >= begin for alert in _training(training)]
    found += [_decision(row) for row in decisions if datetime.fromisoformat(row.at) >= begin]
    return [alert for alert in found if alert.key not in keys]


def _incident(verdicts: Verdicts, told: Sequence[Alert], policy: Alerts) -> Iterator[Alert]:
    """The beginning, the spreading or the end of an incident; at most one of them."""
    watched: Verdicts = {check: verdicts.get(check, {}) for check in policy.checks}
    failing = {check: bad for check, found in watched.items() if (bad := _bad_streak(found, policy.after_bad_windows))}
    story = [alert for alert in told if alert.incident]
    number = story[-1].incident if story else 0
    open_ = [alert for alert in story if alert.incident == number] if story and story[-1].kind != "recovered" else []
    known = {check for alert in open_ for check in alert.checks}
    if not open_ and failing:
        yield _failed(number + 1, failing, f"incident {number + 1}: checks failed")
    elif new := {check: bad for check, bad in failing.items() if check not in known and open_}:
        yield _failed(number, new, f"incident {number}: {', '.join(sorted(new))} failed, too")
    elif open_ and all(_recovered(watched[check], policy.recovered_after_windows) for check in known & set(watched)):
        # What is not watched any more holds no incident open.
        windows = [window for check in known & set(watched) for window in watched[check]]
        since = min(alert.since for alert in open_)
        latest = max(windows).key if windows else since
        yield Alert("recovered", f"incident {number}: recovered", number, tuple(sorted(known)), since, latest)


def _failed(number: int, failing: Mapping[str, Sequence[Window]], key: str) -> Alert:
    windows = sorted(window for bad in failing.values() for window in bad)
    checks = tuple(sorted(failing))
    return Alert("checks_failed", key, number, checks, since=windows[0].key, latest=windows[-1].key)


def _bad_streak(found: Mapping[Window, bool], least: int) -> list[Window]:
    """The latest windows in a row that failed, newest first; none where they are fewer than `least`."""
    bad: list[Window] = []
    for window in sorted(found, reverse=True):
        if found[window]:
            break
        bad.append(window)
    return bad if len(bad) >= least else []


def _recovered(found: Mapping[Window, bool], needed: int) -> bool:
    """Whether so many latest windows are all good."""
    latest = sorted(found, reverse=True)[:needed]
    return len(latest) == needed and all(found[window] for window in latest)


def _training(training: Training) -> Iterator[Alert]:
    cutoff = training.cutoff
    yield Alert("retraining_started", f"training for {cutoff} started", cutoff=cutoff, latest=cutoff)
    if training.state == "failed":
        yield Alert("retraining_failed", f"training for {cutoff} failed", cutoff=cutoff, latest=cutoff)


def _decision(row: LedgerRow) -> Alert:
    kind: AlertEvent = "changed_by_hand" if row.by_hand else "rejected" if row.action == "rejected" else "promoted"
    return Alert(kind, f"decision {row.sequence}", latest=row.cutoff, cutoff=row.cutoff, sequence=row.sequence)
