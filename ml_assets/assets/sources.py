"""Stage 1: sources land in the lake, one file per source and window, once they keep their contract."""

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import dagster as dg
import pyarrow as pa
import pyarrow.parquet as pq

from ml_assets.assets import corrected, keys, lineage, partitions
from ml_assets.assets.run_windows import Outcome, write_windows
from ml_assets.ml.features.versions import source_version, sources_read
from ml_assets.ml.landing.findings import Landed
from ml_assets.ml.landing.window import land
from ml_assets.ml.windows import Window
from ml_assets.resources.lake import Lake, content_hash
from ml_assets.resources.readers import read_window, rows_in_no_window
from ml_assets.spec import Csv, Deliveries, DuckDb, FeatureSet, Parquet, PostgreSql, Python, Source


def build_sources(features: FeatureSet) -> dg.AssetsDefinition:
    """All sources in one step, each an asset that can be materialised by itself."""

    @dg.multi_asset(
        name=f"{features.feature_group}_sources",
        specs=[_spec(features, source) for source in features.sources],
        partitions_def=partitions.windows(features),
        backfill_policy=dg.BackfillPolicy.single_run(),
        can_subset=True,
        group_name=features.feature_group,
    )
    def sources(context: dg.AssetExecutionContext, lake: Lake) -> Iterator[dg.MaterializeResult | dg.AssetCheckResult]:
        for source in in_reading_order(features):
            key = keys.source(features, source.name)
            if key in context.selected_asset_keys:
                lost = rows_in_no_window(source, features.cadence, features.folder)
                yield from write_windows(context, features, key, partial(_land, features, source, lake, lost))

    return sources


def in_reading_order(features: FeatureSet) -> list[Source]:
    """Sources such that each comes after those that it reads."""
    ordered: list[Source] = []
    waiting = list(features.sources)
    while waiting:
        ready = [
            s for s in waiting if not sources_read(features, s) & {other.name for other in waiting if other is not s}
        ]
        ordered += ready or waiting  # a circle of references still lands, in the declared order
        waiting = [s for s in waiting if s not in ordered]
    return ordered


def _spec(features: FeatureSet, source: Source) -> dg.AssetSpec:
    schema = dg.TableSchema(
        [
            dg.TableColumn(column, kind, constraints=dg.TableColumnConstraints(nullable=column not in source.key))
            for column, kind in source.columns.items()
        ]
    )
    return dg.AssetSpec(
        keys.source(features, source.name),
        description=source.description or None,
        deps=[keys.source(features, name) for name in sorted(sources_read(features, source))],
        code_version=source_version(features, source),
        metadata={"dagster/column_schema": schema, "key": ", ".join(source.key), "read": _place(source)},
        kinds={"parquet"},
        group_name=features.feature_group,
    )


def _place(source: Source) -> str:
    """Where the rows come from, as the catalogue shows it; of a database, the variable and never the address."""
    match source.read:
        case Deliveries():
            return "delivered parquet files, one per window"
        case Parquet(path=path) | Csv(path=path) | DuckDb(path=path):
            return f"{source.read.kind}: {path}"
        case PostgreSql(url_env=variable):
            return f"postgresql: address in {variable}"
        case Python(function=function):
            return f"python: {function}"


def _land(features: FeatureSet, source: Source, lake: Lake, lost: int | None, window: Window) -> Outcome:
    delivered = read_window(source, window, features.folder, lake.delivery(features, source.name, window))
    others = {
        name: pq.read_table(path)
        for name in sources_read(features, source)
        if (path := lake.source(features, name, window.key)).exists()
    }
    landed = land(source, window, delivered, others)
    version, path = source_version(features, source), lake.source(features, source.name, window.key)
    former = content_hash([path]) if path.exists() else None
    lake.write(path, landed.table, version=version)
    content = content_hash([path])
    metadata = _metadata(landed, path) | lineage.source_columns(features, source, landed.table)
    metadata |= {} if lost is None else {"rows_in_no_window": lost}
    metadata |= {} if former in (None, content) else corrected.told(features, source, lake, window)
    return Outcome(metadata, content=content)


def _metadata(landed: Landed, path: Path) -> dict[str, Any]:
    return {
        "dagster/row_count": landed.table.num_rows,
        "delivered_rows": landed.delivered_rows,
        "null_share": _null_share(landed.table),
        "findings": dg.MetadataValue.md(landed.markdown()),
        "path": dg.MetadataValue.path(path),
        **landed.counts(),
    }


def _null_share(table: pa.Table) -> float:
    cells = table.num_rows * table.num_columns
    return sum(column.null_count for column in table.columns) / cells if cells else 0.0
