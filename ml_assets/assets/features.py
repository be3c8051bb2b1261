"""Stage 2: feature views, the rows to score and their labels, each window with its knowledge time checked."""

import hashlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import dagster as dg

from ml_assets.assets import keys, lineage, partitions
from ml_assets.assets.run_windows import Outcome, write_windows
from ml_assets.assets.validation import Validation, check_spec
from ml_assets.assets.validation_check import CHECK
from ml_assets.errors import ValidationFailedError
from ml_assets.ml.features.compute import Computed, compute_labels, compute_rows, compute_view
from ml_assets.ml.features.versions import labels_version, rows_version, view_version
from ml_assets.ml.windows import Window
from ml_assets.resources.data_docs import DataDocs
from ml_assets.resources.lake import Lake, content_hash
from ml_assets.resources.reports import Reports
from ml_assets.spec import Computation, FeatureSet, FeatureView, Problem


def build_features(features: FeatureSet) -> dg.AssetsDefinition:
    """All feature views in one step, each an asset that can be materialised by itself."""

    @dg.multi_asset(
        name=f"{features.name}_features",
        specs=[_view_spec(features, view) for view in features.feature_views],
        check_specs=[
            check_spec(keys.features(features, view.name), partitions.windows(features))
            for view in features.feature_views
            if view.validation
        ],
        partitions_def=partitions.windows(features),
        backfill_policy=dg.BackfillPolicy.single_run(),
        can_subset=True,
        group_name=features.name,
    )
    def views(
        context: dg.AssetExecutionContext, lake: Lake, data_docs: DataDocs, reports: Reports
    ) -> Iterator[dg.MaterializeResult | dg.AssetCheckResult]:
        refused: dict[str, dict[str, str]] = {}
        for view in features.feature_views:
            key = keys.features(features, view.name)
            wanted = {key, dg.AssetCheckKey(key, CHECK)}
            if wanted & (context.selected_asset_keys | context.selected_asset_check_keys):
                validation = Validation.of_view(features, view, lake, data_docs, reports)
                body = partial(_view, features, view, validation, key in context.selected_asset_keys)
                refused[f"feature view '{view.name}'"] = yield from write_windows(context, features, key, body)
        if any(refused.values()):  # after the other views, which say for themselves what is wrong with them
            raise ValidationFailedError(refused)

    return views


def build_rows(problem: Problem) -> dg.AssetsDefinition:
    """The rows to score, with their request features."""

    def compute(window: Window, lake: Lake) -> Computed:
        tables = lake.tables(problem, problem.rows, window)
        return compute_rows(problem, tables, window, cut=cut_of(window))

    return _stage(problem, "rows", problem.rows, "What is to be predicted, and when.", compute, rows_version(problem))


def build_labels(problem: Problem) -> dg.AssetsDefinition:
    """The labels, each with the time at which it became known."""
    late = f" Of a window, {problem.label.lookahead_days} days after its end." if problem.label.lookahead_days else ""

    def compute(window: Window, lake: Lake) -> Computed:
        tables = lake.tables(problem, problem.label, window, lookahead_days=problem.label.lookahead_days)
        return compute_labels(problem, tables, window, cut=cut_of(window))

    text = f"The truth, and when it became known.{late}"
    return _stage(problem, "labels", problem.label, text, compute, labels_version(problem))


def cut_of(window: Window) -> float:
    """Where the knowledge-time rule looks: another place in every window, the same one every time."""
    return int(hashlib.sha256(window.key.encode()).hexdigest()[:8], 16) / 0xFFFFFFFF


def _stage(
    problem: Problem,
    name: str,
    part: Computation,
    text: str,
    compute: Callable[[Window, Lake], Computed],
    version: str,
) -> dg.AssetsDefinition:
    key = keys.stage(problem, name)
    columns = lineage.rows_columns if name == "rows" else lineage.labels_columns

    @dg.asset(
        key=key,
        deps=[keys.source(problem, source) for source in part.sources],
        partitions_def=partitions.windows(problem),
        backfill_policy=dg.BackfillPolicy.single_run(),
        code_version=version,
        description=text,
        group_name=problem.name,
        kinds={"duckdb", "parquet"},
    )
    def stage(context: dg.AssetExecutionContext, lake: Lake) -> Iterator[dg.MaterializeResult | dg.AssetCheckResult]:
        def body(window: Window) -> Outcome:
            computed = compute(window, lake)
            path = lake.stage(problem, name, window.key)
            return _written(lake, path, computed, version, columns(problem, computed.table))

        yield from write_windows(context, problem, key, body)

    return stage


def _view_spec(features: FeatureSet, view: FeatureView) -> dg.AssetSpec:
    return dg.AssetSpec(
        keys.features(features, view.name),
        description=view.description or None,
        deps=[keys.source(features, source) for source in view.sources],
        code_version=view_version(features, view),
        metadata={"entities": ", ".join(view.entities), "ttl_hours": view.ttl_hours or "for ever"},
        kinds={"duckdb", "parquet"},
        group_name=features.name,
    )


def _view(features: FeatureSet, view: FeatureView, validation: Validation, write: bool, window: Window) -> Outcome:
    lake = validation.lake
    computed = compute_view(view, lake.tables(features, view, window), window, cut=cut_of(window))
    validated = validation(computed.table, window.key)
    if validated.refused or not write:
        return Outcome({}, validated.checks)
    computed = replace(computed, table=validated.table)
    path, columns = lake.view(features, view.name, window.key), lineage.view_columns(features, view, computed.table)
    written = _written(lake, path, computed, view_version(features, view), columns)
    return replace(written, metadata={**written.metadata, **validated.metadata}, checks=validated.checks)


def _written(lake: Lake, path: Path, computed: Computed, version: str, columns: Mapping[str, Any]) -> Outcome:
    lake.write(path, computed.table, version=version)
    return Outcome(
        {
            "dagster/row_count": computed.table.num_rows,
            **columns,
            "code_version": version,
            "rows_without_key": computed.null_keys,
            "rows_checked_for_leaks": computed.compared,
            "path": dg.MetadataValue.path(path),
        },
        content=content_hash([path]),
    )
