"""The ledger: one row per change of production, and who was production when. Rows are only ever added."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

import dagster as dg
import sqlalchemy as sa
from pydantic import Field

from ml_assets.errors import NoProductionVersionError
from ml_assets.spec import Problem

Action = Literal["promoted", "rejected"]

_METADATA = sa.MetaData()
_ROWS = sa.Table(
    "ledger",
    _METADATA,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("at", sa.String, nullable=False, doc="Wall clock, UTC, ISO 8601."),
    sa.Column("problem", sa.String, nullable=False, index=True),
    sa.Column("action", sa.String, nullable=False),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("cutoff", sa.String, nullable=False, doc="Training cutoff: the first window it may score."),
    sa.Column("by", sa.String, nullable=False, doc="Dagster run that decided."),
    sa.Column("reason", sa.String, nullable=False),
    sa.Column("cause", sa.String, nullable=False, doc="Why it was trained."),
    sa.Column("model_location", sa.String, nullable=False, doc="Where the model's files lie."),
    sa.Column("model_sha256", sa.String, nullable=False, doc="Hash of the model as it was decided upon."),
    sa.Column("numbers", sa.String, nullable=False, doc="JSON object."),
)


@dataclass(frozen=True)
class LedgerRow:
    """One decision. `cutoff` is data time (which windows it may score), `at` is wall time."""

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


class Ledger(dg.ConfigurableResource):
    """A table in any SQLAlchemy database."""

    url: str = Field(description="SQLAlchemy URL, e.g. sqlite:///var/ledger.db.")

    def record(self, problem: Problem, row: LedgerRow) -> None:
        """Add one decision. The same version decided again (a run started anew) replaces nothing: it is skipped."""
        with self._begin() as connection:
            done = sa.select(_ROWS.c.id).where(_ROWS.c.problem == problem.name, _ROWS.c.version == row.version)
            if connection.execute(done).first() is None:
                connection.execute(
                    _ROWS.insert().values(
                        at=datetime.now(UTC).isoformat(timespec="seconds"),
                        problem=problem.name,
                        action=row.action,
                        version=row.version,
                        cutoff=row.cutoff,
                        by=row.by,
                        reason=row.reason,
                        cause=row.cause,
                        model_location=row.model_location,
                        model_sha256=row.model_sha256,
                        numbers=json.dumps(row.numbers, sort_keys=True),
                    )
                )

    def rows(self, problem: Problem) -> list[LedgerRow]:
        """All decisions, oldest first."""
        with self._begin() as connection:
            found = connection.execute(_ROWS.select().where(_ROWS.c.problem == problem.name).order_by(_ROWS.c.id))
            return [_row(dict(mapping)) for mapping in found.mappings()]

    def version(self, problem: Problem, version: int) -> LedgerRow:
        """The decision on a version.

        Raises:
            KeyError: It was never decided upon.
        """
        found = [row for row in self.rows(problem) if row.version == version]
        if not found:
            raise KeyError(f"{problem.name} version {version} is not in the ledger")
        return found[0]

    def production_as_of(self, problem: Problem, window: str, *, before_version: int | None = None) -> LedgerRow | None:
        """The version that was production for a window: the newest promoted one whose cutoff is not later.

        With `before_version`, only older versions count: what a challenger has to beat, also when it is decided again.
        """
        promoted = [row for row in self.rows(problem) if row.action == "promoted" and row.cutoff <= window]
        if before_version is not None:
            promoted = [row for row in promoted if row.version < before_version]
        return max(promoted, key=lambda row: (row.cutoff, row.version), default=None)

    def require_production(self, problem: Problem, window: str) -> LedgerRow:
        """Like `production_as_of`.

        Raises:
            NoProductionVersionError: There was none.
        """
        row = self.production_as_of(problem, window)
        if row is None:
            raise NoProductionVersionError(problem.name, window)
        return row

    @contextmanager
    def _begin(self) -> Iterator[sa.Connection]:
        url = sa.engine.make_url(self.url)
        if url.get_backend_name() == "sqlite" and url.database:
            Path(url.database).parent.mkdir(parents=True, exist_ok=True)
        engine = sa.create_engine(url, poolclass=sa.pool.NullPool)
        _METADATA.create_all(engine)
        with engine.begin() as connection:
            yield connection


def _row(stored: dict[str, Any]) -> LedgerRow:
    return LedgerRow(**{f.name: stored[f.name] for f in fields(LedgerRow)} | {"numbers": json.loads(stored["numbers"])})
