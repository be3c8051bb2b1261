"""One writer at a time, over processes and threads: locks that live where what they guard lives.

Beside an SQLite file they are locked files, in PostgreSQL advisory locks. Both are free again when their holder
dies. Here belongs how a lock is taken, not what it is taken for.
"""

import fcntl
import hashlib
import os
import random
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import sqlalchemy as sa

from ml_assets.errors import LockTimeoutError


@contextmanager
def locked(url: sa.URL, name: str, *, wait_s: float) -> Iterator[None]:
    """Hold the lock of that name; whoever else asks for it waits. Asked for twice by one thread it waits for itself.

    Args:
        url: Of the SQLite file or PostgreSQL database that all writers share.
        name: What is locked; letters, digits, "_" and ".".
        wait_s: Longest wait in seconds.

    Raises:
        LockTimeoutError: It was not free in time.
        sqlalchemy.exc.OperationalError: PostgreSQL does not answer.
    """
    with _file(url, name, wait_s) if url.get_backend_name() == "sqlite" else _advisory(url, name, wait_s):
        yield


@contextmanager
def _file(url: sa.URL, name: str, wait_s: float) -> Iterator[None]:
    folder = Path(f"{url.database}.locks")
    folder.mkdir(parents=True, exist_ok=True)
    # Never deleted: a waiting process would hold the lock of a file that others do not find any more.
    handle = os.open(folder / name, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        _wait(lambda: _flock(handle), name, wait_s)
        yield
    finally:
        os.close(handle)


def _flock(handle: int) -> bool:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


@contextmanager
def _advisory(url: sa.URL, name: str, wait_s: float) -> Iterator[None]:
    number = int.from_bytes(hashlib.sha256(f"ml_assets {name}".encode()).digest()[:8], "big", signed=True)
    # Without a transaction: an open one would hold back PostgreSQL's clean-up for as long as the lock is held.
    engine = sa.create_engine(url, poolclass=sa.pool.NullPool, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        take = sa.select(sa.func.pg_try_advisory_lock(number))
        _wait(lambda: bool(connection.execute(take).scalar()), name, wait_s)
        yield  # closing the connection frees the lock


def _wait(take: Callable[[], bool], name: str, wait_s: float) -> None:
    end = time.monotonic() + wait_s
    while not take():
        if time.monotonic() > end:
            raise LockTimeoutError(f"'{name}'", wait_s)
        time.sleep(random.uniform(0.01, 0.05))  # noqa: S311  # so that waiting processes do not march in step
