"""The resources of this deployment: embedded by default, all below one folder, servers by the environment."""

import os
from pathlib import Path

import dagster as dg

from ml_assets.resources.data_docs import DataDocs
from ml_assets.resources.feature_store import FeatureStore
from ml_assets.resources.lake import Lake
from ml_assets.resources.ledger import Ledger
from ml_assets.resources.registry import Registry
from ml_assets.resources.reports import Reports
from ml_assets.resources.server_addresses import FEAST_REGISTRY, ONLINE_STORE
from ml_assets.resources.settings import Settings


@dg.definitions
def resources() -> dg.Definitions:
    """Lake, feature store, registry, ledger, Data Docs and reports below `ML_ASSETS_HOME`."""
    settings = Settings.from_environment(os.environ, Path.cwd())
    return dg.Definitions(
        # Steps share their run's process: on few cores the imports of a process per step cost more than they save.
        executor=dg.in_process_executor,
        resources={
            "lake": Lake(root=str(settings.home / "lake"), landing=str(settings.home / "landing")),
            "feature_store": _feature_store(settings),
            "registry": Registry(tracking_uri=settings.tracking_uri, artifacts=settings.artifacts.as_uri()),
            "ledger": Ledger(url=settings.ledger_url),
            "data_docs": DataDocs(root=str(settings.reports / "data_docs")),
            "reports": Reports(root=str(settings.reports), url=settings.reports_url),
        },
    )


def _feature_store(settings: Settings) -> FeatureStore:
    """Addresses go by their variables: Dagster's UI shows what a resource is configured with."""
    return FeatureStore(
        root=str(settings.home / "feast"),
        registry_address=dg.EnvVar(FEAST_REGISTRY) if settings.feast_registry else None,
        online_address=dg.EnvVar(ONLINE_STORE) if settings.online_store else None,
    )
