"""Great Expectations' own DuckDB engine, by SQLAlchemy: what ours is compared with.

It closes its connection before it fetches, so every rule fails (gx#10738), unless the dialect is in a private list of
those that keep theirs. `patched` puts it there for a while; nothing else in the project needs it.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path

from ml_assets.ml.validation.expectations import expectation_suite
from ml_assets.ml.validation.rule_results import RuleResult, read_results
from ml_assets.spec import ValidationRule


class _Dialect(StrEnum):
    """GX has no member for DuckDB; it asks for a value, and for equality with the dialect's name."""

    DUCKDB = "duckdb"


@contextmanager
def patched() -> Iterator[None]:
    """Let GX keep its connection to DuckDB."""
    from great_expectations.execution_engine import sqlalchemy_execution_engine as engine

    listed = engine._PERSISTED_CONNECTION_DIALECTS
    engine._PERSISTED_CONNECTION_DIALECTS = (*listed, _Dialect.DUCKDB)
    try:
        yield
    finally:
        engine._PERSISTED_CONNECTION_DIALECTS = listed


def judge_by_sql(database: Path, table: str, rules: Sequence[ValidationRule]) -> tuple[RuleResult, ...]:
    """What GX finds in a table of a DuckDB file.

    Args:
        database: The file.
        table: The table.
        rules: What must hold. Types have other names in SQL, so `of_type` fails here.
    """
    import great_expectations as gx

    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = {"globally": False}
    asset = context.data_sources.add_sql("duckdb", connection_string=f"duckdb:///{database}").add_table_asset(
        table, table_name=table
    )
    batch = asset.add_batch_definition_whole_table("all").get_batch()
    form = {"result_format": "SUMMARY", "partial_unexpected_count": 20}
    return read_results(batch.validate(expectation_suite("rules", rules), result_format=form), rules)
