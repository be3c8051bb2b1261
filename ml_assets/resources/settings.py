"""Where this deployment keeps its state and which ports it uses; the only reader of `ML_ASSETS_*`."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from ml_assets.resources.server_addresses import FEAST_REGISTRY, ONLINE_STORE, redis_block, registry_url

TRACKING_URI, LEDGER_URL = "ML_ASSETS_TRACKING_URI", "ML_ASSETS_LEDGER_URL"


@dataclass(frozen=True)
class Settings:
    """Addresses, all on loopback, and folders, all below `home`.

    Environment variables: `ML_ASSETS_HOME` (state; default `var/demo` below the working folder),
    `ML_ASSETS_TRACKING_URI` (MLflow), `ML_ASSETS_LEDGER_URL` (any SQLAlchemy URL), `ML_ASSETS_FEAST_REGISTRY`
    (PostgreSQL for Feast's registry), `ML_ASSETS_ONLINE_STORE` (Redis for its online store),
    `ML_ASSETS_DAGSTER_PORT`, `ML_ASSETS_MLFLOW_PORT`, `ML_ASSETS_REPORTS_PORT`, and `ML_ASSETS_DAGSTER_URL`,
    `ML_ASSETS_MLFLOW_URL`, `ML_ASSETS_REPORTS_URL` (where links in alerts and pages lead, when others reach these
    elsewhere).
    """

    home: Path
    tracking_uri: str
    ledger_url: str
    dagster_port: int
    mlflow_port: int
    reports_port: int
    feast_registry: bool = False
    """Whether the registry's address is set. The address itself is left where it is: it may hold a password."""
    online_store: bool = False
    """Likewise of the online store."""
    dagster_links: str = ""
    """Dagster's UI as others reach it; "" for `dagster_url`."""
    mlflow_links: str = ""
    """Likewise MLflow's UI."""
    reports_links: str = ""
    """Likewise the reports."""

    @classmethod
    def from_environment(cls, environment: Mapping[str, str], working_folder: Path) -> "Settings":
        """Settings with their defaults.

        Raises:
            ServerAddressError: An address is malformed; the text names its variable.
        """
        checks = {FEAST_REGISTRY: registry_url, ONLINE_STORE: redis_block}
        for variable, check in checks.items():
            if environment.get(variable):
                check(environment[variable])
        home = Path(environment.get("ML_ASSETS_HOME", working_folder / "var" / "demo")).resolve()
        return cls(
            home=home,
            tracking_uri=environment.get(TRACKING_URI, f"sqlite:///{home / 'mlflow' / 'mlflow.db'}"),
            ledger_url=environment.get(LEDGER_URL, f"sqlite:///{home / 'ledger.db'}"),
            dagster_port=int(environment.get("ML_ASSETS_DAGSTER_PORT", "3070")),
            mlflow_port=int(environment.get("ML_ASSETS_MLFLOW_PORT", "3071")),
            reports_port=int(environment.get("ML_ASSETS_REPORTS_PORT", "3072")),
            feast_registry=bool(environment.get(FEAST_REGISTRY)),
            online_store=bool(environment.get(ONLINE_STORE)),
            dagster_links=environment.get("ML_ASSETS_DAGSTER_URL", ""),
            mlflow_links=environment.get("ML_ASSETS_MLFLOW_URL", ""),
            reports_links=environment.get("ML_ASSETS_REPORTS_URL", ""),
        )

    @property
    def dagster_home(self) -> Path:
        """DAGSTER_HOME."""
        return self.home / "dagster"

    @property
    def reports(self) -> Path:
        """Folder of all pages."""
        return self.home / "reports"

    @property
    def artifacts(self) -> Path:
        """MLflow's artifacts."""
        return self.home / "mlflow" / "artifacts"

    @property
    def dagster_url(self) -> str:
        """Dagster's UI."""
        return f"http://127.0.0.1:{self.dagster_port}"

    @property
    def mlflow_url(self) -> str:
        """MLflow's UI."""
        return f"http://127.0.0.1:{self.mlflow_port}"

    @property
    def reports_url(self) -> str:
        """The report server."""
        return f"http://127.0.0.1:{self.reports_port}"
