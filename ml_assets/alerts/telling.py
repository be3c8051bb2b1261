"""From an alert to its content: what drifted, since when, what it costs, what was done, and where to look."""

from collections.abc import Iterator, Sequence
from urllib.parse import quote, unquote

from ml_assets.alerts.content import Content, Finding, Point
from ml_assets.alerts.reading import Known
from ml_assets.alerts.sentences import cost, done, drifted, evaluations_of, production, since, unit_of
from ml_assets.automation.evaluations import Evaluation
from ml_assets.ml.monitoring.alerting import Alert
from ml_assets.ml.promotion.decisions import LedgerRow
from ml_assets.ml.quality.metrics import error_of
from ml_assets.ml.windows import window_of

_POINTS = 26
"""Windows in the picture: half a year of weeks."""
_FINDINGS = 8


def content_of(alert: Alert, known: Known) -> Content:
    """What there is to say."""
    problem = known.problem
    findings = _findings(alert, known)
    return Content(
        problem=problem.name,
        kind=alert.kind,
        incident=alert.incident,
        headline=_headline(alert, known),
        facts=tuple(_facts(alert, known)),
        findings=tuple(
            Finding(window=each.window.key, check=each.check, text=each.text, passed=each.passed)
            for each in findings[-_FINDINGS:]
        ),
        links=tuple(_links(alert, known, findings)),
        points=_points(known),
        metric=problem.quality.metric,
        unit=unit_of(problem),
        max_drifted_share=problem.drift.max_drifted_share,
        report=_report(alert, known),
    )


def _headline(alert: Alert, known: Known) -> str:
    names = ", ".join(alert.checks)
    if alert.kind == "checks_failed":
        spread = "" if alert.key.endswith("checks failed") else " now, too"
        return f"{names} failed{spread}, since {alert.since}"
    if alert.kind == "recovered":
        return f"recovered: {names} good again at {alert.latest}"
    if alert.kind == "retraining_started":
        return f"training for {alert.cutoff} started"
    if alert.kind == "retraining_failed":
        return f"training for {alert.cutoff} failed"
    row = _row(alert, known)
    if not row.changes_production:
        return f"version {row.version}, trained for {row.cutoff}, rejected"
    what = {"promoted": "promoted", "rolled_back": "production again"}[row.action]
    return f"version {row.version} {what}{f' by {row.user}' if row.by_hand else ''}, from {row.first_window} on"


def _facts(alert: Alert, known: Known) -> Iterator[tuple[str, str]]:
    if alert.incident:
        yield "Since", since(alert, known)
        if text := drifted(alert, known):
            yield "Drifted", text
        yield "Cost", cost(known)
        yield "Done", done(known)
    elif alert.sequence:
        row = _row(alert, known)
        yield "Decision", row.reason
        yield "Trained because", row.cause
        if not row.changes_production:
            yield "Done", production(known)
    else:
        training = next(each for each in known.trainings if each.cutoff == alert.cutoff)
        yield "Started because", training.cause or "started by hand"
        if alert.kind == "retraining_failed":
            yield "Done", f"{production(known)} Its run says why it failed."
            yield "Cost", cost(known)


def _findings(alert: Alert, known: Known) -> list[Evaluation]:
    """All that failed since an incident began, of whatever check; of a recovery what is good again."""
    if not alert.incident:
        return []
    if alert.kind == "recovered":
        return [each for each in evaluations_of(alert, known) if each.judged and each.window.key == alert.latest]
    first, watched = window_of(known.problem.cadence, alert.since).start, known.problem.alerts.checks
    return [e for e in known.evaluations if not e.passed and e.check in watched and e.window.start >= first]


def _links(alert: Alert, known: Known, findings: Sequence[Evaluation]) -> Iterator[tuple[str, str]]:
    problem, base = known.problem, known.dagster_url.rstrip("/")
    yield "Overview", f"{known.reports_url.rstrip('/')}/{quote(problem.name)}/index.html"
    if address := _report_address(alert, known):
        yield "Drift report", address
    if alert.incident:
        stage = "quality" if alert.checks == ("model_quality",) else "drift_report"
        yield "Checks", f"{base}/assets/{problem.name}/{stage}?view=checks"
        if findings:
            yield "Run that judged", f"{base}/runs/{quote(findings[-1].run)}"
    training = next((each for each in known.trainings if each.cutoff == alert.cutoff), None) if alert.cutoff else None
    if training:
        yield "Training run", f"{base}/runs/{quote(training.run)}"
    if alert.sequence:
        yield "Version", f"{base}/assets/{problem.name}/registered_version?partition={quote(alert.cutoff)}"


def _report_address(alert: Alert, known: Known) -> str:
    """The drift report of the newest window that the incident is about and that has one; "" where none has."""
    if not alert.incident:
        return ""
    first, last = (window_of(known.problem.cadence, key).start for key in (alert.since, alert.latest))
    reports = [each.report for each in known.evaluations if each.report and first <= each.window.start <= last]
    return reports[-1] if reports else ""


def _report(alert: Alert, known: Known) -> str:
    """The same as a file below the reports' folder; "" where it lies elsewhere."""
    root, address = f"{known.reports_url.rstrip('/')}/", _report_address(alert, known)
    return unquote(address.removeprefix(root)) if address.startswith(root) else ""


def _points(known: Known) -> tuple[Point, ...]:
    problem, watched = known.problem, known.problem.alerts.checks
    windows = sorted({each.window for each in known.evaluations})[-_POINTS:]
    metric, points = problem.quality.metric, []
    for window in windows:
        here = {each.check: each for each in known.evaluations if each.window == window}
        quality = here["model_quality"].numbers if "model_quality" in here else {}
        share = here["data_drift"].numbers.get("drifted_share") if "data_drift" in here else None
        bad = any(not here[check].passed for check in watched if check in here)
        error, expected = (_value(metric, quality.get(name)) for name in ("error", "held_out"))
        points.append(Point(window=window.key, error=error, held_out=expected, drifted_share=share, bad=bad))
    return tuple(points)


def _value(metric: str, error: float | None) -> float | None:
    return None if error is None else error_of(metric, error)


def _row(alert: Alert, known: Known) -> LedgerRow:
    return next(row for row in known.ledger if row.sequence == alert.sequence)
