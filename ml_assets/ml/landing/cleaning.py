"""Rows that a declaration lets go before its contract is checked; each reason with its count and its tolerance.

Here belongs which rows go. What happens to single values is in `mending.py`, what is refused in `contracts.py`.
"""

import duckdb
import pyarrow as pa

from ml_assets import errors
from ml_assets.ml.landing.mending import count_mended, empty_infinities, parse
from ml_assets.ml.landing.parsing import identifier
from ml_assets.ml.landing.workbench import Workbench

_REASON, _COPIES = identifier(":reason"), identifier(":copies")


def clean(bench: Workbench, delivered: pa.Table) -> pa.Table:
    """The declared columns in their types, without what is tolerated.

    Args:
        bench: The window that lands.
        delivered: (n, k) whose columns `contracts.check_columns` let pass.

    Returns:
        (m, declared columns), m <= n; in no particular order.

    Raises:
        ToleranceError, DuplicateRowsError, OutsideWindowError: More dirt than tolerated.
        QueryError: The condition of a drop does not run.
    """
    parsed = parse(bench, delivered)
    kept = _without_dropped(bench, parsed.table)
    count_mended(bench, kept, parsed)
    kept = _without_duplicates(bench, kept.select(list(parsed.columns)))
    kept = _without_null_keys(bench, kept)
    if bench.source.event_time and bench.source.sql is None:
        kept = without_outside(bench, kept, bench.source.event_time)
    return empty_infinities(bench, kept.select(list(bench.source.columns)))


def without_outside(bench: Workbench, rows: pa.Table, time: str) -> pa.Table:
    """Rows whose time lies in the window.

    Raises:
        ToleranceError, OutsideWindowError: More rows than tolerated have none, or one outside.
    """
    source, window, name = bench.source, bench.window, identifier(time)
    lo, hi = (f"TIMESTAMPTZ '{moment.isoformat()}'" for moment in (window.start, window.end))
    inside = f"coalesce({name} >= {lo} AND {name} < {hi}, FALSE)"
    count, first, last = bench.ask(rows, ["count(*)", f"min({name})", f"max({name})"], f"WHERE NOT {inside}")
    bench.findings.tolerate(
        "dropped_outside_window",
        count,
        source.cleaning.outside_window,
        "cleaning.outside_window",
        example="a row without a time" if first is None else f"{time}={first}",
        strict=lambda: errors.OutsideWindowError(source.name, window.key, count, first, last),
    )
    return bench.select(rows, f"FROM _rows WHERE {inside}") if count else rows


def _without_dropped(bench: Workbench, rows: pa.Table) -> pa.Table:
    """Rows to which none of the declared reasons applies; each dropped row counts for the first that does."""
    drops = bench.source.cleaning.drop
    if not drops:
        return rows
    conditions = [f"coalesce(({drop.where}\n), FALSE)" for drop in drops.values()]
    cases = " ".join(f"WHEN {condition} THEN {number}" for number, condition in enumerate(conditions))
    try:
        judged = bench.select(rows, f"SELECT *, CASE {cases} END AS {_REASON} FROM _rows")
    except duckdb.Error as error:
        raise _culprit(bench, rows, str(error)) from error
    for number, (name, drop) in enumerate(drops.items()):
        where = f"{_REASON} = {number}"
        [count] = bench.ask(judged, ["count(*)"], f"WHERE {where}")
        example = bench.example(judged, where) if count else ""
        field = f"cleaning.drop.{name}.max_share"
        bench.findings.tolerate("dropped", count, drop.max_share, field, what=name, example=example)
    return bench.select(judged, f"SELECT * EXCLUDE ({_REASON}) FROM _rows WHERE {_REASON} IS NULL")


def _culprit(bench: Workbench, rows: pa.Table, reason: str) -> errors.QueryError:
    """Which of the conditions does not run."""
    for name, drop in bench.source.cleaning.drop.items():
        try:
            bench.select(rows, f"SELECT coalesce(({drop.where}\n), FALSE) FROM _rows")
        except duckdb.Error as error:
            what = f"source '{bench.source.name}', `cleaning.drop.{name}.where`,"
            return errors.QueryError(what, f"fails: {str(error).splitlines()[0]}")
    return errors.QueryError(f"source '{bench.source.name}', `cleaning.drop`,", f"fails: {reason.splitlines()[0]}")


def _without_duplicates(bench: Workbench, rows: pa.Table) -> pa.Table:
    """Each row once; two rows are the same where all delivered columns are, declared or not."""
    source, window = bench.source, bench.window.key
    names = ", ".join(identifier(name) for name in rows.column_names)
    grouped = bench.select(rows, f"SELECT {names}, count(*) AS {_COPIES} FROM _rows GROUP BY {names}")
    count = rows.num_rows - grouped.num_rows
    example = bench.example(grouped, f"{_COPIES} > 1") if count else ""
    bench.findings.tolerate(
        "dropped_exact_duplicates",
        count,
        source.cleaning.exact_duplicates,
        "cleaning.exact_duplicates",
        example=example,
        strict=lambda: errors.DuplicateRowsError(source.name, window, source.key, count, example),
    )
    return grouped.drop_columns([":copies"]) if count else rows


def _without_null_keys(bench: Workbench, rows: pa.Table) -> pa.Table:
    key = bench.source.key
    if not key:
        return rows
    missing = " OR ".join(f"{identifier(column)} IS NULL" for column in key)
    [count] = bench.ask(rows, ["count(*)"], f"WHERE {missing}")
    bench.findings.tolerate(
        "dropped_null_keys",
        count,
        bench.source.cleaning.null_keys,
        "cleaning.null_keys",
        what=", ".join(key),
        example=bench.example(rows, missing) if count else "",
    )
    return bench.select(rows, f"FROM _rows WHERE NOT ({missing})") if count else rows
