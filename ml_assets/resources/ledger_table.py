"""The ledger's table: its columns, its database, and how a table of a former release is brought up to date.

What the rows mean is the business of `ml/promotion/decisions.py`, who may add which one that of `ledger.py`.
"""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, Literal

import sqlalchemy as sa

from ml_assets.errors import LedgerUnavailableError
from ml_assets.resources.locks import locked

_METADATA = sa.MetaData()
ROWS = sa.Table(
    "ledger",
    _METADATA,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("at", sa.String, nullable=False, doc="Wall clock, UTC, ISO 8601."),
    sa.Column("problem", sa.String, nullable=False, index=True),
    sa.Column("action", sa.String, nullable=False),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("cutoff", sa.String, nullable=False, doc="Training cutoff: the first window it may score."),
    sa.Column("by", sa.String, nullable=False, doc="Dagster run or command that decided."),
    sa.Column("reason", sa.String, nullable=False),
    sa.Column("cause", sa.String, nullable=False, doc="Why it was trained."),
    sa.Column("model_location", sa.String, nullable=False, doc="Where the model's files lie."),
    sa.Column("model_sha256", sa.String, nullable=False, doc="Hash of the model as it was decided upon."),
    sa.Column("numbers", sa.String, nullable=False, doc="JSON object."),
    sa.Column("since", sa.String, nullable=False, server_default="", doc="First window it scores; '' for the cutoff."),
    sa.Column("user", sa.String, nullable=False, server_default="", doc="Who decided by hand; '' for the gate."),
    sa.Column("sequence", sa.Integer, nullable=False, server_default="0", doc="Number within the problem, from 1."),
)
# Two decisions that were taken on the same state ask for the same number: the database lets one of them in.
_ONE_EACH = sa.Index("ledger_sequence", ROWS.c.problem, ROWS.c.sequence, unique=True)
_FIND_INDEX = {
    "sqlite": "SELECT 1 FROM sqlite_master WHERE type = 'index' AND name = :name",
    "postgresql": "SELECT to_regclass(:name)",
}
_WAIT_S = 60.0


def ledger_url(text: str) -> sa.URL:
    """The address of the ledger's database.

    Raises:
        LedgerUnavailableError: It is none.
    """
    try:
        url = sa.engine.make_url(text)
        url.get_dialect()
    except (sa.exc.ArgumentError, sa.exc.NoSuchModuleError, ValueError):
        raise LedgerUnavailableError("its address is no SQLAlchemy URL") from None
    return url


@contextmanager
def transaction(url: sa.URL, kind: Literal["read", "write"]) -> Iterator[sa.Connection]:
    """One transaction on an up-to-date table, committed at the end.

    Raises:
        LedgerUnavailableError: The database does not answer.
    """
    engine = _engine(url, write=kind == "write")
    try:
        with ExitStack() as stack:
            connection = stack.enter_context(engine.begin())
            if not _up_to_date(connection):
                stack.close()
                _prepare(url)
                connection = stack.enter_context(engine.begin())
            yield connection
    except sa.exc.OperationalError as error:
        # Its text may hold host and user; the chain is cut, since Dagster logs it.
        raise LedgerUnavailableError(f"its {url.get_backend_name()} database fails ({_kind(error)})") from None


def _engine(url: sa.URL, *, write: bool) -> sa.Engine:
    if url.get_backend_name() != "sqlite":
        return sa.create_engine(url, poolclass=sa.pool.NullPool)
    if url.database:
        Path(url.database).parent.mkdir(parents=True, exist_ok=True)
    engine = sa.create_engine(url, poolclass=sa.pool.NullPool, connect_args={"timeout": _WAIT_S})
    begin = "BEGIN IMMEDIATE" if write else "BEGIN"

    # Python's driver begins transactions late and as readers: two that then want to write would fail, not wait.
    @sa.event.listens_for(engine, "connect")
    def _no_hidden_begin(connection: Any, _: Any) -> None:
        connection.isolation_level = None

    @sa.event.listens_for(engine, "begin")
    def _begin(connection: sa.Connection) -> None:
        connection.exec_driver_sql(begin)

    return engine


def _up_to_date(connection: sa.Connection) -> bool:
    """Whether the table is there with all that was added to it: the index came last."""
    # Asked before each transaction, so by one short statement; SQLAlchemy's inspection takes several long ones.
    if (find := _FIND_INDEX.get(connection.dialect.name)) is not None:
        return connection.execute(sa.text(find), {"name": _ONE_EACH.name}).scalar() is not None
    try:
        indexes = sa.inspect(connection).get_indexes(ROWS.name)
    except sa.exc.NoSuchTableError:
        return False
    return any(index["name"] == _ONE_EACH.name for index in indexes)


def _prepare(url: sa.URL) -> None:
    """Make the table, or add what it lacks: all or nothing, and by one process at a time."""
    engine = _engine(url, write=True)
    with locked(url, "ledger.table", wait_s=_WAIT_S), engine.begin() as connection:
        if _up_to_date(connection):
            return
        if not sa.inspect(connection).has_table(ROWS.name):
            ROWS.create(connection)
            return
        there = {column["name"] for column in sa.inspect(connection).get_columns(ROWS.name)}
        for column in (column for column in ROWS.columns if column.name not in there):
            text = sa.schema.CreateColumn(column).compile(dialect=engine.dialect)
            connection.exec_driver_sql(f"ALTER TABLE {ROWS.name} ADD COLUMN {text}")
        _number(connection)
        _ONE_EACH.create(connection)


def _number(connection: sa.Connection) -> None:
    """Number the rows of a former release in the order in which they were written."""
    counts: dict[str, int] = {}
    rows = connection.execute(sa.select(ROWS.c.id, ROWS.c.problem).order_by(ROWS.c.id)).all()
    for identity, problem in rows:
        counts[problem] = counts.get(problem, 0) + 1
        connection.execute(ROWS.update().where(ROWS.c.id == identity).values(sequence=counts[problem]))


def _kind(error: sa.exc.OperationalError) -> str:
    text = str(error.orig).strip().lower()
    known = {"refused": "nobody answers there", "locked": "it was locked for too long", "readonly": "it is read-only"}
    return next((said for word, said in known.items() if word in text), type(error.orig).__name__)
