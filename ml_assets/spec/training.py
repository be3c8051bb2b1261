"""How a model is trained: the split by time, and the gate to production. The search is in `search.py`."""

from datetime import date
from typing import Literal

from pydantic import ConfigDict, Field, model_validator

from ml_assets.spec.base import Column, Name, Spec
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


class Segment(Spec):
    """Rows of the gate that must not fare worse, told by one column: some values of it, a range, or each value."""

    model_config = ConfigDict(allow_inf_nan=False)

    column: Column = Field(description="A feature, or a column of the rows' key.", examples=["origin_code"])
    name: Name | None = Field(
        None,
        description="What the segment is called; needed with `values` or a range. Without those each value of the "
        "column is a segment of its own.",
        examples=["long_haul"],
    )
    values: tuple[float | int | str | bool, ...] = Field(
        (), description="The rows whose column is one of these.", examples=[["EWR", "JFK"]]
    )
    low: float | None = Field(None, description="The rows whose column is at least this.", examples=[1500])
    high: float | None = Field(None, description="The rows whose column is below this.", examples=[3000])

    @model_validator(mode="after")
    def _one_condition(self) -> "Segment":
        ranged = self.low is not None or self.high is not None
        if self.values and ranged:
            raise ValueError("both `values` and a range; keep one")
        if self.low is not None and self.high is not None and self.high <= self.low:
            raise ValueError(f"high {self.high} is not above low {self.low}; raise `high`")
        if (self.values or ranged) and self.name is None:
            raise ValueError("a segment of some values or a range needs a `name`")
        if not (self.values or ranged) and self.name is not None:
            raise ValueError(
                f"'{self.name}' would be all rows: say `values`, `low` or `high`, or leave out `name` to have each "
                "value of the column as a segment"
            )
        return self


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
    segments: tuple[Segment, ...] = Field(
        (),
        description="Rows on which the challenger may not be much worse, however good it is over all.",
        examples=[[{"column": "origin_code"}, {"name": "long_haul", "column": "distance_miles", "low": 1500}]],
    )
    max_segment_loss: float = Field(
        0.05,
        ge=0,
        description="Relative loss against the champion above which a segment stops the promotion.",
        examples=[0.05],
    )
    min_segment_rows: int = Field(
        200, ge=1, description="Segments with fewer labelled rows are shown but not judged.", examples=[200]
    )
    max_model_bytes: int | None = Field(
        None, ge=1, description="Largest size of the model's files together; any when left out.", examples=[50000000]
    )
    max_latency_ms: float | None = Field(
        None,
        gt=0,
        description="Longest time to score 1,000 rows in memory, median of repeated scorings on the machine that "
        "trains; not measured when left out, since a clock never says the same twice.",
        examples=[50],
    )

    @model_validator(mode="after")
    def _segments_are_told_apart(self) -> "Promotion":
        names = [segment.name or f"each value of {segment.column}" for segment in self.segments]
        if twice := sorted({name for name in names if names.count(name) > 1}):
            raise ValueError(f"segment '{twice[0]}' is declared twice; keep one")
        return self
