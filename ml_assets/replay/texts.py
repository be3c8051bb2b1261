"""The table of a replay in words, for the page, the terminal and the benchmarks alike."""

from ml_assets.ml.quality.metrics import shown
from ml_assets.replay.losses import Estimate
from ml_assets.replay.report import Outcome, Report

_LEAST = 5e-5

Cell = tuple[str, str]
"""A figure, and what is said below it."""


def headings(report: Report) -> list[str]:
    """Heads of the columns of `cells`."""
    other = next(each for each in report.outcomes if each.name == report.against)
    return [
        "policy",
        "retrained",
        "training",
        report.metric + (f" ({report.unit})" if report.unit else ""),
        f"against {other.title}",
        "alarms before a loss",
    ]


def cells(report: Report, outcome: Outcome) -> list[Cell]:
    """The row of one policy."""
    alarms = len(outcome.retrainings)
    return [
        (outcome.title, ""),
        (f"{alarms}", f"{outcome.promoted} promoted" if alarms else ""),
        (_time(outcome.seconds), ""),
        _estimate(outcome.value, signed=False),
        ("–", "") if outcome.name == report.against else _estimate(outcome.loss, signed=True),
        (f"{outcome.real_alarms} of {alarms}" if alarms else "–", _base(outcome)),
    ]


def _base(outcome: Outcome) -> str:
    return f"{outcome.real_moments} of {outcome.moments} moments" if outcome.moments else ""


def _estimate(found: Estimate | None, *, signed: bool) -> Cell:
    if found is None:
        return "–", ""
    say = signed_percent if signed else shown
    if found.low is None or found.high is None:
        return say(found.value), "too few days for an interval"
    return say(found.value), f"{say(found.low)} to {say(found.high)}"


def signed_percent(value: float) -> str:
    """E.g. "+0.28%"; what rounds to nothing has no sign."""
    return "0.00%" if abs(value) < _LEAST else f"{value:+.2%}"


def _time(seconds: float) -> str:
    if seconds < 60:
        return f"{seconds:.0f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s"
