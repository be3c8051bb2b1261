"""What an executor does with a trial: cut the matrices once per Python process, then train at point after point.

It runs the same `prepare` and `train_trial` as a search on one machine. How trials get here is `spark_trials.py`'s.
"""

import io
import json
import platform
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

import pandas as pd

from ml_assets.errors import ExecutorDataError, GpuRequiredError
from ml_assets.ml.estimators.interface import Estimator
from ml_assets.ml.estimators.lookup import estimator_of_model
from ml_assets.ml.search.run import Proposal
from ml_assets.ml.search.trial_log import Trial
from ml_assets.ml.training.device import choose_device, on_device
from ml_assets.ml.training.fitting import TrainingData, prepare, train_trial
from ml_assets.ml.training.watch import Watch
from ml_assets.spec import Compute, FeatureType, Search, Task

_PYTHON = "Python"

_READY: dict[tuple[str, ...], tuple[TrainingData, Search, str]] = {}
"""Of the search that this process works for: its matrices, its declaration for this machine's device, a warning."""


@dataclass(frozen=True)
class TrialRequest:
    """Everything that the trials of one search need, in plain text and parquet bytes.

    Attributes:
        train, validation: Rows as parquet: the features and the label.
        features, label, task: As `training.prepare`.
        search, compute: The declarations, as JSON.
        sha256: Hash of the rows as the driver encoded them.
        packages: What the driver runs, to be compared with what the executor runs.
        code: The text of an own estimator's file; None where the estimator is the platform's or a package's.
    """

    train: bytes
    validation: bytes
    features: Mapping[str, FeatureType]
    label: str
    task: Task
    search: str
    compute: str
    sha256: str
    packages: Mapping[str, str]
    code: bytes | None = None

    @classmethod
    def of(
        cls,
        train: pd.DataFrame,
        validation: pd.DataFrame,
        features: Mapping[str, FeatureType],
        label: str,
        spec: Search,
        compute: Compute,
        data: TrainingData,
    ) -> "TrialRequest":
        """The request of a search whose rows the driver has encoded as `data`."""
        wanted = [*features, label]
        rows = [_parquet(frame[wanted]) for frame in (train, validation)]
        texts = spec.model_dump_json(), compute.model_dump_json()
        given = rows[0], rows[1], dict(features), label, data.task, *texts, data.sha256
        return cls(*given, packages(data.estimator), data.estimator.code)


def packages(estimator: Estimator) -> dict[str, str]:
    """What decides whether two machines compute the same."""
    return {name: _version(name) for name in ("ml_assets", "pandas", "numpy", _PYTHON)} | estimator.versions()


def _version(name: str) -> str:
    if name == _PYTHON:
        return ".".join(platform.python_version_tuple()[:2])
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return "missing"


def run_trial(request: TrialRequest, proposal: Proposal) -> tuple[Trial, bytes | None, str]:
    """One trial, as on the driver: with its pruning and its time limit.

    Returns:
        The trial; its fitted estimator's bytes where it ran to its end, else None; a warning, or "".

    Raises:
        ExecutorDataError: This machine gets other matrices from the rows than the driver.
        GpuRequiredError: A GPU is required, and there is none here.
    """
    data, spec, warning = _ready(request)
    watch = Watch(spec, proposal.target)
    trial, fitted = train_trial(data, spec, proposal.point, proposal.number, watch)
    return trial, None if fitted is None else data.estimator.to_bytes(fitted), warning


def _ready(request: TrialRequest) -> tuple[TrainingData, Search, str]:
    key = request.sha256, request.search, request.compute, str(request.code)
    if key not in _READY:
        choice = choose_device(Compute(**json.loads(request.compute)))
        spec = Search(**json.loads(request.search))
        train, validation = (pd.read_parquet(io.BytesIO(rows)) for rows in (request.train, request.validation))
        estimator = estimator_of_model(spec.estimator, request.code, Path(spec.estimator.partition(":")[0]))
        data = prepare(train, validation, request.features, request.label, spec, request.task, estimator)
        if data.sha256 != request.sha256:
            raise ExecutorDataError("the hash of the encoded rows", request.sha256[:12], data.sha256[:12])
        _READY.clear()  # matrices of an earlier search of the same session
        _READY[key] = data, on_device(spec, choice), choice.warning
    return _READY[key]


def _parquet(frame: pd.DataFrame) -> bytes:
    buffer = io.BytesIO()
    frame.reset_index(drop=True).to_parquet(buffer, compression="zstd")
    return buffer.getvalue()


def refusal(driver: Mapping[str, str], _: int = 0) -> str:
    """Why this machine cannot work for a driver that has those packages; "" if it can."""
    differing = next((name for name, version in driver.items() if _version(name) != version), None)
    return str(ExecutorDataError(differing, driver[differing], _version(differing))) if differing else ""


def answer(broadcast: Any, batch: Mapping[int, Proposal], drawn: Mapping[str, Any]) -> dict[str, Any]:
    """The objective that Hyperopt calls on the executor; a trial that failed is an answer, too.

    Args:
        broadcast: Spark's broadcast of a `TrialRequest`; each Python process fetches it once.
        batch: Number -> what is proposed, of all trials of a batch.
        drawn: {"number": the trial's}.
    """
    try:
        trial, fitted, warning = run_trial(broadcast.value, batch[int(drawn["number"])])
    except GpuRequiredError as error:
        return {"status": "fail", "no_gpu": error.reason}
    except ExecutorDataError as error:
        return {"status": "fail", "refused": str(error)}
    return {"status": "ok" if trial.status == "ok" else "fail", "loss": trial.loss, "done": (trial, fitted, warning)}
