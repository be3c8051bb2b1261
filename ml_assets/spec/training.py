"""How a model is trained: the split by time, and the gate to production. The search is in `search.py`."""

from datetime import date
from typing import Literal

from pydantic import Field

from ml_assets.spec.base import Spec
from ml_assets.spec.metrics import MetricName


class Split(Spec):
    """Windows before the cutoff whose labels are known, from the newest back: test, validation, the rest trains."""

    test_windows: int = Field(2, ge=1, description="Newest windows, held out for the promotion gate.", examples=[2])
    validation_windows: int = Field(
        2, ge=1, description="Windows before those, for early stopping and search.", examples=[2]
    )
    train_windows: int | None = Field(
        None,
        ge=1,
        description="At most so many windows before those (rolling); all when left out (expanding).",
        examples=[30],
    )
    start: date | None = Field(
        None,
        description="Windows that start earlier are not trained on, e.g. since their look-back is incomplete.",
        examples=["2010-06-01"],
    )


class Promotion(Spec):
    """The gate: challenger against champion on the same labelled, time-held-out rows."""

    metric: MetricName = Field(
        "rmse", description="What is compared; the problem's `metric` when left out.", examples=["mae"]
    )
    min_gain: float = Field(
        0.0, ge=0, description="Least relative gain over the champion, e.g. 0.005 for half a percent.", examples=[0.005]
    )
    confidence: float = Field(
        0.8,
        gt=0.5,
        lt=1,
        description="One-sided confidence that the gain is above zero (paired bootstrap).",
        examples=[0.9],
    )
    blocks: Literal["auto", "day", "row"] = Field(
        "auto",
        description="What the bootstrap draws: whole days (rows of a day depend on each other), single rows, or days "
        "where the test rows span at least ten of them and rows otherwise.",
        examples=["day"],
    )
    bootstrap_samples: int = Field(1000, ge=100, description="Resamples of the paired bootstrap.", examples=[1000])
    seed: int = Field(0, ge=0, description="Seed of the bootstrap.", examples=[2013])
