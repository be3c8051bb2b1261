"""The resources of this deployment: embedded by default, all below one folder, servers by the environment."""

import os
from pathlib import Path

import dagster as dg

from ml_assets.alerts.channels import AlertChannels
from ml_assets.resources.data_docs import DataDocs
from ml_assets.resources.feature_store import FeatureStore
from ml_assets.resources.lake import Lake
from ml_assets.resources.ledger import Ledger
from ml_assets.resources.registry import Registry
from ml_assets.resources.reports import Reports
from ml_assets.resources.server_addresses import FEAST_REGISTRY, ONLINE_STORE
from ml_assets.resources.settings import LEDGER_URL, TRACKING_URI, Settings


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
            "registry": Registry(
                tracking_uri=_by_name(TRACKING_URI, settings.tracking_uri), artifacts=settings.artifacts.as_uri()
            ),
            "ledger": Ledger(url=_by_name(LEDGER_URL, settings.ledger_url)),
            "data_docs": DataDocs(root=str(settings.reports / "data_docs")),
            "reports": Reports(
                root=str(settings.reports),
                url=settings.reports_links or settings.reports_url,
                dagster_url=settings.dagster_links or settings.dagster_url,
                mlflow_url=settings.mlflow_links or settings.mlflow_url,
            ),
            "alert_channels": AlertChannels.from_environment(os.environ),
        },
    )


def _by_name(variable: str, default: str) -> str:
    """An address that the environment gives goes by its name: Dagster's UI shows what a resource is configured with."""
    return dg.EnvVar(variable) if os.environ.get(variable) else default


def _feature_store(settings: Settings) -> FeatureStore:
    """Its addresses go by their variables, too."""
    return FeatureStore(
        root=str(settings.home / "feast"),
        registry_address=dg.EnvVar(FEAST_REGISTRY) if settings.feast_registry else None,
        online_address=dg.EnvVar(ONLINE_STORE) if settings.online_store else None,
    )
