"""Whole numbers that came as floats, because the way they came knows no missing integers."""

import pyarrow as pa
import pyarrow.compute as pc

from ml_assets.spec import Source

_LARGEST_EXACT_WHOLE = 2**53


def with_integers(source: Source, table: pa.Table) -> pa.Table:
    """The table with its float columns as int64 where that is declared and every value is whole; NaN is null then."""
    for index, field in enumerate(table.schema):
        if source.columns.get(field.name) != "int64" or not pa.types.is_floating(field.type):
            continue
        values = pc.if_else(pc.is_nan(table.column(index)), None, table.column(index))
        whole = pc.and_(pc.equal(values, pc.trunc(values)), pc.less_equal(pc.abs(values), _LARGEST_EXACT_WHOLE))
        if pc.all(whole).as_py() is not False:
            table = table.set_column(index, field.name, values.cast(pa.int64()))
    return table
