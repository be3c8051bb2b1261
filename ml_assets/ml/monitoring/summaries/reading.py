"""Rows to summaries: parquet files column by column, or an arrow table; two threads, memory bounded.

A parquet file keeps its columns apart, so one column of a wide table is read, summarised and forgotten before the
next. Frames of pandas, with their many types, are the business of `ml.monitoring.preflight`.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from ml_assets.errors import DriftColumnsError, FeatureTypeError
from ml_assets.ml.monitoring.summaries.categories import CategorySummary, merge_categories, summarise_categories
from ml_assets.ml.monitoring.summaries.distances import ColumnSummary
from ml_assets.ml.monitoring.summaries.numbers import merge_numbers, summarise_numbers
from ml_assets.ml.monitoring.summaries.tables import TableSummary
from ml_assets.spec import FeatureType

_VALUES_AT_ONCE = 2_000_000
"""Values of a column that are sorted at once, 16 MB a copy; of several columns, that are read at once."""
_COUNTED_WHILE_READING = 65_536
"""Categories counted while a table of more rows is read; the fewer of a summary are chosen in the end."""
_THREADS = 2
_NUMERIC = (pa.types.is_integer, pa.types.is_floating, pa.types.is_decimal, pa.types.is_null)


def summarise_files(
    paths: Sequence[Path], types: Mapping[str, FeatureType], *, side: str = "window", threads: int = _THREADS
) -> TableSummary:
    """Summary of the rows of parquet files.

    Args:
        paths: The files; none are no rows.
        types: Columns to summarise and their declared types. Text is counted as categories, all else are numbers.
        side: What the rows are, for messages.
        threads: Columns worked on at a time.

    Raises:
        DriftColumnsError: A file lacks columns.
        FeatureTypeError: A numeric column holds text or times.
    """
    footers = {path: pq.read_metadata(path) for path in paths}
    for footer in footers.values():
        there = set(footer.schema.to_arrow_schema().names)
        if lost := [name for name in types if name not in there]:
            raise DriftColumnsError(side, lost)

    def batches(names: list[str]) -> Iterator[pa.RecordBatch]:
        for path, footer in footers.items():
            with pq.ParquetFile(path, metadata=footer) as file:
                yield from file.iter_batches(2**19, columns=names, use_threads=False)

    return _summary(sum(footer.num_rows for footer in footers.values()), types, batches, threads)


def summarise_table(
    table: pa.Table, types: Mapping[str, FeatureType], *, side: str = "window", threads: int = _THREADS
) -> TableSummary:
    """Summary of the rows of an arrow table; see `summarise_files`."""
    if lost := [name for name in types if name not in table.column_names]:
        raise DriftColumnsError(side, lost)
    return _summary(table.num_rows, types, lambda names: table.select(names).to_batches(), threads)


def _summary(
    rows: int,
    types: Mapping[str, FeatureType],
    batches: Callable[[list[str]], Iterable[pa.RecordBatch]],
    threads: int,
) -> TableSummary:
    def column(name: str, arrays: Iterable[pa.Array]) -> ColumnSummary:
        return (_categories if types[name] == "string" else _numbers)(name, arrays)

    def work(names: list[str]) -> list[ColumnSummary]:
        if len(names) == 1:  # there may be many rows: never all at once
            return [column(names[0], (batch.column(names[0]) for batch in batches(names)))]
        held = list(batches(names))
        return [column(name, (batch.column(name) for batch in held)) for name in names]

    names = list(types)
    width = min(max(_VALUES_AT_ONCE // max(rows, 1), 1), max(-(-len(names) // threads), 1))
    groups = [names[start : start + width] for start in range(0, len(names), width)]
    with ThreadPoolExecutor(threads) as pool:  # arrow and numpy let go of the interpreter where it takes long
        summaries = [summary for group in pool.map(work, groups) for summary in group]
    return TableSummary(rows, dict(zip(names, summaries, strict=True)))


def _numbers(name: str, batches: Iterable[pa.Array]) -> ColumnSummary:
    parts = [summarise_numbers(np.concatenate(chunk)) for chunk in _chunks(_floats(name, batch) for batch in batches)]
    return merge_numbers(parts) if parts else summarise_numbers(np.array([]))


def _chunks(arrays: Iterable[np.ndarray]) -> Iterator[list[np.ndarray]]:
    """Neighbouring arrays of `_VALUES_AT_ONCE` rows together, or a little more."""
    chunk: list[np.ndarray] = []
    for array in arrays:
        chunk.append(array)
        if sum(map(len, chunk)) >= _VALUES_AT_ONCE:
            yield chunk
            chunk = []
    if chunk:
        yield chunk


def _floats(name: str, array: pa.Array) -> np.ndarray:
    """(n,) float64, missing values as NaN."""
    if pa.types.is_dictionary(array.type):
        array = array.dictionary_decode()
    kind = array.type
    if pa.types.is_boolean(kind):
        array = array.cast(pa.uint8())
    elif not any(test(kind) for test in _NUMERIC):
        raise FeatureTypeError(name, "numbers", str(kind))
    return array.cast(pa.float64(), safe=False).to_numpy(zero_copy_only=False)


def _categories(name: str, batches: Iterable[pa.Array]) -> CategorySummary:
    parts: list[CategorySummary] = []
    for batch in batches:
        if pa.types.is_nested(batch.type):
            raise FeatureTypeError(name, "text", str(batch.type))
        parts.append(_counted(batch))
        if len(parts) == 8:
            parts = [merge_categories(parts, most=_COUNTED_WHILE_READING)]
    return merge_categories(parts or [summarise_categories([], [], 0)])


def _counted(batch: pa.Array) -> CategorySummary:
    if pa.types.is_dictionary(batch.type):
        batch = batch.dictionary_decode()
    if pa.types.is_floating(batch.type):  # codes that missing values turned into floats
        batch = pc.if_else(pc.is_nan(batch), None, batch)
    counts = pc.value_counts(batch.drop_null())
    values, each = counts.field("values"), counts.field("counts")
    return summarise_categories(values.to_pylist(), each.to_pylist(), batch.null_count, most=_COUNTED_WHILE_READING)
