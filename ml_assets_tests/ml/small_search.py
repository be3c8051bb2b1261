"""A search of a second on made-up rows: what the tests of the search share."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from ml_assets.ml.search.tuning import SearchResult, search
from ml_assets.spec import Choice, FeatureType, Integer, LogUniform, Search, Uniform

FEATURES: dict[str, FeatureType] = {"x": "float", "noise": "float", "kind": "string"}
SPEC = Search(
    space={
        "max_depth": Integer(kind="integer", low=2, high=4),
        "eta": LogUniform(kind="loguniform", low=0.05, high=0.5),
        "subsample": Uniform(kind="uniform", low=0.6, high=1),
        "grow_policy": Choice(kind="choice", values=("depthwise", "lossguide")),
    },
    fixed={"objective": "reg:squarederror", "max_bin": 64},
    max_rounds=40,
    early_stopping_rounds=5,
    threads=1,  # several threads on so few rows only wait for each other
    seed=3,
)
TRIALS = SPEC.startup_trials + 3  # so that TPE, not chance alone, draws the last ones


def rows(count: int, seed: int) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame(
        {
            "x": rng.normal(size=count),
            "noise": rng.normal(size=count),
            "kind": rng.choice(["a", "b", "c", None], size=count),
        }
    )
    frame["y"] = frame["x"] ** 2 + 3 * (frame["kind"] == "b") + rng.normal(scale=0.3, size=count)
    return frame


TRAIN, VALIDATION = rows(1500, 0), rows(500, 1)


def run(log: Path, spec: Search = SPEC, trials: int = TRIALS, **others: Any) -> SearchResult:
    arguments: dict[str, Any] = {
        "features": FEATURES,
        "label": "y",
        "spec": spec,
        "trials": trials,
        "log": log,
    }
    return search(others.pop("train", TRAIN), others.pop("validation", VALIDATION), **arguments | others)


def lines(log: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in log.read_text().splitlines()]


def assert_same(one: SearchResult, other: SearchResult) -> None:
    assert one.trials == other.trials
    assert one.best == other.best
    assert one.model.to_files() == other.model.to_files()
