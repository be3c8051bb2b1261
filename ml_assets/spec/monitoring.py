"""When a scored window is bad: one declared policy for drift, and one for quality.

The defaults need no tuning: what is no news they learn from the champion's own time blocks (windows of the cadence).
When bad windows lead to a retraining is in `retraining.py`.
"""

from typing import Literal

from pydantic import Field

from ml_assets.spec.base import Column, Spec
from ml_assets.spec.metrics import MetricName
from ml_assets.spec.training import Segment

CheckName = Literal[
    "data_drift", "prediction_drift", "target_drift", "model_quality", "data_quality", "expected_quality"
]

_RATE = "Share of windows on which a check may fail though nothing changed"
_SEGMENTS = "Rows that are watched by themselves, too: a segment that fails fails the check."


class DriftPolicy(Spec):
    """When a window differs from the rows that the champion was made of, by more than those differ among themselves."""

    false_alarm_rate: float = Field(
        0.01,
        gt=0,
        lt=0.5,
        description=f"{_RATE}; of the features that count as drifted, so many may be chance (Benjamini-Hochberg).",
        examples=[0.01],
    )
    column_threshold: float = Field(
        0.1,
        gt=0,
        description="Distance (normed Wasserstein, Jensen-Shannon) below which a difference is no drift, however sure: "
        "large windows are not punished for being large.",
        examples=[0.1],
    )
    max_drifted_share: float = Field(
        0.2,
        ge=0,
        le=1,
        description="Importance of the drifted features / of all watched ones, in the champion; above it `data_drift` "
        "fails.",
        examples=[0.2],
    )
    max_odd_share: float = Field(
        0.1,
        gt=0,
        le=1,
        description="Rows of a column that may be missing, of a new category or out of range beyond what some block of "
        "the reference had; above it the column has drifted (missing values) and `data_quality` fails.",
        examples=[0.1],
    )
    seasonal: tuple[Column, ...] = Field(
        (),
        description="Features that are compared with the same season of former years only; left out of the verdict "
        "where the reference has none.",
        examples=[["temp_f"]],
    )
    ignore: tuple[Column, ...] = Field(
        (), description="Features left out of the verdict; the report still shows them.", examples=[["temp_f"]]
    )
    segments: tuple[Segment, ...] = Field((), description=_SEGMENTS, examples=[[{"column": "origin_code"}]])
    min_rows: int = Field(500, ge=1, description="Smaller windows and segments are not judged.", examples=[500])
    over_windows: int = Field(
        1,
        ge=1,
        description="Windows judged together, the newest among them, as far as one version scored them: for windows "
        "that are too small by themselves. Their stored summaries are merged; no row is read again.",
        examples=[7],
    )


class QualityPolicy(Spec):
    """When a window's error is worse than the champion's own held-out rows let expect."""

    metric: MetricName = Field(
        "rmse", description="What is watched; the problem's `metric` when left out.", examples=["mae"]
    )
    false_alarm_rate: float = Field(
        0.01,
        gt=0,
        lt=0.5,
        description=f"{_RATE}: sets the interval of error and bias, which is wide for small windows.",
        examples=[0.01],
    )
    min_loss: float = Field(
        0.05,
        ge=0,
        description="Relative loss below which an error outside of its interval is no matter. Errors are relative to "
        "what the best constant would get on the same rows: a week of harder rows is no loss.",
        examples=[0.05],
    )
    min_bias: float = Field(
        0.2,
        ge=0,
        description="The same for |mean prediction - mean label|, in errors of the best constant (0.2: a small effect "
        "in the sense of Cohen 1988).",
        examples=[0.2],
    )
    max_ratio: float | None = Field(
        None,
        gt=1,
        description="Window error / the champion's held-out error that is too much in any case, harder rows or not; no "
        "such limit when left out.",
        examples=[1.25],
    )
    max_bias: float | None = Field(
        None,
        gt=0,
        description="Largest |mean prediction - mean label| in any case, in the label's unit (of binary labels: "
        "probability); no such limit when left out.",
        examples=[7],
    )
    segments: tuple[Segment, ...] = Field((), description=_SEGMENTS, examples=[[{"column": "origin_code"}]])
    min_rows: int = Field(
        500, ge=1, description="Windows and segments with fewer labels are not judged.", examples=[500]
    )
    bootstrap_samples: int = Field(1000, ge=100, description="Resamples of the interval.", examples=[1000])
    seed: int = Field(0, ge=0, description="Seed of the resampling.", examples=[2013])
