"""The present state of a problem in one sentence, and in one word."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from ml_assets.ml.monitoring.overview.data import Overview, WindowFacts
from ml_assets.ml.promotion.decisions import Period
from ml_assets.ml.quality.metrics import error_of, shown

State = Literal["good", "watch", "bad", "none"]
_LONGEST = 70
"""Characters of a check's own words that the sentence has room for."""
WORDS: dict[State, str] = {"good": "all well", "watch": "to watch", "bad": "needs attention", "none": "nothing yet"}


@dataclass(frozen=True)
class Present:
    """Where a problem stands."""

    state: State
    sentence: str


def present(found: Overview) -> Present:
    """The state. Bad: a check that leads to retraining fails in the newest window that it could judge; to watch:
    another check does, or a training failed or is in flight."""
    reign = found.reigns[-1] if found.reigns else None
    if reign is None:
        return Present("none", f"No version is in production. {_trainings(found)}".strip())
    failing = list(_failing(found))
    watched = set(found.problem.retraining.checks) & {streak.check for streak in failing}
    lost = any(each.state == "failed" for each in found.trainings[-1:])
    state: State = "bad" if watched else "watch" if failing or lost or found.in_flight else "good"
    if not found.judged:
        state = "none"
    failures = f"Failing: {', '.join(map(str, failing))}." if failing else ""
    return Present(state, " ".join(filter(None, [_production(found, reign), failures, _trainings(found)])))


def _production(found: Overview, reign: Period) -> str:
    text = f"Version {reign.row.version} is in production since {reign.since}"
    newest = found.newest
    if newest is None:
        late = found.problem.label.lookahead_days
        why = f"labels come {late:g} days later" if late else "no window was judged by labels"
        return f"{text}; its error is not known yet: {why}."
    return f"{text}; {_error(found, newest)}."


def _error(found: Overview, window: WindowFacts) -> str:
    assert window.error is not None  # as `newest` has it
    unit = f" {found.unit}".rstrip()
    text = f"{found.metric} was {shown(window.error)}{unit} in window {window.key}"
    said: list[str] = []
    better = beyond = False
    if window.held_out is not None:
        better = error_of(found.metric, window.error) < error_of(found.metric, window.held_out)
        said.append(f"{_against(found, window.error, window.held_out)} the {shown(window.held_out)} on held-out rows")
    if window.limit is not None:
        beyond = error_of(found.metric, window.error) > error_of(found.metric, window.limit)
        said.append(f"{'beyond' if beyond else 'within'} its limit of {shown(window.limit)}")
    # Where rows are easier the limit may lie below the held-out error.
    return ", ".join([text, *([f" {'but' if better and beyond else 'and'} ".join(said)] if said else [])])


def _against(found: Overview, value: float, before: float) -> str:
    """An error in per cent of another one; a score, or an error against none, in its own unit."""
    if abs(value - before) < 0.005 * abs(before) or value == before:
        return "like"
    if not found.small_is_good or not before:
        return f"{shown(abs(value - before))} {'above' if value > before else 'below'}"
    return f"{abs(value / before - 1):.0%} {'worse' if value > before else 'better'} than"


@dataclass(frozen=True)
class _Streak:
    """A check that failed in the newest windows that it could judge: oldest of them first, its newest words."""

    check: str
    windows: list[str]
    text: str

    def __str__(self) -> str:
        first, count = self.windows[0], len(self.windows)
        said = f"{self.check} since {first} ({count} windows" if count > 1 else f"{self.check} in {first} ("
        text = self.text.rstrip(".") if len(self.text) <= _LONGEST else ""
        return f"{said}{'; ' if count > 1 and text else ''}{text})".replace(" ()", "")


def _failing(found: Overview) -> Iterator[_Streak]:
    for check in found.checks:
        verdicts = [(window.key, mark) for window in found.judged for mark in window.marks if mark.check == check]
        judged = [(key, mark) for key, mark in verdicts if mark.passed is not None]
        good = max((place for place, (_, mark) in enumerate(judged) if mark.passed), default=-1)
        if bad := judged[good + 1 :]:
            yield _Streak(check, [key for key, _ in bad], bad[-1][1].text)


def _trainings(found: Overview) -> str:
    if found.in_flight:
        return f"A training for {found.in_flight[-1].cutoff} is in flight."
    last = found.trainings[-1] if found.trainings else None
    return f"The training for {last.cutoff} failed." if last and last.state == "failed" else ""
