"""Production changed by hand: promote, roll back. One way for the commands and for Dagster's jobs.

A change holds from the next window that will be scored. So predictions follow at once, and what was scored already
stays what it was: asked again, the ledger gives the same answer. "Next" is told by the stored predictions, not by
the clock: in a history that is replayed, the clock says nothing of windows.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from ml_assets.errors import (
    AlreadyProductionError,
    DecisionTextError,
    NeverProductionError,
    NoFormerVersionError,
    OtherTaskError,
    PromotionConflictError,
    UnknownVersionError,
)
from ml_assets.ml.promotion.decisions import LedgerRow, current, former_production
from ml_assets.ml.windows import window_of
from ml_assets.resources.lake import Lake
from ml_assets.resources.ledger import Ledger
from ml_assets.resources.registry import Registry
from ml_assets.spec import Problem

AGAINST_GATE = "against_gate"
"""In a row's numbers: what the gate had said of a version that was promoted by hand nevertheless."""

_LONGEST = {"reason": 500, "user": 100}


@dataclass(frozen=True)
class Decider:
    """Who decides, and why.

    Attributes:
        user: Name of a person.
        reason: One line.
        by: Command, or Dagster run.

    Raises:
        DecisionTextError: A text is empty, too long, or of several lines.
    """

    user: str
    reason: str
    by: str

    def __post_init__(self) -> None:
        for what, most in _LONGEST.items():
            text = getattr(self, what)
            if not text.strip():
                raise DecisionTextError(what, "is empty", most)
            if len(text) > most or not text.isprintable():
                raise DecisionTextError(what, "is too long" if len(text) > most else "has unprintable characters", most)


@dataclass(frozen=True)
class Change:
    """A change of production that was made.

    Attributes:
        row: The new row of the ledger.
        former: The decision that held before; None where there was no production.
        followed: What was changed in MLflow.
    """

    row: LedgerRow
    former: LedgerRow | None
    followed: Sequence[str]

    def __str__(self) -> str:
        """One sentence."""
        former = f" after version {self.former.version}" if self.former else ""
        done = "rolled back to" if self.row.action == "rolled_back" else "promoted"
        against = f" It was promoted against the gate: {gate}." if (gate := self.row.numbers.get(AGAINST_GATE)) else ""
        return f"{done} version {self.row.version}{former}: it scores from window {self.row.first_window} on.{against}"


@dataclass(frozen=True)
class Production:
    """Who is production of a problem, to be changed."""

    problem: Problem
    lake: Lake
    ledger: Ledger
    registry: Registry

    def promote(self, version: int, decider: Decider, *, expect: int | None = None) -> Change:
        """Make a version production, whatever the gate said of it; that it was against the gate is recorded.

        Args:
            version: One that the gate decided upon.
            decider: Who, and why.
            expect: The version that must be production now, where that matters.

        Raises:
            UnknownVersionError, AlreadyProductionError, AlteredModelError, OtherTaskError: It cannot be promoted.
            PromotionConflictError: Another change came first, or another version than expected is production.
        """

        def choose(rows: Sequence[LedgerRow]) -> LedgerRow:
            gate = self._decided(rows, version)
            against = {AGAINST_GATE: gate.reason} if gate.action == "rejected" else {}
            return replace(self._row(gate, rows, decider), action="promoted", numbers={**gate.numbers, **against})

        return self._change(choose, expect)

    def rollback(self, version: int | None, decider: Decider, *, expect: int | None = None) -> Change:
        """Return to a version that was production before; by default the one before the present.

        Raises:
            NoFormerVersionError, NeverProductionError, UnknownVersionError: There is none to return to.
            AlreadyProductionError, AlteredModelError, OtherTaskError, PromotionConflictError: As in `promote`.
        """

        def choose(rows: Sequence[LedgerRow]) -> LedgerRow:
            target = version
            if target is None:
                former = former_production(rows)
                if former is None:
                    raise NoFormerVersionError(self.problem.name)
                target = former.version
            gate = self._decided(rows, target)
            former_ones = {row.version for row in rows if row.changes_production}
            if target not in former_ones:
                raise NeverProductionError(self.problem.name, target, former_ones - {_version(current(rows))})
            return replace(self._row(gate, rows, decider), action="rolled_back", numbers=gate.numbers)

        return self._change(choose, expect)

    def _change(self, choose: Callable[[Sequence[LedgerRow]], LedgerRow], expect: int | None) -> Change:
        rows = self.ledger.rows(self.problem)
        former, chosen = current(rows), choose(rows)
        if expect is not None and _version(former) != expect:
            raise PromotionConflictError(self.problem.name, chosen.version, expect, _version(former))
        self._require_sound(chosen)
        with self.ledger.steady(self.problem):
            row = self.ledger.change(self.problem, former, choose)
        return Change(row, former, self.registry.follow(self.problem, self.ledger))

    def _decided(self, rows: Sequence[LedgerRow], version: int) -> LedgerRow:
        gate = next((row for row in rows if row.version == version), None)
        if gate is None:
            raise UnknownVersionError(self.problem.name, version, {row.version for row in rows})
        if version == _version(current(rows)):
            raise AlreadyProductionError(self.problem.name, version)
        return gate

    def _row(self, gate: LedgerRow, rows: Sequence[LedgerRow], decider: Decider) -> LedgerRow:
        """The new row: it holds from the next window to be scored, and not before what holds now."""
        champion = current(rows)
        since = max(next_window(self.problem, self.lake), gate.cutoff, champion.first_window if champion else "")
        return replace(gate, since=since, by=decider.by, user=decider.user.strip(), reason=decider.reason.strip())

    def _require_sound(self, row: LedgerRow) -> None:
        """A version that cannot be loaded, or that predicts something else, would stop all scoring."""
        model = self.registry.load(self.problem, row)
        if (model.task, model.label) != (self.problem.task, self.problem.label.name):
            raise OtherTaskError(self.problem.name, row.version, model.label, model.task)


def next_window(problem: Problem, lake: Lake) -> str:
    """Key of the window after the newest scored one; "" where none is scored."""
    scored = [file.stem for file in lake.stage(problem, "predictions", "any").parent.glob("*.parquet")]
    return window_of(problem.cadence, max(scored)).shift(1).key if scored else ""


def _version(row: LedgerRow | None) -> int | None:
    return row.version if row else None
