"""Column types of what a declaration's SQL will return, found on empty tables before there is any data."""

import duckdb

from ml_assets.ml.query import connect, quoted
from ml_assets.spec import ColumnType, FeatureSet, FeatureView, Source

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
    if view.function is not None:
        return {}
    con = connect()
    try:
        for source in features.sources:
            con.execute(f"CREATE TEMP TABLE {source.name} AS {_empty(source)}")
        for name in view.sources:
            _land(con, features.source(name))
        for name in ("start", "end", "last"):
            con.execute(f"SET VARIABLE window_{name} = TIMESTAMPTZ '2000-01-01'")
        sql = (view.sql or f"FROM {view.sources[0]}").rstrip().rstrip(";")
        return {name: str(kind) for name, kind, *_ in con.execute(f"DESCRIBE ({sql}\n)").fetchall()}
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
