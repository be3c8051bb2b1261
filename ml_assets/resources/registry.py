"""The model registry: MLflow model versions, their stages (as aliases and tags), and loading what was registered.

A stage is an alias, `staging`, `production` or `archived`, and a tag of the same name on the version; which
version was production at a past moment is the ledger's business.
"""

import hashlib
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import unquote, urlparse

import dagster as dg
import pandas as pd
from pydantic import Field

from ml_assets.errors import AlteredModelError
from ml_assets.ml.model import Model
from ml_assets.resources.ledger import LedgerRow
from ml_assets.serving.pyfunc import PyfuncModel
from ml_assets.spec import Problem

if TYPE_CHECKING:
    from mlflow import MlflowClient

Stage = Literal["staging", "production", "archived"]
_ABOUT = "model.json"


def model_hash(folder: Path) -> str:
    """SHA-256 of a saved model; `model.json` itself holds the hashes of the other files."""
    return hashlib.sha256((folder / _ABOUT).read_bytes()).hexdigest()


class Registry(dg.ConfigurableResource):
    """MLflow's registry at one tracking URI."""

    tracking_uri: str = Field(description="MLflow tracking URI, e.g. sqlite:///var/mlflow/mlflow.db.")

    artifacts: str = Field(description="Folder or URI of the experiments' artifacts.")

    def client(self) -> "MlflowClient":
        """A client of this URI; nothing global is set."""
        from mlflow import MlflowClient

        return MlflowClient(self.tracking_uri, self.tracking_uri)

    def ensure_experiment(self, name: str) -> None:
        """Create an experiment whose artifacts lie in `artifacts`; MLflow's default is the working folder."""
        from mlflow.exceptions import MlflowException

        client = self.client()
        if client.get_experiment_by_name(name) is not None:
            return
        try:
            client.create_experiment(name, artifact_location=f"{self.artifacts}/{name}")
        except MlflowException as error:
            if error.error_code != "RESOURCE_ALREADY_EXISTS":
                raise

    def log_model(self, mlflow: Any, folder: Path, model: Model, example: pd.DataFrame) -> str:
        """Log a saved model into the active MLflow run as a pyfunc without pickle; returns its model URI."""
        from mlflow.models import infer_signature

        signature = infer_signature(example, PyfuncModel(model).predict(example))
        logged = mlflow.pyfunc.log_model(
            name="model",
            loader_module="ml_assets.serving.pyfunc",
            data_path=str(folder),
            signature=signature,
            input_example=example,
            pip_requirements=["ml_assets"],
        )
        return logged.model_uri

    def register(self, problem: Problem, model_uri: str, run_id: str, digest: str, tags: dict[str, str]) -> int:
        """The version of a logged model: a new one, or the one that was made before from the same training."""
        from mlflow.exceptions import MlflowException

        client = self.client()
        try:
            client.create_registered_model(problem.name, description=problem.description)
        except MlflowException as error:
            if error.error_code != "RESOURCE_ALREADY_EXISTS":
                raise
        tags = {**tags, "model_sha256": digest}
        for version in client.search_model_versions(f"name = '{problem.name}'"):
            if all(version.tags.get(name) == tags[name] for name in ("model_sha256", "cutoff", "data_sha256")):
                return int(version.version)
        made = client.create_model_version(
            problem.name, model_uri, run_id=run_id, tags=tags, model_id=model_uri.removeprefix("models:/")
        )
        return int(made.version)

    def set_stage(self, problem: Problem, version: int, stage: Stage) -> None:
        """Move a version to a stage; the alias of that stage then names it, and no other stage does."""
        client = self.client()
        aliases = self.aliases(problem)
        for alias, holder in aliases.items():
            if holder == version and alias != stage:
                client.delete_registered_model_alias(problem.name, alias)
        client.set_registered_model_alias(problem.name, stage, str(version))
        client.set_model_version_tag(problem.name, str(version), "stage", stage)

    def aliases(self, problem: Problem) -> dict[str, int]:
        """Stage -> version; empty where nothing is registered."""
        # get_model_version_by_alias raises a different error for each kind of absence; searching does not.
        found = self.client().search_registered_models(f"name = '{problem.name}'")
        return {alias: int(version) for alias, version in found[0].aliases.items()} if found else {}

    def location(self, problem: Problem, version: int) -> str:
        """Address of a version's files."""
        return self.client().get_model_version_download_uri(problem.name, str(version))

    def load(self, problem: Problem, row: LedgerRow) -> Model:
        """The model of a version, from the address and with the hash that the ledger has of it.

        Asking the ledger keeps MLflow's own start-up (two seconds) out of scoring, and a change in MLflow's
        store from being believed.

        Raises:
            AlteredModelError: Its files are not those that were decided upon.
            ModelFilesError: Its files are damaged.
        """
        return _load(self.tracking_uri, problem.name, row.version, row.model_location, row.model_sha256)


@lru_cache(maxsize=4)
def _load(tracking_uri: str, name: str, version: int, location: str, digest: str) -> Model:
    root = Path(unquote(urlparse(location).path)) if location.startswith("file://") else None
    if root is None:
        from mlflow.artifacts import download_artifacts

        root = Path(download_artifacts(artifact_uri=location, tracking_uri=tracking_uri))
    found = [path.parent for path in root.rglob(_ABOUT)]
    if len(found) != 1 or model_hash(found[0]) != digest:
        raise AlteredModelError(name, str(version))
    return Model.load(found[0])
