"""What the ledger's rows mean: who was production for which window, and which stage each version is in.

Two times are kept apart. A row's `since` is data time: the first window that its version scores. Its `at` is wall
time: when it was written. A past window's scorer follows from `since` alone, so a history that is replayed in an
hour gives the same answers as one that was lived through. Storing rows is the business of `resources/ledger.py`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

Action = Literal["promoted", "rejected", "rolled_back"]
Stage = Literal["staging", "production", "archived"]


@dataclass(frozen=True)
class LedgerRow:
    """One decision.

    Attributes:
        action: What was decided. A rollback is an action of its own, a promotion by hand is told by its `user`.
        version: The registered version that it is about.
        cutoff: Training cutoff of the version: the first window that it may score.
        by: Dagster run, or command, that decided.
        reason: One sentence.
        cause: Why the version was trained.
        model_location, model_sha256: Where its files lie, and their hash as it was decided upon.
        numbers: What the decision rests on.
        at: Wall clock, UTC, ISO 8601.
        since: First window that the version scores by this decision; "" for the cutoff.
        user: Who decided by hand; "" for the gate.
        sequence: Number of the row among those of its problem, from 1, without a gap.
    """

    action: Action
    version: int
    cutoff: str
    by: str
    reason: str
    cause: str
    model_location: str
    model_sha256: str
    numbers: dict[str, Any]
    at: str = ""
    since: str = ""
    user: str = ""
    sequence: int = 0

    @property
    def changes_production(self) -> bool:
        """Whether it makes its version the one in production, from `first_window` on."""
        return self.action != "rejected"

    @property
    def first_window(self) -> str:
        """First window that the version scores by this decision."""
        return self.since or self.cutoff

    @property
    def by_hand(self) -> bool:
        """Whether a person decided, not the gate."""
        return bool(self.user)


@dataclass(frozen=True)
class Period:
    """Windows in a row that are one decision's: [since, until), `until` None for the latest."""

    since: str
    until: str | None
    row: LedgerRow


def production(rows: Sequence[LedgerRow], window: str, *, known_by: str | None = None) -> LedgerRow | None:
    """The decision by which a version scores a window: the one that holds since the latest window up to this one.

    Of decisions that hold since the same window the last one written counts.

    Args:
        rows: Of one problem, oldest first.
        window: Key of a window.
        known_by: Only rows written until then (UTC, ISO 8601) count: what one would have answered at that time.
    """
    until = [row for row in rows if row.changes_production and row.first_window <= window]
    if known_by is not None:
        until = [row for row in until if row.at <= known_by]
    return max(until, key=_order, default=None)


def current(rows: Sequence[LedgerRow]) -> LedgerRow | None:
    """The decision that holds for windows to come: what `production` answers of the farthest future."""
    return max((row for row in rows if row.changes_production), key=_order, default=None)


def periods(rows: Sequence[LedgerRow]) -> list[Period]:
    """All windows divided among the decisions that they are scored by, oldest first."""
    starts = sorted({row.first_window for row in rows if row.changes_production})
    holders = [production(rows, start) for start in starts]
    ends: list[str | None] = [*starts[1:], None] if starts else []
    return [Period(start, end, row) for start, end, row in zip(starts, ends, holders, strict=True) if row is not None]


def stages(rows: Sequence[LedgerRow]) -> dict[int, Stage]:
    """Version -> stage, of every version that was decided upon: one is production, all others are archived."""
    champion = current(rows)
    return {row.version: "production" if champion and row.version == champion.version else "archived" for row in rows}


def archived_last(rows: Sequence[LedgerRow]) -> int | None:
    """The version that the last decision put aside: the rejected one, or the former champion."""
    champion: LedgerRow | None = None
    archived = None
    for row in rows:
        former, champion = champion, current([row] if champion is None else [champion, row])
        if champion is None or champion.version != row.version:
            archived = row.version
        elif former is not None and former.version != champion.version:
            archived = former.version
    return archived


def former_production(rows: Sequence[LedgerRow]) -> LedgerRow | None:
    """What was production before the present version first was: where a rollback goes when no version is named."""
    champion = current(rows)
    first = next(
        (place for place, row in enumerate(rows) if champion and row.changes_production and _same(row, champion)), 0
    )
    return current(rows[:first])


def _same(one: LedgerRow, other: LedgerRow) -> bool:
    return one.version == other.version


def _order(row: LedgerRow) -> tuple[str, int]:
    return row.first_window, row.sequence
