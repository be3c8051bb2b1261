"""The sentences of an alert: since when, what it costs, what was done. They only read what is known."""

from ml_assets.alerts.reading import Known
from ml_assets.automation.evaluations import Evaluation
from ml_assets.ml.monitoring.alerting import Alert
from ml_assets.ml.monitoring.retraining import decide
from ml_assets.ml.promotion.decisions import current
from ml_assets.ml.quality.metrics import error_of, shown
from ml_assets.ml.windows import Window, window_of
from ml_assets.spec import GREATER_IS_BETTER, Problem

_IN_UNIT = ("rmse", "mae")


def since(alert: Alert, known: Known) -> str:
    """From which window to which."""
    bad = sorted({each.window for each in evaluations_of(alert, known) if each.judged and not each.passed})
    text = f"window {alert.since}"
    text += f"; newest bad window {bad[-1].key}, {len(bad)} in all" if len(bad) > 1 else ""
    return f"{text}." if alert.kind == "checks_failed" else f"{text}. Good again at {alert.latest}."


def drifted(alert: Alert, known: Known) -> str:
    """Which features drifted in the newest window that says so, within the limit or not; "" where none does."""
    last = window_of(known.problem.cadence, alert.latest).start
    found = [each for each in known.evaluations if each.check == "data_drift" and each.judged]
    text = next((each.text for each in reversed(found) if each.window.start == last), "")
    return text if ":" in text else ""


def cost(known: Known) -> str:
    """The newest known error against the champion's own on its held-out rows, in the label's unit."""
    problem, found = known.problem, _last_error(known)
    if found is None:
        late = problem.label.lookahead_days
        later = f"Not known yet: labels come {late:g} days later."
        return later if late else "Not known: no window was judged by labels."
    metric, error, expected = problem.quality.metric, found.numbers["error"], found.numbers["held_out"]
    unit = f" {unit_of(problem)}".rstrip()
    values = [shown(error_of(metric, value)) for value in (error, expected)]
    more = error - expected
    text = f"{metric} {values[0]}" if more > 0 else f"none in {metric}: {values[0]}"
    text += f"{unit} in window {found.window.key}, against {values[1]}{unit} held out"
    if more > 0 and metric not in GREATER_IS_BETTER:
        text += f": +{shown(more)}{unit}" + (f" ({more / expected:+.1%})" if expected else "")
    if (harder := found.numbers.get("harder")) and abs(harder - 1) >= problem.quality.min_loss:
        text += f", on rows {harder:.2f} times as hard"
    rows = found.numbers.get("rows")
    return f"{text}, over {rows:,.0f} rows." if rows else f"{text}."


def done(known: Known) -> str:
    """What the retraining policy made of it."""
    problem = known.problem
    if flying := [each for each in known.trainings if each.state == "in_flight"]:
        return f"A training for {flying[-1].cutoff} is in flight (run {flying[-1].run[:8]})."
    judged: dict[Window, list[str]] = {}
    for each in known.evaluations:
        if each.check in problem.retraining.checks and each.judged:
            failed = judged.setdefault(each.window, [])
            failed += [] if each.passed else [each.check]
    cutoffs = [row.cutoff for row in known.ledger]
    last = window_of(problem.cadence, max(cutoffs)).start if cutoffs else None
    decision = decide(judged, last, problem.retraining, lookahead_days=problem.label.lookahead_days)
    said = "A retraining is due" if decision.retrain else "No retraining so far"
    if decision.retrain and problem.retraining.mode == "dry_run":
        said = "A retraining would be due, but the declared mode is a dry run"
    return f"{said}: {decision.reason} {production(known)}"


def production(known: Known) -> str:
    """Who is production."""
    holder = current(known.ledger)
    return f"Version {holder.version} stays in production." if holder else "No version is in production."


def evaluations_of(alert: Alert, known: Known) -> list[Evaluation]:
    """Those of the alert's checks since its first window."""
    if not alert.since:
        return []
    first = window_of(known.problem.cadence, alert.since).start
    return [each for each in known.evaluations if each.check in alert.checks and each.window.start >= first]


def unit_of(problem: Problem) -> str:
    """Unit of the watched metric; "" where it has none."""
    return problem.label.unit if problem.quality.metric in _IN_UNIT else ""


def _last_error(known: Known) -> Evaluation | None:
    judged = [each for each in known.evaluations if each.check == "model_quality"]
    return next((each for each in reversed(judged) if {"error", "held_out"} <= set(each.numbers)), None)
