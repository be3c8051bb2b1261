"""All that Feast's SQL registry writes for one change, in one transaction.

Feast opens a transaction per object, and nested ones on other connections. Here they become savepoints of one
connection: a reader sees a set of views as it was or as it will be, and a killed `apply` leaves nothing behind.
"""

import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any

import sqlalchemy as sa


@contextmanager
def one_transaction(registry: Any) -> Iterator[None]:
    """Whatever this thread reads and writes in the registry meanwhile is one transaction; an exception undoes it."""
    writes, reads = registry.write_engine, registry.read_engine
    with writes.connect() as connection, connection.begin():
        registry.write_engine = registry.read_engine = _Joined(writes, connection)
        try:
            yield
        finally:
            registry.write_engine, registry.read_engine = writes, reads


def with_savepoints(registry: Any) -> None:
    """Have SQLite begin transactions where SQLAlchemy does: Python's driver begins them at the first change only."""
    engine = registry.write_engine
    if engine.dialect.name == "sqlite":
        engine.dispose()  # connections from before keep their way
        sa.event.listen(engine, "connect", _leave_transactions_alone)
        sa.event.listen(engine, "begin", _begin)


class _Joined:
    """An engine whose transactions are savepoints of one connection, for the thread that holds it."""

    def __init__(self, engine: sa.Engine, connection: sa.Connection) -> None:
        self._engine, self._connection = engine, connection
        self._thread = threading.get_ident()

    def begin(self) -> AbstractContextManager[sa.Connection]:
        return self._savepoint() if threading.get_ident() == self._thread else self._engine.begin()

    @contextmanager
    def _savepoint(self) -> Iterator[sa.Connection]:
        with self._connection.begin_nested():
            yield self._connection


def _leave_transactions_alone(connection: Any, _: Any) -> None:
    connection.isolation_level = None


def _begin(connection: sa.Connection) -> None:
    connection.exec_driver_sql("BEGIN")
