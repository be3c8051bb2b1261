"""The ledger: one row per decision, and who was production when. Rows are only ever added.

It is the one truth about production; MLflow's aliases follow it. A change of production is the insertion of one row,
so there is no moment without, or with two, production versions.
"""

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import fields, replace
from datetime import UTC, datetime
from typing import Any

import dagster as dg
import sqlalchemy as sa
from pydantic import Field

from ml_assets.errors import NoProductionVersionError, PromotionConflictError
from ml_assets.ml.promotion.decisions import Action, LedgerRow, current, production
from ml_assets.resources.ledger_table import ROWS, ledger_url, transaction
from ml_assets.resources.locks import locked
from ml_assets.spec import Problem

__all__ = ["Action", "Ledger", "LedgerRow"]

_WAIT_S = 60.0
_TRIES = 100
"""So often an insertion is tried again because another came first; far more than there are writers."""


class Ledger(dg.ConfigurableResource):
    """A table in any SQLAlchemy database."""

    url: str = Field(description="SQLAlchemy URL, e.g. sqlite:///var/ledger.db.")

    def rows(self, problem: Problem) -> list[LedgerRow]:
        """All decisions, oldest first.

        Raises:
            LedgerUnavailableError: The database does not answer.
        """
        with transaction(ledger_url(self.url), "read") as connection:
            return _read(connection, problem)

    def version(self, problem: Problem, version: int) -> LedgerRow:
        """The gate's decision on a version.

        Raises:
            KeyError: It was never decided upon.
        """
        found = [row for row in self.rows(problem) if row.version == version]
        if not found:
            raise KeyError(f"{problem.name} version {version} is not in the ledger")
        return found[0]

    def production_as_of(self, problem: Problem, window: str, *, before: int | None = None) -> LedgerRow | None:
        """The version that was production for a window (`ml.promotion.decisions.production`).

        With `before`, a sequence number, only rows before that one count: what a challenger had to beat when it was
        decided upon.
        """
        rows = self.rows(problem)
        return production([row for row in rows if before is None or row.sequence < before], window)

    def require_production(self, problem: Problem, window: str) -> LedgerRow:
        """Like `production_as_of`.

        Raises:
            NoProductionVersionError: There was none.
        """
        row = self.production_as_of(problem, window)
        if row is None:
            raise NoProductionVersionError(problem.name, window)
        return row

    def champion(self, problem: Problem, cutoff: str, version: int) -> LedgerRow | None:
        """What a challenger has to beat; decided again, it meets the one that it met the first time."""
        gate = [row for row in self.rows(problem) if row.version == version and not row.by_hand]
        return self.production_as_of(problem, cutoff, before=gate[0].sequence if gate else None)

    def record(self, problem: Problem, row: LedgerRow, *, against: LedgerRow | None = None) -> LedgerRow:
        """Add the gate's decision. The same version decided again (a run started anew) adds nothing.

        Args:
            problem: Whose version it is.
            row: The decision.
            against: The champion that it was compared with; None where there was none.

        Returns:
            The decision that holds: the row with its time and number, or the former one on this version.

        Raises:
            PromotionConflictError: Another version became production for the cutoff since the comparison.
        """

        def decide(rows: Sequence[LedgerRow]) -> LedgerRow | None:
            if any(former.version == row.version and not former.by_hand for former in rows):
                return None
            _require(problem, row, against, production(rows, row.cutoff))
            return row

        return self.append(problem, decide) or self.version(problem, row.version)

    def change(
        self, problem: Problem, expected: LedgerRow | None, choose: Callable[[Sequence[LedgerRow]], LedgerRow]
    ) -> LedgerRow:
        """Change production by hand, in one step; who scores a window that is scored already stays the same.

        Args:
            problem: Whose production changes.
            expected: The decision that held when this one was taken.
            choose: From all rows to the new one.

        Raises:
            PromotionConflictError: Another decision came first.
        """

        def decide(rows: Sequence[LedgerRow]) -> LedgerRow:
            row = choose(rows)
            _require(problem, row, expected, current(rows))
            return row

        added = self.append(problem, decide)
        assert added is not None  # `decide` always has one
        return added

    def append(self, problem: Problem, decide: Callable[[Sequence[LedgerRow]], LedgerRow | None]) -> LedgerRow | None:
        """Add the row that follows from all rows before it, or none; what it follows from cannot change meanwhile.

        SQLite lets one writer in at a time. PostgreSQL lets all in, but of two rows with the same number only one:
        the other one's writer looks again.
        """
        for _ in range(_TRIES):
            try:
                with transaction(ledger_url(self.url), "write") as connection:
                    rows = _read(connection, problem)
                    row = decide(rows)
                    if row is None:
                        return None
                    now = datetime.now(UTC).isoformat(timespec="seconds")
                    number = rows[-1].sequence + 1 if rows else 1
                    row = replace(row, at=now, sequence=number)
                    connection.execute(ROWS.insert().values(problem=problem.name, **_stored(row)))
                return row
            except sa.exc.IntegrityError:
                continue
        raise RuntimeError(f"{_TRIES} rows of '{problem.name}' came first one after the other")

    @contextmanager
    def steady(self, problem: Problem) -> Iterator[None]:
        """Within it production is not changed by hand: to write a window's scores, or to change it."""
        with locked(ledger_url(self.url), f"production.{problem.name}", wait_s=_WAIT_S):
            yield


def _require(problem: Problem, row: LedgerRow, expected: LedgerRow | None, found: LedgerRow | None) -> None:
    if not row.changes_production:
        return
    if (found.sequence if found else None) != (expected.sequence if expected else None):
        versions = [each.version if each else None for each in (expected, found)]
        raise PromotionConflictError(problem.name, row.version, *versions)


def _read(connection: sa.Connection, problem: Problem) -> list[LedgerRow]:
    found = connection.execute(ROWS.select().where(ROWS.c.problem == problem.name).order_by(ROWS.c.sequence))
    return [_row(dict(mapping)) for mapping in found.mappings()]


def _row(stored: dict[str, Any]) -> LedgerRow:
    return LedgerRow(**{f.name: stored[f.name] for f in fields(LedgerRow)} | {"numbers": json.loads(stored["numbers"])})


def _stored(row: LedgerRow) -> dict[str, Any]:
    values = {f.name: getattr(row, f.name) for f in fields(LedgerRow)}
    return values | {"numbers": json.dumps(row.numbers, sort_keys=True)}
