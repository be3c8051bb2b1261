"""Stage 1: deliveries land in the lake, one file per source and window, once they keep their contract."""

from collections.abc import Iterator
from functools import partial

import dagster as dg
import pyarrow as pa
import pyarrow.parquet as pq

from ml_assets.assets import keys, partitions
from ml_assets.assets.run_windows import Outcome, run_windows
from ml_assets.ml import contracts
from ml_assets.ml.windows import Window
from ml_assets.resources.lake import Lake
from ml_assets.spec import Problem, Source


def build_sources(problem: Problem) -> dg.AssetsDefinition:
    """All sources in one step, each an asset that can be materialised by itself."""

    @dg.multi_asset(
        name=f"{problem.name}_sources",
        specs=[_spec(problem, source) for source in problem.sources],
        partitions_def=partitions.windows(problem),
        backfill_policy=dg.BackfillPolicy.single_run(),
        can_subset=True,
        group_name=problem.name,
    )
    def sources(context: dg.AssetExecutionContext, lake: Lake) -> Iterator[dg.MaterializeResult]:
        for source in in_reading_order(problem):
            key = keys.source(problem, source.name)
            if key in context.selected_asset_keys:
                yield run_windows(context, problem, key, partial(_land, problem, source, lake))

    return sources


def in_reading_order(problem: Problem) -> list[Source]:
    """Sources such that each comes after those that it reads."""
    ordered: list[Source] = []
    waiting = list(problem.sources)
    while waiting:
        ready = [s for s in waiting if not _reads(problem, s) & {other.name for other in waiting if other is not s}]
        ordered += ready or waiting  # a circle of references still lands, in the declared order
        waiting = [s for s in waiting if s not in ordered]
    return ordered


def _reads(problem: Problem, source: Source) -> set[str]:
    """Other sources that the contract or the landing SQL of a source looks into."""
    words = set((source.sql or "").replace(".", " ").replace("(", " ").split())
    names = {other.name for other in problem.sources if other.name in words and other.name != source.name}
    return names | {reference.source for reference in source.references}


def _spec(problem: Problem, source: Source) -> dg.AssetSpec:
    schema = dg.TableSchema(
        [
            dg.TableColumn(column, kind, constraints=dg.TableColumnConstraints(nullable=column not in source.key))
            for column, kind in source.columns.items()
        ]
    )
    return dg.AssetSpec(
        keys.source(problem, source.name),
        description=source.description or None,
        deps=[keys.source(problem, name) for name in sorted(_reads(problem, source))],
        metadata={"dagster/column_schema": schema, "key": ", ".join(source.key)},
        kinds={"parquet"},
        group_name=problem.name,
    )


def _land(problem: Problem, source: Source, lake: Lake, window: Window) -> Outcome:
    delivered = contracts.read_delivery(source, window, lake.delivery(problem, source.name, window))
    others = {
        name: pq.read_table(path)
        for name in _reads(problem, source)
        if (path := lake.path(problem, "sources", name, window.key)).exists()
    }
    landed = contracts.land(source, window, delivered, others)
    path = lake.write(lake.path(problem, "sources", source.name, window.key), landed)
    return Outcome(
        {
            "dagster/row_count": landed.num_rows,
            "dagster/column_schema": table_schema(landed),
            "null_share": _null_share(landed),
            "path": dg.MetadataValue.path(path),
        }
    )


def table_schema(table: pa.Table) -> dg.TableSchema:
    """Columns and types of a table as Dagster shows them."""
    return dg.TableSchema([dg.TableColumn(field.name, str(field.type)) for field in table.schema])


def _null_share(table: pa.Table) -> float:
    cells = table.num_rows * table.num_columns
    return sum(column.null_count for column in table.columns) / cells if cells else 0.0
