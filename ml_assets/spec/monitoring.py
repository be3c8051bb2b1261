"""When a scored window is bad."""

from typing import Literal

from pydantic import Field

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
