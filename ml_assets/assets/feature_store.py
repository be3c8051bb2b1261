"""The Feast side: definitions applied to the registry, and windows materialised into the online store."""

from pathlib import Path

import dagster as dg

from ml_assets.assets import keys, partitions
from ml_assets.assets.run_windows import Outcome, run_windows
from ml_assets.ml.windows import Window
from ml_assets.resources.feature_store import FeatureStore
from ml_assets.resources.lake import Lake
from ml_assets.spec import Problem


def build_feature_store(problem: Problem) -> dg.AssetsDefinition:
    """The Feast registry: the only caller of `apply`, since concurrent applies can lose definitions."""

    @dg.asset(
        key=keys.stage(problem, "feature_store"),
        description="Entities, feature views and the feature service, applied to the Feast registry.",
        group_name=problem.name,
        kinds={"feast"},
    )
    def feature_store_asset(lake: Lake, feature_store: FeatureStore) -> dg.MaterializeResult:
        changed = feature_store.apply(problem, view_folders(problem, lake))
        return dg.MaterializeResult(
            metadata={
                "feature_views": len(problem.feature_views),
                "features": len(problem.features),
                "changed": ", ".join(changed) or "nothing",
            }
        )

    return feature_store_asset


def build_online_features(problem: Problem) -> dg.AssetsDefinition:
    """The online store: newest value of every entity."""
    key = keys.stage(problem, "online_features")

    @dg.asset(
        key=key,
        deps=[keys.stage(problem, "feature_store"), *(keys.features(problem, v.name) for v in problem.feature_views)],
        partitions_def=partitions.windows(problem),
        backfill_policy=dg.BackfillPolicy.single_run(),
        description="Feature values of the window, materialised into Feast's online store.",
        group_name=problem.name,
        kinds={"feast", "sqlite"},
    )
    def online_features(context: dg.AssetExecutionContext, feature_store: FeatureStore) -> dg.MaterializeResult:
        def body(window: Window) -> Outcome:
            written = feature_store.materialize(problem, window.start, window.end)
            return Outcome({"dagster/row_count": sum(written.values()), **written})

        return run_windows(context, problem, key, body)

    return online_features


def view_folders(problem: Problem, lake: Lake) -> dict[str, Path]:
    """Where each feature view's files lie."""
    return {view.name: lake.folder(problem, "features", view.name) for view in problem.feature_views}
