"""Feature views become a lineage graph of their own: sources, features, Feast. Problems on them add the rest."""

import dagster as dg

from ml_assets.assets import keys, partitions
from ml_assets.assets.feature_store import build_feature_store, build_online_features
from ml_assets.assets.features import build_features
from ml_assets.assets.jobs import asset_job
from ml_assets.assets.sources import build_sources
from ml_assets.automation.schedule import build_window_schedule
from ml_assets.spec import FeatureSet


def build_feature_defs(features: FeatureSet) -> dg.Definitions:
    """All definitions of a feature set that problems share, from its declaration alone."""
    landing, store = landing_assets(features), store_assets(features)
    grid = partitions.windows(features)
    text = "Lands one window: sources and features."
    job = asset_job(keys.landing_job(features), landing, text, features, grid)
    jobs = [job]
    if store:
        text = "Applies the feature definitions to Feast."
        jobs.append(asset_job(keys.feature_store_job(features), store, text, features))
    return dg.Definitions(
        assets=[*landing, *store], jobs=jobs, schedules=[build_window_schedule(features.cadence, job)]
    )


def landing_assets(features: FeatureSet) -> list[dg.AssetsDefinition]:
    """What lands window by window: sources, feature views, the online store."""
    views = [build_features(features), build_online_features(features)] if features.feature_views else []
    return [build_sources(features), *views]


def store_assets(features: FeatureSet) -> list[dg.AssetsDefinition]:
    """The Feast registry, where there is anything to register."""
    return [build_feature_store(features)] if features.feature_views else []
