"""What must hold of a training set: each rule becomes one Great Expectations expectation."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from ml_assets.spec.base import Column, Spec

Severity = Literal["critical", "warning"]


class Rule(Spec):
    """Common to all rules."""

    severity: Severity = Field(
        "critical", description="`critical` stops the flow, `warning` only reports.", examples=["warning"]
    )
    notes: str = Field("", description="Why the rule holds; shown in the Data Docs.", examples=["Degrees Fahrenheit."])


class NotNull(Rule):
    """A column has values."""

    kind: Literal["not_null"] = Field(description="Values are there.", examples=["not_null"])
    column: Column = Field(description="Column of the training set.", examples=["temp_f"])
    mostly: float = Field(1.0, gt=0, le=1, description="Least share of rows with a value.", examples=[0.95])


class Between(Rule):
    """Values lie in a range; nulls are not judged."""

    kind: Literal["between"] = Field(description="Values lie in a range.", examples=["between"])
    column: Column = Field(description="Column of the training set.", examples=["temp_f"])
    low: float | None = Field(
        None, description="Least value, in the column's unit; none when left out.", examples=[-20]
    )
    high: float | None = Field(
        None, description="Greatest value, in the column's unit; none when left out.", examples=[115]
    )
    mostly: float = Field(1.0, gt=0, le=1, description="Least share of rows in the range.", examples=[0.999])

    @model_validator(mode="after")
    def _has_an_end(self) -> "Between":
        if self.low is None and self.high is None:
            raise ValueError(f"between {self.column}: give `low`, `high` or both")
        _require_order(self.low, self.high)
        return self


class InSet(Rule):
    """Values come from a list; nulls are not judged."""

    kind: Literal["in_set"] = Field(description="Values come from a list.", examples=["in_set"])
    column: Column = Field(description="Column of the training set.", examples=["origin"])
    values: tuple[str | int, ...] = Field(min_length=1, description="The list.", examples=[["EWR", "JFK", "LGA"]])
    mostly: float = Field(1.0, gt=0, le=1, description="Least share of rows from the list.", examples=[1.0])


class UniqueTogether(Rule):
    """No two rows share these columns."""

    kind: Literal["unique_together"] = Field(description="No two rows are alike.", examples=["unique_together"])
    columns: tuple[Column, ...] = Field(
        min_length=2, description="Columns of the training set.", examples=[["customer_id", "event_timestamp"]]
    )


class QuantileBetween(Rule):
    """A quantile of a column lies in a band: catches a changed unit where a range does not."""

    kind: Literal["quantile_between"] = Field(description="A quantile lies in a band.", examples=["quantile_between"])
    column: Column = Field(description="Column of the training set.", examples=["arr_delay"])
    quantile: float = Field(gt=0, lt=1, description="Which quantile, 0 to 1.", examples=[0.5])
    low: float = Field(description="Least value, in the column's unit.", examples=[-30])
    high: float = Field(description="Greatest value, in the column's unit.", examples=[30])

    @model_validator(mode="after")
    def _is_a_band(self) -> "QuantileBetween":
        _require_order(self.low, self.high)
        return self


class RowCount(Rule):
    """The set is neither too small nor too large."""

    kind: Literal["row_count"] = Field(description="So many rows.", examples=["row_count"])
    low: int = Field(ge=0, description="Least number of rows.", examples=[1000])
    high: int | None = Field(None, description="Greatest number of rows; none when left out.", examples=[1_000_000])

    @model_validator(mode="after")
    def _is_a_range(self) -> "RowCount":
        _require_order(self.low, self.high)
        return self


def _require_order(low: float | None, high: float | None) -> None:
    if low is not None and high is not None and low > high:
        raise ValueError(f"low {low:g} is above high {high:g}; swap them")


ValidationRule = Annotated[
    NotNull | Between | InSet | UniqueTogether | QuantileBetween | RowCount, Field(discriminator="kind")
]
