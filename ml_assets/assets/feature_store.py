"""The Feast side: definitions applied to the registry, and windows materialised into the online store.

The check that online values are the offline ones is in `online_parity`.
"""

from pathlib import Path

import dagster as dg

from ml_assets.assets import keys, partitions
from ml_assets.assets.online_parity import parity_check, parity_specs
from ml_assets.assets.run_windows import Outcome, run_windows
from ml_assets.ml.windows import Window
from ml_assets.resources.feast_objects import declared_version
from ml_assets.resources.feature_store import FeatureStore
from ml_assets.resources.lake import Lake
from ml_assets.spec import FeatureSet


def build_feature_store(features: FeatureSet) -> dg.AssetsDefinition:
    """The Feast registry, brought in line with the declaration."""

    @dg.asset(
        key=keys.store(features),
        description="Entities, feature views and the feature service, applied to the Feast registry.",
        group_name=features.name,
        kinds={"feast"},
    )
    def feature_store_asset(lake: Lake, feature_store: FeatureStore) -> dg.MaterializeResult:
        folders = view_folders(features, lake)
        changed = feature_store.apply(features, folders)
        return dg.MaterializeResult(
            metadata={
                "feature_views": len(features.feature_views),
                "features": sum(len(view.features) for view in features.feature_views),
                "changed": ", ".join(changed) or "nothing",
            },
            data_version=dg.DataVersion(declared_version(features, folders)),  # applied again, nothing gets stale
        )

    return feature_store_asset


def build_online_features(features: FeatureSet) -> dg.AssetsDefinition:
    """The online store: newest value of every entity."""
    key, compared = keys.online(features), features.parity.entities > 0

    @dg.asset(
        key=key,
        deps=[keys.store(features), *(keys.features(features, view.name) for view in features.feature_views)],
        partitions_def=partitions.windows(features),
        backfill_policy=dg.BackfillPolicy.single_run(),
        description="Feature values of the window, materialised into Feast's online store.",
        group_name=features.name,
        kinds={"feast"},
        check_specs=parity_specs(features),
    )
    def online_features(context: dg.AssetExecutionContext, feature_store: FeatureStore) -> dg.MaterializeResult:
        def body(window: Window) -> Outcome:
            written = feature_store.materialize(features, window.start, window.end)
            checks = [parity_check(features, feature_store.online_parity(features, window.key))] if compared else []
            return Outcome({"dagster/row_count": sum(written.values()), **written}, checks)

        return run_windows(context, features, key, body)

    return online_features


def view_folders(features: FeatureSet, lake: Lake) -> dict[str, Path]:
    """Where each feature view's files lie."""
    return {view.name: lake.view(features, view.name) for view in features.feature_views}
