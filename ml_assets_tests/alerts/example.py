"""An incident of the flights problem, as content and in an outbox."""

from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from ml_assets.alerts.content import Content, Finding, Point
from ml_assets.alerts.outbox import Letter, Outbox
from ml_assets.ml.monitoring.alerting import Alert
from ml_assets.ml.windows import window_of
from ml_assets_tests.flights import flights

NOW = datetime(2026, 11, 24, 9, 30, tzinfo=UTC)
ALERT = Alert("checks_failed", "incident 1: checks failed", 1, ("model_quality",), "2013-06-24", "2013-07-01")


def points(windows: int = 12) -> tuple[Point, ...]:
    """Weeks with errors about 40 minutes, the last two bad."""
    first, rng = window_of(flights().cadence, "2013-04-15"), np.random.default_rng(1)
    return tuple(
        Point(
            window=first.shift(place).key,
            error=float(38 + rng.normal(0, 2) + (16 if place >= windows - 2 else 0)),
            held_out=38.18 if place < 6 else 42.11,
            drifted_share=float(rng.uniform(0.1, 0.45)) + (0.2 if place == windows - 1 else 0),
            bad=place >= windows - 2,
        )
        for place in range(windows)
    )


def content(**changes: object) -> Content:
    """What a mail about the incident says."""
    text = "rmse 57.87 > 1.25 x 42.11; bias -9.31 minutes beyond 7."
    drift = "7 of 12 features drifted (58%, limit 50%): temp_f, dewpoint_f, humidity_pct, wind_speed_mph."
    base = Content(
        problem="flights",
        kind="checks_failed",
        incident=1,
        headline="model_quality failed, since 2013-06-24",
        facts=(
            ("Since", "window 2013-06-24; newest bad window 2013-07-01, 2 in all."),
            (
                "Cost",
                "rmse 57.87 minutes in window 2013-07-01, against 42.11 minutes held out: +15.76 minutes (+37.4%), "
                "over 6,314 rows.",
            ),
            (
                "Done",
                "A retraining is due: 2 bad windows of the last 5 (2013-06-24, 2013-07-01): model_quality. "
                "Version 1 stays in production.",
            ),
        ),
        findings=(
            Finding(window="2013-06-24", check="model_quality", text=text, passed=False),
            Finding(window="2013-07-01", check="data_drift", text=drift, passed=False),
            Finding(window="2013-07-01", check="model_quality", text=text, passed=False),
        ),
        links=(
            ("Drift report", "http://127.0.0.1:3072/flights/drift/2013-07-01.html"),
            ("Checks", "http://127.0.0.1:3070/assets/flights/quality?view=checks"),
        ),
        points=points(),
        metric="rmse",
        unit="minutes",
        max_drifted_share=0.5,
        report="flights/drift/2013-07-01.html",
    )
    return base.model_copy(update=changes)


def outbox(folder: Path) -> Outbox:
    """An empty one beside a ledger of its own."""
    return Outbox(f"sqlite:///{folder / 'ledger.db'}")


def letter(receiver: str = "mail:ann@example.com", **changes: object) -> Letter:
    """The incident for one receiver, outside any outbox."""
    about = {"id": 1, "problem": "flights", "key": ALERT.key, "receiver": receiver, "content": content(), "at": NOW}
    return Letter(**about | {"state": "queued", "attempts": 0, "due": NOW, "sent_at": None, "trouble": ""} | changes)  # type: ignore[arg-type]
