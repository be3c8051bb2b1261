"""The outbox: one row per message and receiver, in the ledger's database, from being decided to being sent.

A row is there before anything is sent, and says `sent` only after the server took the message: killed in between,
the message goes out again, with the same Message-ID. The unique key of problem, cause and receiver makes it one
message, however many daemons decide upon it. Only its states are kept here; when to send is said by `timing`.
"""

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any, Literal

import sqlalchemy as sa

from ml_assets.alerts.content import Content
from ml_assets.ml.monitoring.alerting import Alert
from ml_assets.resources.ledger_table import ledger_url, transaction
from ml_assets.resources.locks import locked

State = Literal["noted", "queued", "sent", "given_up"]
NOBODY = ""
"""Receiver of the row by which the platform itself remembers what it found."""
_BEGAN = "alerts began"
_WAIT_S = 60.0

_METADATA = sa.MetaData()
ALERTS = sa.Table(
    "alerts",
    _METADATA,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("problem", sa.String, nullable=False),
    sa.Column("key", sa.String, nullable=False, doc="The cause."),
    sa.Column("receiver", sa.String, nullable=False, doc="mail:<address>, apprise:<variable>, '' for the memory."),
    sa.Column("alert", sa.String, nullable=False, doc="JSON: ml.alerting.Alert."),
    sa.Column("content", sa.String, nullable=False, doc="JSON: alerts.content.Content."),
    sa.Column("at", sa.String, nullable=False, doc="When it was found, UTC, ISO 8601, like all times here."),
    sa.Column("state", sa.String, nullable=False),
    sa.Column("attempts", sa.Integer, nullable=False, default=0),
    sa.Column("due", sa.String, nullable=False, doc="Not to be tried before."),
    sa.Column("sent_at", sa.String, nullable=False, default=""),
    sa.Column("trouble", sa.String, nullable=False, default="", doc="Why the last attempt failed."),
    sa.UniqueConstraint("problem", "key", "receiver", name="alerts_once"),
)


@dataclass(frozen=True)
class Letter:
    """A message to one receiver."""

    id: int
    problem: str
    key: str
    receiver: str
    content: Content
    at: datetime
    state: State
    attempts: int
    due: datetime
    sent_at: datetime | None
    trouble: str


