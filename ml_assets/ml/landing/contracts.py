"""What a delivery must look like, and what must hold of the rows that are left. Each violation is its own error.

Here belongs what is refused. What a declaration tolerates instead is dropped or mended in `cleaning.py`.
"""

from collections import Counter
from collections.abc import Callable

import pyarrow as pa
import pyarrow.types as pt

from ml_assets import errors
from ml_assets.ml.landing.parsing import identifier, is_text, literal, parses_text
from ml_assets.ml.landing.workbench import Workbench
from ml_assets.ml.windows import Window
from ml_assets.spec import ColumnType, MaxGap, Reference, Source

_IS_TYPE: dict[ColumnType, Callable[[pa.DataType], bool]] = {
    "int64": pt.is_integer,
    "float64": lambda t: pt.is_floating(t) or pt.is_integer(t) or pt.is_decimal(t),
    "string": is_text,
    "timestamp": lambda t: pt.is_timestamp(t) or pt.is_date(t),
    "bool": pt.is_boolean,
}


def check_columns(source: Source, window: Window, delivered: pa.Schema) -> None:
    """Make sure that the declared columns are there, in types that lose nothing.

    Raises:
        AmbiguousColumnError, MissingColumnError, ChangedTypeError.
    """
    counted = Counter(name.lower() for name in delivered.names)
    if twins := [name for name in delivered.names if counted[name.lower()] > 1]:
        raise errors.AmbiguousColumnError(source.name, window.key, twins)
    needed = [column for column in source.columns if column not in source.cleaning.optional_columns]
    if missing := [column for column in needed if column not in delivered.names]:
        raise errors.MissingColumnError(source.name, window.key, missing, delivered.names)
    for column, expected in source.columns.items():
        if column not in delivered.names:
            continue
        found = delivered.field(column).type
        parsed = is_text(found) and parses_text(source)
        if not (_IS_TYPE[expected](found) or parsed or pt.is_null(found)):
            text = is_text(found) and expected != "string"
            raise errors.ChangedTypeError(source.name, window.key, column, expected, str(found), text=text)


def check_rows(bench: Workbench, rows: pa.Table) -> None:
    """Make sure that no two rows share a key, that references are known, and that the source was not silent.

    Args:
        bench: The window that lands; the tables that references name are registered with its connection.
        rows: (n, k) as they are to land.

    Raises:
        DuplicateRowsError, UnknownReferenceError, GapError.
    """
    source = bench.source
    _check_unique(bench, rows)
    for reference in source.references:
        _check_reference(bench, rows, reference)
    if source.event_time and source.max_gap and rows.num_rows:
        _check_gap(bench, rows, source.event_time, source.max_gap)


def _check_unique(bench: Workbench, rows: pa.Table) -> None:
    source = bench.source
    if not source.key:
        return
    key = ", ".join(identifier(column) for column in source.key)
    repeated = bench.select(rows, f"SELECT {key}, count(*) - 1 AS more FROM _rows GROUP BY {key} HAVING more > 0")
    if repeated.num_rows:
        [extra] = bench.ask(repeated, ["sum(more)"])
        example = bench.ask(repeated, [identifier(column) for column in source.key], "ORDER BY ALL LIMIT 1")
        shown = ", ".join(str(value) for value in example)
        raise errors.DuplicateRowsError(source.name, bench.window.key, source.key, int(extra), shown)


def _check_reference(bench: Workbench, rows: pa.Table, reference: Reference) -> None:
    name, to = identifier(reference.column), identifier(reference.to)
    table = "_rows" if reference.source == bench.source.name else identifier(reference.source)
    known = f"{name} IN (SELECT {to} FROM {table})"
    also = ", ".join(literal(value) for value in reference.also)
    known += f" OR CAST({name} AS VARCHAR) IN ({also})" if also else ""
    unknown = f"WHERE NOT coalesce({known}, {name} IS NULL)"
    count, values = bench.ask(rows, ["count(*)", f"list(DISTINCT CAST({name} AS VARCHAR))"], unknown)
    if count:
        known_to = f"source '{reference.source}'"
        raise errors.UnknownReferenceError(
            bench.source.name, bench.window.key, reference.column, sorted(values), count, known_to
        )


def _check_gap(bench: Workbench, rows: pa.Table, time: str, gap: MaxGap) -> None:
    window, name = bench.window, identifier(time)
    by = [identifier(column) for column in gap.by]
    partition = f"PARTITION BY {', '.join(by)}" if by else ""
    end = min(window.end, gap.ends) if gap.ends else window.end
    until = f"coalesce(lead({name}) OVER ({partition} ORDER BY {name}), TIMESTAMPTZ '{end.isoformat()}')"
    hours = f"epoch({until} - {name}) / 3600 AS hours"
    longest_first = f"ORDER BY {', '.join(['hours DESC', name, *by])} LIMIT 1"
    *where, since, silent = bench.ask(rows, [*by, name, hours], longest_first)
    if silent > gap.hours:
        place = f" of {', '.join(str(value) for value in where)}" if where else ""
        since = f"{since:%Y-%m-%d %H:%M} UTC"
        raise errors.GapError(bench.source.name, window.key, place, silent, gap.hours, since)
