"""Where one window of one source is worked on while it lands: its declaration, a DuckDB connection, what was found.

Here belongs how a step asks questions of a table. The steps are in `mending.py`, `cleaning.py` and `contracts.py`.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import duckdb
import pyarrow as pa

from ml_assets.ml.landing.findings import Findings
from ml_assets.ml.landing.parsing import identifier
from ml_assets.ml.windows import Window
from ml_assets.spec import Source

_SHOWN_COLUMNS = 4


@dataclass(frozen=True)
class Workbench:
    """One window of one source on its way to the lake."""

    con: duckdb.DuckDBPyConnection
    source: Source
    window: Window
    findings: Findings

    def select(self, rows: pa.Table, sql: str) -> pa.Table:
        """The result of a SELECT over the table `_rows`."""
        self.con.register("_rows", rows)
        return self.con.sql(sql).to_arrow_table()

    def ask(self, rows: pa.Table, expressions: Sequence[str], rest: str = "") -> tuple:
        """The first row of a SELECT of some expressions over the table `_rows`; () where there is none."""
        if not expressions:
            return ()
        self.con.register("_rows", rows)
        found = self.con.execute(f"SELECT {', '.join(expressions)} FROM _rows {rest}").fetchall()
        return found[0] if found else ()

    def example(self, rows: pa.Table, where: str) -> str:
        """The first row (in the order of what is shown) to which a condition applies, as `column=value, ...`."""
        columns = list(dict.fromkeys([*self.source.key, *self.source.columns]))[:_SHOWN_COLUMNS]
        values = self.ask(rows, [identifier(column) for column in columns], f"WHERE {where} ORDER BY ALL LIMIT 1")
        return ", ".join(f"{column}={value}" for column, value in zip(columns, values, strict=False))
