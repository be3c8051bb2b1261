"""A home with decided versions of the flights problem: real model files, a real MLflow store, a real ledger."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from ml_assets.ml.promotion.decisions import Action, LedgerRow
from ml_assets.ml.training.encoding import Encoder
from ml_assets.ml.training.model import Model, model_hash
from ml_assets.resources.lake import Lake
from ml_assets.resources.ledger import Ledger
from ml_assets.resources.lifecycle import Decider, Production
from ml_assets.resources.registry import Registry
from ml_assets.spec import Problem
from ml_assets_tests.flights import flights

DECIDED: tuple[tuple[Action, int, str], ...] = (
    ("promoted", 1, "2013-04-01"),
    ("rejected", 2, "2013-05-06"),
    ("promoted", 3, "2013-06-03"),
)
SCORED = "2013-06-10"
ANN = Decider(user="ann", reason="it was better at night", by="test")


@dataclass(frozen=True)
class Shelf:
    """Everything below one folder, laid out as `Settings` has it."""

    home: Path

    @property
    def problem(self) -> Problem:
        return flights()

    @property
    def lake(self) -> Lake:
        return Lake(root=str(self.home / "lake"), landing=str(self.home / "landing"))

    @property
    def ledger(self) -> Ledger:
        return Ledger(url=f"sqlite:///{self.home / 'ledger.db'}")

    @property
    def registry(self) -> Registry:
        uri = f"sqlite:///{self.home / 'mlflow' / 'mlflow.db'}"
        return Registry(tracking_uri=uri, artifacts=(self.home / "mlflow" / "artifacts").as_uri())

    @property
    def production(self) -> Production:
        return Production(self.problem, self.lake, self.ledger, self.registry)

    def model_folder(self, version: int) -> Path:
        return self.home / "models" / str(version)

    def score(self, window: str) -> None:
        """Store scores of a window; which ones does not matter here."""
        self.lake.write(self.lake.stage(self.problem, "predictions", window), pd.DataFrame({"prediction": [1.0]}))

    def row(self, action: Action, version: int, cutoff: str) -> LedgerRow:
        folder, numbers = self.model_folder(version), {"test_rmse": 20.0, "gain": 0.02, "gain_low": 0.01}
        return LedgerRow(action, version, cutoff, "run", "by 2%", "drift", folder.as_uri(), model_hash(folder), numbers)


def model_of(seed: int, label: str = "arr_delay") -> Model:
    """A model of two trees."""
    import xgboost

    rng = np.random.default_rng(seed)
    frame = pd.DataFrame({"dep_hour": rng.uniform(0, 24, 200), "origin_code": rng.choice(["EWR", "JFK"], 200)})
    encoder = Encoder.fit(frame, {"dep_hour": "float", "origin_code": "string"})
    matrix = xgboost.DMatrix(
        encoder.transform(frame),
        rng.normal(size=200),
        feature_names=encoder.feature_names,
        feature_types=encoder.feature_types,
    )
    booster = xgboost.train({"max_depth": 2, "seed": seed, "nthread": 1}, matrix, num_boost_round=2)
    return Model(booster, encoder, label, {"seed": seed}, 1)


def fill(home: Path) -> Shelf:
    """Three versions decided upon, the first week of the third one scored."""
    shelf = Shelf(home)
    (home / "mlflow").mkdir(parents=True)
    client = shelf.registry.client()
    client.create_registered_model(shelf.problem.name)
    for action, version, cutoff in DECIDED:
        model_of(version).save(shelf.model_folder(version))
        client.create_model_version(shelf.problem.name, shelf.model_folder(version).as_uri())
        shelf.registry.stage(shelf.problem, version)
        row = shelf.row(action, version, cutoff)
        shelf.ledger.record(shelf.problem, row, against=shelf.ledger.champion(shelf.problem, cutoff, version))
        shelf.registry.follow(shelf.problem, shelf.ledger)
    for window in ("2013-06-03", SCORED):
        shelf.score(window)
    return shelf
