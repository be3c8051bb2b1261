"""What alerts are about: the verdicts of checks, and the runs that train. It only reads."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from dagster import DagsterInstance

from ml_assets.automation.evaluations import Evaluation
from ml_assets.automation.trainings import trainings as attempts
from ml_assets.ml.monitoring.alerting import Training, Verdicts
from ml_assets.ml.monitoring.attempts import Attempt, may_be_retried
from ml_assets.ml.promotion.decisions import LedgerRow
from ml_assets.ml.windows import Window
from ml_assets.spec import Problem


@dataclass(frozen=True)
class Known:
    """All that an alert's words are taken from.

    Attributes:
        problem: Whose alert.
        evaluations: Newest of each check and window, oldest window first.
        trainings: Newest of each cutoff.
        ledger: All decisions, oldest first.
        dagster_url, reports_url: Where links lead.
    """

    problem: Problem
    evaluations: Sequence[Evaluation]
    trainings: Sequence[Training]
    ledger: Sequence[LedgerRow]
    dagster_url: str
    reports_url: str


def verdicts(found: Sequence[Evaluation]) -> Verdicts:
    """Check -> window -> passed, without those that have no verdict."""
    result: dict[str, dict[Window, bool]] = {}
    for each in found:
        if each.judged:
            result.setdefault(each.check, {})[each.window] = each.passed
    return result


def trainings(instance: DagsterInstance, problem: Problem, since: datetime) -> list[Training]:
    """The newest training of each cutoff that changed since then, oldest first.

    One that failed and is tried again is left out: its failure is told when it is given up.
    """
    newest = {attempt.cutoff: attempt for attempt in attempts(instance, problem, since)}
    found = [_training(each) for each in newest.values() if not may_be_retried(each, problem.retraining)]
    return sorted(found, key=lambda each: each.at)


def _training(attempt: Attempt) -> Training:
    return Training(
        cutoff=attempt.cutoff,
        run=attempt.run,
        state="failed" if attempt.over else "succeeded" if attempt.state == "succeeded" else "in_flight",
        cause=attempt.cause,
        at=attempt.at,
        windows=attempt.windows,
    )
