"""Column types of what a declaration's SQL will return, found on empty tables before there is any data."""

import duckdb

from ml_assets.ml.features.query import connect, quoted
from ml_assets.spec import ColumnType, Computation, FeatureSet, FeatureView, Source

_SQL: dict[ColumnType, str] = {
    "int64": "BIGINT",
    "float64": "DOUBLE",
    "string": "VARCHAR",
    "timestamp": "TIMESTAMPTZ",
    "bool": "BOOLEAN",
}


def view_types(features: FeatureSet, view: FeatureView) -> dict[str, str]:
    """Column -> DuckDB type of what a view returns.

    Returns:
        Empty for a Python function, and where the SQL fails (which is said with a better place when it runs).
    """
    return computed_types(features, view)


def computed_types(features: FeatureSet, computation: Computation) -> dict[str, str]:
    """Column -> DuckDB type of what a view, the rows or the label return; empty as `view_types`."""
    if computation.function is not None:
        return {}
    return _described(features, computation.sources, computation.sql or f"FROM {computation.sources[0]}")


def landed_types(features: FeatureSet, source: Source) -> dict[str, str]:
    """Column -> DuckDB type of a landed source: the declared columns, and what the landing SQL makes of them.

    Returns:
        Empty where the landing SQL fails.
    """
    return _described(features, (source.name,), f"FROM {source.name}")


def _described(features: FeatureSet, landed: tuple[str, ...], sql: str) -> dict[str, str]:
    con = connect()
    try:
        for source in features.sources:
            con.execute(f"CREATE TEMP TABLE {source.name} AS {_empty(source)}")
        for name in landed:
            _land(con, features.source(name))
        for name in ("start", "end", "last"):
            con.execute(f"SET VARIABLE window_{name} = TIMESTAMPTZ '2000-01-01'")
        return {
            name: str(kind) for name, kind, *_ in con.execute(f"DESCRIBE ({sql.rstrip().rstrip(';')}\n)").fetchall()
        }
    except duckdb.Error:
        return {}
    finally:
        con.close()


def _empty(source: Source) -> str:
    columns = ", ".join(f"NULL::{_SQL[kind]} AS {quoted(name)}" for name, kind in source.columns.items())
    return f"SELECT {columns} LIMIT 0"


def _land(con: duckdb.DuckDBPyConnection, source: Source) -> None:
    """What the landing SQL makes of the empty delivery."""
    if source.sql is None:
        return
    con.execute(f"CREATE OR REPLACE TEMP TABLE delivered AS {_empty(source)}")
    con.execute(f"CREATE OR REPLACE TEMP TABLE landed AS FROM ({source.sql.rstrip().rstrip(';')}\n)")
    con.execute(f"CREATE OR REPLACE TEMP TABLE {source.name} AS FROM landed")