class Outbox:
    """The queue of all problems."""

    def __init__(self, ledger_address: str) -> None:
        """Args: ledger_address: SQLAlchemy URL of the ledger's database."""
        self._url = ledger_url(ledger_address)

    @contextmanager
    def alone(self, problem: str, *, wait_s: float = 0.0) -> Iterator[None]:
        """Within it no other process decides upon, or sends, alerts of the problem. A killed holder frees it.

        Raises:
            LockTimeoutError: Another one is at it.
        """
        with locked(self._url, f"alerts.{problem}", wait_s=wait_s):
            yield

    def began(self, problem: str, now: datetime) -> datetime:
        """When alerts of the problem were first looked for: what was before is history. The first call says `now`."""
        self._add([_row(problem, _BEGAN, NOBODY, "{}", "{}", now, "noted")])
        with self._transaction("read") as connection:
            found = sa.select(ALERTS.c.at).where(ALERTS.c.problem == problem, ALERTS.c.key == _BEGAN)
            return datetime.fromisoformat(connection.execute(found).scalar_one())

    def told(self, problem: str) -> list[Alert]:
        """All that was found before, oldest first."""
        wanted = sa.select(ALERTS.c.alert).where(
            ALERTS.c.problem == problem, ALERTS.c.receiver == NOBODY, ALERTS.c.key != _BEGAN
        )
        with self._transaction("read") as connection:
            rows = connection.execute(wanted.order_by(ALERTS.c.id)).scalars().all()
        return [_alert(json.loads(row)) for row in rows]

    def put(self, problem: str, alert: Alert, content: Content, receivers: Sequence[str], now: datetime) -> None:
        """Note what was found, and queue it for its receivers: all at once. Found before, nothing changes."""
        about, said = json.dumps(asdict(alert), sort_keys=True), content.model_dump_json()
        rows = [_row(problem, alert.key, NOBODY, about, "{}", now, "noted")]
        rows += [_row(problem, alert.key, receiver, about, said, now, "queued") for receiver in receivers]
        self._add(rows)

    def queued(self, problem: str) -> list[Letter]:
        """Messages that are to be sent, oldest first."""
        return self._letters(ALERTS.c.problem == problem, ALERTS.c.state == "queued")

    def letters(self, problem: str) -> list[Letter]:
        """All messages, oldest first."""
        return self._letters(ALERTS.c.problem == problem, ALERTS.c.receiver != NOBODY)

    def sent_since(self, problem: str, receiver: str, since: datetime) -> list[datetime]:
        """When messages went out to a receiver."""
        wanted = sa.select(ALERTS.c.sent_at).where(
            ALERTS.c.problem == problem, ALERTS.c.receiver == receiver, ALERTS.c.sent_at >= _text(since)
        )
        with self._transaction("read") as connection:
            return [datetime.fromisoformat(text) for text in connection.execute(wanted).scalars()]

    def mark_sent(self, letter: Letter, now: datetime) -> None:
        """The server took it."""
        self._update(letter, state="sent", sent_at=_text(now), attempts=letter.attempts + 1, trouble="")

    def postpone(self, letter: Letter, due: datetime, trouble: str) -> None:
        """An attempt failed."""
        self._update(letter, due=_text(due), attempts=letter.attempts + 1, trouble=trouble)

    def give_up(self, letter: Letter, trouble: str) -> None:
        """No attempt will be made any more; the row stays."""
        self._update(letter, state="given_up", attempts=letter.attempts + 1, trouble=trouble)

    def _update(self, letter: Letter, **values: Any) -> None:
        with self._transaction("write") as connection:
            connection.execute(ALERTS.update().where(ALERTS.c.id == letter.id).values(**values))

    def _letters(self, *conditions: "sa.ColumnElement[bool]") -> list[Letter]:
        with self._transaction("read") as connection:
            found = connection.execute(ALERTS.select().where(*conditions).order_by(ALERTS.c.id))
            return [_letter(dict(row)) for row in found.mappings()]

    def _add(self, rows: Sequence[dict[str, Any]]) -> None:
        first = rows[0]
        is_there = sa.select(ALERTS.c.id).where(ALERTS.c.problem == first["problem"], ALERTS.c.key == first["key"])
        with self._transaction("read") as connection:
            if connection.execute(is_there.limit(1)).first() is not None:
                return
        try:
            with self._transaction("write") as connection:
                connection.execute(ALERTS.insert(), list(rows))
        except sa.exc.IntegrityError:
            return  # another process found the same, and wrote it first

    @contextmanager
    def _transaction(self, kind: Literal["read", "write"]) -> Iterator[sa.Connection]:
        with transaction(self._url, kind) as connection:
            there = sa.inspect(connection).has_table(ALERTS.name)
            if there:
                yield connection
                return
        with locked(self._url, "alerts.table", wait_s=_WAIT_S), transaction(self._url, "write") as connection:
            _METADATA.create_all(connection)  # makes nothing twice
        with transaction(self._url, kind) as connection:
            yield connection


def _row(
    problem: str, key: str, receiver: str, alert: str, content: str, now: datetime, state: State
) -> dict[str, Any]:
    about = {"problem": problem, "key": key, "receiver": receiver, "alert": alert, "content": content}
    return about | {"at": _text(now), "due": _text(now), "state": state}


def _letter(row: dict[str, Any]) -> Letter:
    return Letter(
        id=row["id"],
        problem=row["problem"],
        key=row["key"],
        receiver=row["receiver"],
        content=Content.model_validate_json(row["content"]),
        at=datetime.fromisoformat(row["at"]),
        state=row["state"],
        attempts=row["attempts"],
        due=datetime.fromisoformat(row["due"]),
        sent_at=datetime.fromisoformat(row["sent_at"]) if row["sent_at"] else None,
        trouble=row["trouble"],
    )


def _alert(stored: dict[str, Any]) -> Alert:
    return Alert(**stored | {"checks": tuple(stored["checks"])})


def _text(moment: datetime) -> str:
    """Always UTC and of one length, so that texts sort like times."""
    return moment.astimezone(UTC).isoformat(timespec="microseconds")
