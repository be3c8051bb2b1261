"""The policies that a replay compares: when each of them would have retrained. They only decide."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from ml_assets.errors import UnknownPolicyError
from ml_assets.ml.monitoring.report import DriftResult
from ml_assets.ml.monitoring.retraining import decide
from ml_assets.ml.monitoring.window_checks import CheckVerdict
from ml_assets.ml.windows import Window, windows_over
from ml_assets.spec import Problem

DEFAULT = ("never", "every", "every:4", "any-drift", "declared")
EVERY, DECLARED = "every", "declared"
EVIDENTLYS_THRESHOLD = 0.1
"""Distance at which a column has drifted by Evidently's defaults."""


@dataclass(frozen=True)
class Situation:
    """What is known when a training for a cutoff may be asked for.

    Attributes:
        latest: The newest scored window; the cutoff is the window after it.
        last_cutoff: Cutoff of the latest training, promoted or not.
        verdicts: Window -> its verdicts as of now, for the windows since the latest training.
        drift: What was measured of the latest window; None where it has no rows.
    """

    latest: Window
    last_cutoff: Window
    verdicts: Callable[[], Mapping[Window, Sequence[CheckVerdict]]]
    drift: Callable[[], DriftResult | None]


@dataclass(frozen=True)
class Policy:
    """A policy.

    Attributes:
        name: As it is asked for.
        title: For tables and pictures.
        decide: Why to retrain; "" for not to.
    """

    name: str
    title: str
    decide: Callable[[Situation], str]


def policy_named(name: str, problem: Problem) -> Policy:
    """The policy of a name; see `DEFAULT`.

    Raises:
        UnknownPolicyError: There is none.
    """
    if name == "never":
        return Policy(name, "never", lambda _: "")
    if match := re.fullmatch(rf"{EVERY}(?::([1-9]\d*))?", name):
        windows = int(match[1] or 1)
        title = "every window" if windows == 1 else f"every {windows} windows"
        return Policy(name, title, lambda situation: _by_calendar(situation, windows))
    if name == "any-drift":
        return Policy(name, "any drift", _any_drift)
    if name == DECLARED:
        return Policy(name, "as declared", lambda situation: _as_declared(situation, problem))
    raise UnknownPolicyError(name)


def _by_calendar(situation: Situation, windows: int) -> str:
    latest, last = situation.latest, situation.last_cutoff
    passed = len(windows_over(latest.cadence, last.start, latest.end))
    return "by the calendar" if passed >= windows else ""


def _any_drift(situation: Situation) -> str:
    result = situation.drift()
    columns = result.columns if result else ()
    drifted = [c.column for c in columns if c.distance is not None and c.distance >= EVIDENTLYS_THRESHOLD]
    return f"drifted: {', '.join(drifted)}" if drifted else ""


def _as_declared(situation: Situation, problem: Problem) -> str:
    judged: dict[Window, list[str]] = {}
    for window, verdicts in situation.verdicts().items():
        for verdict in verdicts:
            if verdict.judged and verdict.check in problem.retraining.checks:
                judged.setdefault(window, []).extend([] if verdict.passed else [verdict.check])
    last, late = situation.last_cutoff.start, problem.label.lookahead_days
    decision = decide(judged, last, problem.retraining, scored=situation.latest, lookahead_days=late)
    return decision.reason if decision.retrain else ""
