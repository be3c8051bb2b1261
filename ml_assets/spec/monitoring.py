"""When a scored window is bad, and when bad windows lead to a retraining."""

from typing import Literal

from pydantic import Field, model_validator

from ml_assets.spec.base import Column, Spec
from ml_assets.spec.metrics import MetricName

CheckName = Literal["data_drift", "prediction_drift", "target_drift", "model_quality"]


class DriftPolicy(Spec):
    """When a window differs from the champion's reference rows."""

    max_drifted_share: float = Field(
        0.5, ge=0, le=1, description="Drifted features / features watched; above it `data_drift` fails.", examples=[0.5]
    )
    column_threshold: float = Field(
        0.1,
        gt=0,
        description="Distance (normed Wasserstein, Jensen-Shannon) from which a column has drifted.",
        examples=[0.1],
    )
    prediction_threshold: float = Field(0.1, gt=0, description="The same distance for the predictions.", examples=[0.1])
    target_threshold: float = Field(0.1, gt=0, description="The same distance for the labels.", examples=[0.1])
    null_share_threshold: float = Field(
        0.1,
        gt=0,
        le=1,
        description="A column whose share of missing values moved by more has drifted, too.",
        examples=[0.1],
    )
    ignore: tuple[Column, ...] = Field(
        (),
        description="Features left out of the verdict (e.g. seasonal ones); the report still shows them.",
        examples=[["temp_f"]],
    )
    min_rows: int = Field(500, ge=1, description="Smaller windows are not judged.", examples=[500])
    sample_rows: int = Field(
        5000, ge=100, description="Rows drawn (seeded) from each side for the report and its tests.", examples=[5000]
    )
    seed: int = Field(0, ge=0, description="Seed of the sample.", examples=[2013])


class QualityPolicy(Spec):
    """When a window's error is worse than the champion's own held-out error allows."""

    metric: MetricName = Field(
        "rmse", description="What is watched; the problem's `metric` when left out.", examples=["mae"]
    )
    max_ratio: float = Field(
        1.25,
        gt=1,
        description="Window error / the champion's held-out error; above it the check fails.",
        examples=[1.25],
    )
    max_bias: float | None = Field(
        None,
        gt=0,
        description="Largest |mean prediction - mean label|, in the label's unit (of classes: probability); not judged "
        "when left out.",
        examples=[7],
    )
    min_rows: int = Field(500, ge=1, description="Windows with fewer labels are not judged.", examples=[500])


class RetrainingPolicy(Spec):
    """Bad windows that are worth a retraining."""

    checks: tuple[CheckName, ...] = Field(
        ("data_drift", "prediction_drift", "target_drift", "model_quality"),
        min_length=1,
        description="Checks whose failure makes a window bad.",
        examples=[["model_quality"]],
    )
    bad_windows: int = Field(2, ge=1, description="Bad windows needed, the latest among them ...", examples=[2])
    of_last: int = Field(5, ge=1, description="... out of so many latest windows.", examples=[5])
    cooldown_windows: int = Field(
        4, ge=0, description="Windows after a training cutoff without a new retraining.", examples=[4]
    )

    @model_validator(mode="after")
    def _can_be_met(self) -> "RetrainingPolicy":
        if self.bad_windows > self.of_last:
            raise ValueError(
                f"bad_windows {self.bad_windows} of the last {self.of_last} can never be met; raise `of_last`"
            )
        return self
