"""Which code location starts the next training: the first to claim it, in the ledger's database.

Two locations that hold the same problem have a sensor each, and Dagster's run keys are kept apart by location. A claim
is written before a run is asked for, so two sensors that look at the same moment do not both start one. The same
location may claim again: it may have been killed before its run was there.
"""

from datetime import UTC, datetime, timedelta

import sqlalchemy as sa

from ml_assets.resources.ledger_table import ledger_url, transaction

EXPIRES = timedelta(hours=25)
"""Dagster resumes an interrupted tick, with the run that it asked for, for 24 hours; after that the claim is free."""

_METADATA = sa.MetaData()
CLAIMS = sa.Table(
    "retraining_claims",
    _METADATA,
    sa.Column("problem", sa.String, primary_key=True),
    sa.Column("after", sa.String, primary_key=True, doc="Run of the training before the one that is claimed."),
    sa.Column("location", sa.String, nullable=False),
    sa.Column("at", sa.String, nullable=False, doc="When it was last claimed, UTC, ISO 8601."),
)


def claim(ledger_address: str, problem: str, after: str, location: str, now: datetime) -> str:
    """Claim the next training for a code location.

    Args:
        ledger_address: SQLAlchemy URL of the ledger's database.
        problem: Whose training.
        after: Run of the training before it. All see the same one, however much their policies differ.
        location: Who asks.
        now: The clock.

    Returns:
        The location that holds it: the one that asks, or another that came first.

    Raises:
        LedgerUnavailableError: The database does not answer.
    """
    where = (CLAIMS.c.problem == problem) & (CLAIMS.c.after == after)
    values = {"location": location, "at": now.astimezone(UTC).isoformat()}
    try:
        with transaction(ledger_url(ledger_address), "write") as connection:
            CLAIMS.create(connection, checkfirst=True)
            found = connection.execute(CLAIMS.select().where(where).with_for_update()).mappings().first()
            if found is None:
                connection.execute(CLAIMS.insert().values(problem=problem, after=after, **values))
            elif found["location"] == location or now - datetime.fromisoformat(found["at"]) > EXPIRES:
                connection.execute(CLAIMS.update().where(where).values(**values))
            else:
                return str(found["location"])
    except (sa.exc.IntegrityError, sa.exc.ProgrammingError):  # another one made the table or the row just now
        return "another code location"
    return location
