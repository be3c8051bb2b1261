"""The way of a window from what was delivered to what lands: columns, cleaning, landing SQL, contract.

Here belongs the order of the steps. Reading is the business of `resources/readers`, writing of the lake.
"""

from collections.abc import Mapping

import duckdb
import pyarrow as pa

from ml_assets import errors
from ml_assets.ml.features.query import connect
from ml_assets.ml.landing.cleaning import clean, without_outside
from ml_assets.ml.landing.contracts import check_columns, check_rows
from ml_assets.ml.landing.findings import Findings, Landed
from ml_assets.ml.landing.workbench import Workbench
from ml_assets.ml.windows import Window
from ml_assets.spec import Source


def land(source: Source, window: Window, delivered: pa.Table, others: Mapping[str, pa.Table]) -> Landed:
    """What lands of a delivered window, or the error that refuses it.

    Args:
        source: The declaration.
        window: The window that was delivered.
        delivered: (n, k) as it was read; columns that are not declared are left out of what lands.
        others: Landed tables of the same window that the SQL or the references read.

    Returns:
        The rows, ordered by all columns, with the declared columns and those that the landing SQL adds.

    Raises:
        DeliveryError: The delivery breaks its contract; the subclass says how.
        NotLandedError: A source that a reference names has not landed for this window.
        QueryError: The landing SQL, or the condition of a drop, does not run.
    """
    check_columns(source, window, delivered.schema)
    if delivered.num_rows == 0 and not source.cleaning.empty_windows:
        raise errors.EmptyDeliveryError(source.name, window.key)
    named = [reference.source for reference in source.references if reference.source != source.name]
    if missing := [name for name in named if name not in others]:
        raise errors.NotLandedError(f"Source '{missing[0]}', which '{source.name}' refers to,", [window.key])
    con = connect()
    try:
        for name, table in others.items():
            con.register(name, table)
        bench = Workbench(con, source, window, Findings(source, window.key, delivered.num_rows))
        cleaned = clean(bench, delivered)
        rows = _with_sql(bench, cleaned)
        if source.sql is not None and source.event_time:
            rows = without_outside(bench, rows, source.event_time)
        # Landing SQL may leave out what the contract asks about; then the delivered columns are asked.
        asked = set(source.key) | {reference.column for reference in source.references}
        check_rows(bench, rows if asked <= set(rows.column_names) else cleaned)
    finally:
        con.close()
    if rows.num_rows == 0 and not source.cleaning.empty_windows:
        raise errors.EmptyDeliveryError(source.name, window.key, delivered.num_rows)
    return Landed(rows, delivered.num_rows, bench.findings.all())


def _with_sql(bench: Workbench, cleaned: pa.Table) -> pa.Table:
    """The cleaned rows with the columns that the landing SQL adds, in a fixed order."""
    what = f"source '{bench.source.name}'"
    sql = (bench.source.sql or "FROM delivered").rstrip().rstrip(";")
    bench.con.register("delivered", cleaned)
    try:
        rows = bench.con.sql(f"SELECT * FROM ({sql}\n) ORDER BY ALL").to_arrow_table()
    except duckdb.Error as error:
        raise errors.QueryError(what, f"fails: {str(error).splitlines()[0]}") from error
    if rows.num_rows != cleaned.num_rows:
        raise errors.QueryError(
            what, f"makes {rows.num_rows} rows out of {cleaned.num_rows} delivered: it must add columns, not rows."
        )
    return rows
