"""Values of a delivery mended: parsed into their declared types, absent columns added, infinities emptied; all counted.

Here belongs what happens to values. Which rows go is in `cleaning.py`, what one value means in `parsing.py`.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import pyarrow as pa

from ml_assets.ml.landing import parsing
from ml_assets.ml.landing.findings import Kind
from ml_assets.ml.landing.parsing import SQL_TYPE, Value, identifier
from ml_assets.ml.landing.workbench import Workbench

_ODDITIES: dict[Kind, Callable[[str, str], str]] = {
    "ambiguous_times": parsing.is_ambiguous,
    "nonexistent_times": parsing.is_nonexistent,
}


@dataclass(frozen=True)
class Parsed:
    """Delivered rows with the declared columns in their types.

    Attributes:
        table: (n, k) All delivered columns, then the absent ones, then the marks. A mark is a column that holds the
            odd values of another, NULL where there is nothing odd. Its name holds a colon, as no declared one does.
        columns: Names of the delivered and the absent columns.
        absent: Declared columns that were not delivered.
        marks: Name of a mark -> kind of finding, and the column that it is about.
    """

    table: pa.Table
    columns: tuple[str, ...]
    absent: tuple[str, ...]
    marks: Mapping[str, tuple[Kind, str]]


def parse(bench: Workbench, delivered: pa.Table) -> Parsed:
    """Every declared column in its declared type; what cannot be parsed is empty, and marked.

    Args:
        bench: The window that lands.
        delivered: (n, k) whose columns `contracts.check_columns` let pass.
    """
    source = bench.source
    absent = tuple(column for column in source.columns if column not in delivered.column_names)
    values = {
        column: parsing.value(source, column, kind, delivered.schema.field(column).type)
        for column, kind in source.columns.items()
        if column not in absent
    }
    marks = _marks(source.timezone, values)
    outer = [
        f"{identifier(f'value:{name}')} AS {identifier(name)}" if name in values else identifier(name)
        for name in delivered.column_names
    ]
    outer += [f"CAST(NULL AS {SQL_TYPE[source.columns[column]]}) AS {identifier(column)}" for column in absent]
    outer += [f"{odd} AS {identifier(name)}" for name, (odd, _, _) in marks.items()]
    table = bench.select(delivered, f"SELECT {', '.join(outer)} FROM {parsing.with_values('_rows', values)}")
    about = {name: (kind, column) for name, (_, kind, column) in marks.items()}
    return Parsed(table, (*delivered.column_names, *absent), absent, about)


def count_mended(bench: Workbench, kept: pa.Table, parsed: Parsed) -> None:
    """Note absent columns, unparsable text and odd clock times.

    Args:
        bench: The window that lands.
        kept: Those rows of `parsed.table` that no declared reason dropped.
        parsed: What `parse` returned.

    Raises:
        ToleranceError: More unparsable text in a column than tolerated.
    """
    cleaning = bench.source.cleaning
    for column in cleaning.optional_columns:
        bench.findings.add("absent_columns", kept.num_rows if column in parsed.absent else 0, what=column)
    asked = [f"{how}({identifier(name)})" for name in parsed.marks for how in ("count", "min")]
    answers = bench.ask(kept, asked)
    for number, (kind, column) in enumerate(parsed.marks.values()):
        count, example = answers[2 * number : 2 * number + 2]
        if kind == "emptied_unparsable":
            bench.findings.tolerate(
                kind, count, cleaning.unparsable, "cleaning.unparsable", what=column, example=f"'{example}'"
            )
        else:
            bench.findings.add(kind, count, what=column, example=example)


def empty_infinities(bench: Workbench, rows: pa.Table) -> pa.Table:
    """NaN and infinite values emptied: in SQL, a single NaN makes a whole mean NaN.

    Raises:
        ToleranceError: More infinite values in a column than tolerated.
    """
    columns = [column for column, kind in bench.source.columns.items() if kind == "float64"]
    asked = []
    for name in map(identifier, columns):
        asked += [f"count(*) FILTER (isnan({name}))", f"count(*) FILTER (isinf({name}))"]
        asked.append(f"min({name}) FILTER (isinf({name}))")
    answers = bench.ask(rows, asked)
    finite = []
    for number, (column, name) in enumerate(zip(columns, map(identifier, columns), strict=True)):
        nans, infinite, example = answers[3 * number : 3 * number + 3]
        bench.findings.add("emptied_not_a_number", nans, what=column, expected=False)
        tolerance = bench.source.cleaning.infinite
        bench.findings.tolerate(
            "emptied_infinite", infinite, tolerance, "cleaning.infinite", what=column, example=example
        )
        if nans or infinite:
            finite.append(f"CASE WHEN isfinite({name}) THEN {name} END AS {name}")
    return bench.select(rows, f"SELECT * REPLACE ({', '.join(finite)}) FROM _rows") if finite else rows


def _marks(zone: str, values: Mapping[str, Value]) -> dict[str, tuple[str, Kind, str]]:
    """Name of each mark -> SQL of the odd value, kind of finding, column."""
    marks: dict[str, tuple[str, Kind, str]] = {}
    for column, value in values.items():
        if value.text is not None:
            lost = f"CASE WHEN {identifier(f'value:{column}')} IS NULL THEN {identifier(f'text:{column}')} END"
            marks[f"unparsable:{column}"] = (lost, "emptied_unparsable", column)
        if value.local is not None and zone != "UTC":  # there, no clock is ever changed
            local = identifier(f"local:{column}")
            for kind, condition in _ODDITIES.items():
                marks[f"{kind}:{column}"] = (f"CASE WHEN {condition(local, zone)} THEN {local} END", kind, column)
    return marks
