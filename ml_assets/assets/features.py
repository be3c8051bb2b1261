"""Stage 2: feature views, the rows to score and their labels, each window with its knowledge time checked."""

import hashlib
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import dagster as dg

from ml_assets.assets import keys, partitions
from ml_assets.assets.run_windows import Outcome, run_windows
from ml_assets.assets.sources import table_schema
from ml_assets.ml.features import Computed, compute_labels, compute_rows, compute_view
from ml_assets.ml.versions import code_version
from ml_assets.ml.windows import Window
from ml_assets.resources.lake import Lake
from ml_assets.spec import Computation, FeatureSet, FeatureView, Problem


def build_features(features: FeatureSet) -> dg.AssetsDefinition:
    """All feature views in one step, each an asset that can be materialised by itself."""

    @dg.multi_asset(
        name=f"{features.name}_features",
        specs=[_view_spec(features, view) for view in features.feature_views],
        partitions_def=partitions.windows(features),
        backfill_policy=dg.BackfillPolicy.single_run(),
        can_subset=True,
        group_name=features.name,
    )
    def views(context: dg.AssetExecutionContext, lake: Lake) -> Iterator[dg.MaterializeResult]:
        for view in features.feature_views:
            key = keys.features(features, view.name)
            if key in context.selected_asset_keys:
                yield run_windows(context, features, key, partial(_view, features, view, lake))

    return views


def build_rows(problem: Problem) -> dg.AssetsDefinition:
    """The rows to score, with their request features."""

    def compute(window: Window, lake: Lake) -> Computed:
        tables = lake.tables(problem, problem.rows, window)
        return compute_rows(problem, tables, window, cut=cut_of(window))

    return _stage(problem, "rows", problem.rows, "What is to be predicted, and when.", compute)


def build_labels(problem: Problem) -> dg.AssetsDefinition:
    """The labels, each with the time at which it became known."""
    late = f" Of a window, {problem.label.lookahead_days} days after its end." if problem.label.lookahead_days else ""

    def compute(window: Window, lake: Lake) -> Computed:
        tables = lake.tables(problem, problem.label, window, lookahead_days=problem.label.lookahead_days)
        return compute_labels(problem, tables, window, cut=cut_of(window))

    return _stage(problem, "labels", problem.label, f"The truth, and when it became known.{late}", compute)


def cut_of(window: Window) -> float:
    """Where the knowledge-time rule looks: another place in every window, the same one every time."""
    return int(hashlib.sha256(window.key.encode()).hexdigest()[:8], 16) / 0xFFFFFFFF


def _stage(
    problem: Problem, name: str, part: Computation, text: str, compute: Callable[[Window, Lake], Computed]
) -> dg.AssetsDefinition:
    key = keys.stage(problem, name)

    @dg.asset(
        key=key,
        deps=[keys.source(problem, source) for source in part.sources],
        partitions_def=partitions.windows(problem),
        backfill_policy=dg.BackfillPolicy.single_run(),
        code_version=code_version(part, problem.folder),
        description=text,
        group_name=problem.name,
        kinds={"duckdb", "parquet"},
    )
    def stage(context: dg.AssetExecutionContext, lake: Lake) -> dg.MaterializeResult:
        def body(window: Window) -> Outcome:
            return _written(lake, lake.stage(problem, name, window.key), compute(window, lake))

        return run_windows(context, problem, key, body)

    return stage


def _view_spec(features: FeatureSet, view: FeatureView) -> dg.AssetSpec:
    return dg.AssetSpec(
        keys.features(features, view.name),
        description=view.description or None,
        deps=[keys.source(features, source) for source in view.sources],
        code_version=code_version(view, features.folder),
        metadata={"entities": ", ".join(view.entities), "ttl_hours": view.ttl_hours or "for ever"},
        kinds={"duckdb", "parquet"},
        group_name=features.name,
    )


def _view(features: FeatureSet, view: FeatureView, lake: Lake, window: Window) -> Outcome:
    computed = compute_view(view, lake.tables(features, view, window), window, cut=cut_of(window))
    return _written(lake, lake.view(features, view.name, window.key), computed)


def _written(lake: Lake, path: Path, computed: Computed) -> Outcome:
    lake.write(path, computed.table)
    return Outcome(
        {
            "dagster/row_count": computed.table.num_rows,
            "dagster/column_schema": table_schema(computed.table),
            "rows_without_key": computed.null_keys,
            "rows_checked_for_leaks": computed.compared,
            "path": dg.MetadataValue.path(path),
        }
    )
