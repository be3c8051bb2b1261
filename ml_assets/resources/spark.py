"""A Spark session on the declared master. What runs on it is `ml/distributed`'s.

Spark ships the functions that run on executors as cloudpickle, over its own connections and into files of its own that
end with the session. Nothing of it is ever among the platform's files: no model, no trial, no row.
"""

import os
import re
import shutil
import socket
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from ml_assets.errors import NoSparkError, SparkMasterError
from ml_assets.spec import Compute

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

_CONNECT_S = 5.0
_LOOPBACK = ("127.", "localhost", "[::1]")


@contextmanager
def spark_session(compute: Compute, name: str, *, threads: int = 1) -> "Iterator[SparkSession]":
    """A session, ended with the context.

    Args:
        compute: Names the master; its settings win over those made here.
        name: What Spark's own pages call it.
        threads: Cores that one task takes: those of one trial, or of one training worker.

    Raises:
        NoSparkError: pyspark or Java is not installed, or the process has a session of its own already.
        SparkMasterError: Nothing answers there, or it gives no session.
    """
    master = _usable_master(compute)
    from py4j.protocol import Py4JError
    from pyspark import SparkContext
    from pyspark.errors import PySparkException
    from pyspark.sql import SparkSession

    if SparkContext._active_spark_context is not None:  # Spark has one a process, whatever is asked for
        raise NoSparkError("this process has a Spark session already", "Stop it first, or run in a process of its own.")
    builder = SparkSession.builder.master(master).appName(name)
    settings = session_settings(compute, threads)
    for key, value in settings.items():
        builder = builder.config(key, value)
    try:
        session = builder.getOrCreate()
    except (Py4JError, PySparkException, RuntimeError) as error:
        raise SparkMasterError(master, str(error).strip().splitlines()[0]) from error
    session.sparkContext.setLogLevel("ERROR")
    if python := settings.get("spark.pyspark.python"):
        session.sparkContext.pythonExec = python  # only spark-submit heeds the setting itself
    try:
        yield session
    finally:
        session.stop()


def session_settings(compute: Compute, threads: int) -> Mapping[str, str]:
    """All settings of a session but its master.

    Only where the master is on this machine are the driver's ports bound to loopback, and is the Python of the
    executors this one: elsewhere `spark.driver.host` and `spark.pyspark.python` are the cluster's business.
    """
    settings = {
        "spark.ui.enabled": "false",  # it would listen on all addresses
        "spark.ui.showConsoleProgress": "false",
        "spark.task.cpus": str(threads),
        "spark.sql.execution.arrow.pyspark.enabled": "true",
    }
    if _on_this_machine(compute.spark_master or ""):
        settings |= {
            "spark.driver.host": "127.0.0.1",
            "spark.driver.bindAddress": "127.0.0.1",
            "spark.pyspark.python": sys.executable,
        }
    return settings | compute.spark_settings


def _usable_master(compute: Compute) -> str:
    try:
        import pyspark  # noqa: F401
    except ImportError as error:
        raise NoSparkError("pyspark is not installed", "Install the extra: pip install 'ml_assets[spark]'.") from error
    java = Path(os.environ.get("JAVA_HOME", ""), "bin", "java")
    if not (java.is_file() or shutil.which("java")):
        raise NoSparkError("there is no Java", "Install Java 17, or set JAVA_HOME to it.")
    master = compute.spark_master or ""
    if master.startswith("spark://"):
        _require_answer(master)
    return master


def _require_answer(master: str) -> None:
    """Ask before Spark does: it would try for a minute, then end the whole process."""
    reasons = []
    for address in master.removeprefix("spark://").split(","):
        host, _, port = address.rpartition(":")
        try:
            socket.create_connection((host.strip("[]"), int(port)), _CONNECT_S).close()
        except (OSError, ValueError) as error:
            reasons.append(f"{address}: {error}")
        else:
            return
    raise SparkMasterError(master, "; ".join(reasons))


def _on_this_machine(master: str) -> bool:
    hosts = re.sub(r"^spark://", "", master).split(",")
    return master.startswith("local") or all(host.startswith(_LOOPBACK) for host in hosts)
