"""CPU or GPU: what was asked for against what this machine has. XGBoost itself is asked, by a training of one round.

Only the choice is made here; the parameter reaches the trainings through the search (`on_device`).
"""

import json
import warnings
from dataclasses import dataclass
from typing import Literal

import numpy as np

from ml_assets.errors import GpuRequiredError
from ml_assets.spec import Compute, Search

Device = Literal["cpu", "cuda"]


@dataclass(frozen=True)
class DeviceChoice:
    """What trees are grown on.

    Attributes:
        device: "cuda" only where XGBoost found a GPU that it can use.
        warning: What to tell the user where that is not what was asked for, else "".
    """

    device: Device
    warning: str = ""


def choose_device(compute: Compute) -> DeviceChoice:
    """The declared device, or the CPU with a warning where there is no usable GPU.

    Raises:
        GpuRequiredError: There is none, and the declaration says that one is required.
    """
    return choice_of(compute, "" if compute.device == "cpu" else why_no_gpu())


def choice_of(compute: Compute, lacking: str) -> DeviceChoice:
    """The same, where it is known already what is lacking ("" for nothing).

    Raises:
        GpuRequiredError: As `choose_device`.
    """
    if not lacking:
        return DeviceChoice(compute.device)
    if compute.gpu_required:
        raise GpuRequiredError(lacking)
    return DeviceChoice("cpu", f"`compute.device` is cuda, but {lacking}: trained on the CPU instead, which is slower.")


def why_no_gpu() -> str:
    """Why XGBoost cannot train on a GPU in this process; "" if it can."""
    import xgboost

    if not xgboost.build_info().get("USE_CUDA"):
        return "this build of XGBoost has no CUDA"
    rows = np.arange(8, dtype=np.float32).reshape(8, 1)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # it says in its own words what is said here
            booster = xgboost.train({"device": "cuda"}, xgboost.QuantileDMatrix(rows, rows[:, 0]), num_boost_round=1)
    except xgboost.core.XGBoostError as error:
        return f"XGBoost cannot use it ({str(error).strip().splitlines()[0]})"
    # Without a GPU it goes on with the CPU; its configuration says what it took.
    taken = json.loads(booster.save_config())["learner"]["generic_param"]["device"]
    return "" if taken.startswith("cuda") else "no GPU is visible to XGBoost here"


def on_device(spec: Search, choice: DeviceChoice) -> Search:
    """The search with the device among its fixed parameters; unchanged for the CPU, so that its logs stay valid."""
    return spec if choice.device == "cpu" else spec.model_copy(update={"fixed": {**spec.fixed, "device": "cuda"}})
