"""The model registry: MLflow model versions, their stages (as aliases and tags), and loading what was registered.

A stage is an alias, `staging`, `production` or `archived`, and the tag `stage` on the version. Both follow the ledger,
which alone knows who is production and who was at a past moment.
"""

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlparse

import dagster as dg
import pandas as pd
from pydantic import Field

from ml_assets.ml.promotion.decisions import LedgerRow, Stage, archived_last, current, stages
from ml_assets.ml.training.model import Model, checked_model, model_hash
from ml_assets.resources.ledger import Ledger
from ml_assets.resources.ledger_table import ledger_url
from ml_assets.resources.locks import locked
from ml_assets.serving.pyfunc import DIGEST, PyfuncModel
from ml_assets.spec import Problem

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from mlflow import MlflowClient

__all__ = ["Registry", "model_hash"]

_STAGE = "stage"
_WAIT_S = 60.0


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

        predictions: Any = PyfuncModel(model).predict(example)  # MLflow's types know no Series
        signature = infer_signature(example, predictions)
        logged = mlflow.pyfunc.log_model(
            name="model",
            loader_module="ml_assets.serving.pyfunc",
            data_path=str(folder),
            signature=signature,
            input_example=example,
            pip_requirements=["ml_assets"],
            metadata={DIGEST: model_hash(folder)},
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

    def describe(self, problem: Problem, version: int, text: str, tags: Mapping[str, str]) -> None:
        """Give a version its description and tags."""
        client = self.client()
        client.update_model_version(problem.name, str(version), text)
        there = client.get_model_version(problem.name, str(version)).tags
        for name, value in tags.items():
            if there.get(name) != value:
                client.set_model_version_tag(problem.name, str(version), name, value)

    def attach(self, problem: Problem, version: int, folder: str, text: str, pictures: Mapping[str, "Figure"]) -> None:
        """Put a text, `<folder>.md`, and pictures beside it into a folder of the artifacts of the version's run."""
        client = self.client()
        run_id = str(client.get_model_version(problem.name, str(version)).run_id)
        for name, figure in pictures.items():
            client.log_figure(run_id, figure, f"{folder}/{name}")
        client.log_text(run_id, text, f"{folder}/{folder}.md")

    def stage(self, problem: Problem, version: int) -> None:
        """Name a version as the candidate, before it is decided upon."""
        self.client().set_registered_model_alias(problem.name, "staging", str(version))
        self._tag(problem, {version: "staging"})

    def follow(self, problem: Problem, ledger: Ledger) -> list[str]:
        """Let aliases and tags say what the ledger says.

        Run after each decision. It also mends what a process left behind that was killed between its row in the
        ledger and here. The alias `production` moves in one step, so that MLflow names one version at any time.

        Returns:
            One line for each thing that was changed.
        """
        # One at a time, reading inside: the last one to follow has read the last row.
        with locked(ledger_url(ledger.url), f"aliases.{problem.name}", wait_s=_WAIT_S):
            rows = ledger.rows(problem)
            champion = current(rows)
            wanted = {"production": champion.version if champion else None, "archived": archived_last(rows)}
            there, decided = self.aliases(problem), stages(rows)
            if there.get("staging") in decided:
                wanted["staging"] = None
            client, changed = self.client(), []
            for alias, version in wanted.items():
                if version is None and alias in there:
                    client.delete_registered_model_alias(problem.name, alias)
                    changed.append(f"alias {alias} of version {there[alias]} is gone")
                elif version is not None and there.get(alias) != version:
                    client.set_registered_model_alias(problem.name, alias, str(version))
                    changed.append(f"alias {alias}: version {version}")
            return changed + self._tag(problem, decided)

    def _tag(self, problem: Problem, wanted: Mapping[int, Stage]) -> list[str]:
        client, changed = self.client(), []
        for found in client.search_model_versions(f"name = '{problem.name}'"):
            version = int(found.version)
            if version in wanted and found.tags.get(_STAGE) != wanted[version]:
                client.set_model_version_tag(problem.name, str(version), _STAGE, wanted[version])
                changed.append(f"version {version}: {wanted[version]}")
        return changed

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
            AlteredModelError: One of its files is not the one that was decided upon, or is gone.
        """
        return _load(self.tracking_uri, problem.name, row.version, row.model_location, row.model_sha256)


@lru_cache(maxsize=4)
def _load(tracking_uri: str, name: str, version: int, location: str, digest: str) -> Model:
    root = Path(unquote(urlparse(location).path)) if location.startswith("file://") else None
    if root is None:
        from mlflow.artifacts import download_artifacts

        root = Path(download_artifacts(artifact_uri=location, tracking_uri=tracking_uri))
    return checked_model(root, digest, name=f"'{name}' version {version}")
