"""The alert sensor: finds what is new, puts it into the outbox, and sends what is due.

Killed anywhere, the next tick goes on: what is new follows from Dagster's and the ledger's state and from the outbox.
"""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import dagster as dg

from ml_assets.alerts.channels import AlertChannels
from ml_assets.alerts.outbox import Outbox
from ml_assets.alerts.reading import trainings, verdicts
from ml_assets.alerts.sending import send_due
from ml_assets.alerts.telling import Known, content_of
from ml_assets.assets import keys
from ml_assets.automation.evaluations import evaluations
from ml_assets.automation.trainings import settling
from ml_assets.errors import LockTimeoutError
from ml_assets.ml.monitoring.alerting import decide
from ml_assets.resources.ledger import Ledger
from ml_assets.resources.reports import Reports
from ml_assets.spec import Problem

NEWS = timedelta(days=7)
"""What is first seen after so long, since nothing ran here meanwhile, is history and not news."""


def build_alert_sensor(problem: Problem) -> dg.SensorDefinition:
    """Tells the declared receivers; every tick says what went out and what waits."""

    @dg.sensor(
        name=keys.alert_sensor(problem),
        minimum_interval_seconds=30,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description="Tells people of failed checks and recoveries, of trainings, and of changes of production.",
    )
    def alerts(
        context: dg.SensorEvaluationContext, ledger: Ledger, reports: Reports, alert_channels: AlertChannels
    ) -> dg.SkipReason:
        outbox = Outbox(ledger.url)
        try:
            with outbox.alone(problem.name):
                waits = note_news(context.instance, problem, ledger, reports, outbox, _now)
                done = send_due(problem.name, problem.alerts, outbox, alert_channels, Path(reports.root), _now)
        except LockTimeoutError:
            return dg.SkipReason("Another daemon is telling of this problem.")
        for trouble in dict.fromkeys(done.troubles):
            context.log.warning(trouble)
        return dg.SkipReason(f"{done}." + (f" Checks are looked at later: {waits}." if waits else ""))

    return alerts


def note_news(
    instance: dg.DagsterInstance,
    problem: Problem,
    ledger: Ledger,
    reports: Reports,
    outbox: Outbox,
    now: Callable[[], datetime],
) -> str | None:
    """Put what is new into the outbox; say why checks have to wait, where they do."""
    policy, moment = problem.alerts, now()
    since = max(outbox.began(problem.name, moment), moment - NEWS)
    waits = settling(instance, problem)
    checks = list(dict.fromkeys([*policy.checks, *problem.retraining.checks, "data_drift", "model_quality"]))
    found = evaluations(instance, problem, checks)
    runs, rows, told = trainings(instance, problem, since), ledger.rows(problem), outbox.told(problem.name)
    known = Known(problem, found, runs, rows, reports.dagster_url, reports.url)
    for alert in decide({} if waits else verdicts(found), runs, rows, told, policy, since=since):
        receivers = policy.receivers if alert.kind in policy.events else ()
        outbox.put(problem.name, alert, content_of(alert, known), receivers, moment)
    return waits


def _now() -> datetime:
    return datetime.now(UTC)
