"""What must hold of a table (a training set, or a window of a feature view): each rule is one expectation."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from ml_assets.spec.base import Column, Spec
from ml_assets.spec.cadence import TimeZone
from ml_assets.spec.computation import FeatureType

Severity = Literal["critical", "warning"]

YAML_FILE = r"^[\w./-]+\.ya?ml$"
"""How a file of rules beside a declaration is named."""


class Rule(Spec):
    """Common to all rules."""

    severity: Severity = Field(
        "critical", description="`critical` stops the flow, `warning` only reports.", examples=["warning"]
    )
    notes: str = Field(
        "", description="Why the rule holds, and with what margin; shown in the Data Docs.", examples=["Fahrenheit."]
    )


class RowRule(Rule):
    """A rule that says which rows break it. Those are kept in a quarantine table, with the reason."""

    mostly: float = Field(1.0, gt=0, le=1, description="Least share of rows that keep the rule.", examples=[0.999])
    max_quarantined: float = Field(
        0.0,
        ge=0,
        le=1,
        description="Largest share of a table's rows that may be set aside for breaking this rule, so that the rest "
        "goes on. With 0 all rows stay together: they go on, or a critical rule stops them.",
        examples=[0.01],
    )


class NotNull(RowRule):
    """A column has values."""

    kind: Literal["not_null"] = Field(description="Values are there.", examples=["not_null"])
    column: Column = Field(description="Column of the table.", examples=["temp_f"])


class OfType(Rule):
    """A column has a type."""

    kind: Literal["of_type"] = Field(description="A column has a type.", examples=["of_type"])
    column: Column = Field(description="Column of the table.", examples=["temp_f"])
    type: FeatureType = Field(description="The type; nulls are of any.", examples=["float"])


class Between(RowRule):
    """Values lie in a range; nulls are not judged."""

    kind: Literal["between"] = Field(description="Values lie in a range.", examples=["between"])
    column: Column = Field(description="Column of the table.", examples=["temp_f"])
    low: float | None = Field(
        None, description="Least value, in the column's unit; none when left out.", examples=[-20]
    )
    high: float | None = Field(
        None, description="Greatest value, in the column's unit; none when left out.", examples=[115]
    )

    @model_validator(mode="after")
    def _has_an_end(self) -> "Between":
        if self.low is None and self.high is None:
            raise ValueError(f"between {self.column}: give `low`, `high` or both")
        _require_order(self.low, self.high)
        return self


class InSet(RowRule):
    """Values come from a list; nulls are not judged."""

    kind: Literal["in_set"] = Field(description="Values come from a list.", examples=["in_set"])
    column: Column = Field(description="Column of the table.", examples=["origin"])
    values: tuple[str | int, ...] = Field(min_length=1, description="The list.", examples=[["EWR", "JFK", "LGA"]])


class UniqueTogether(RowRule):
    """No two rows share these columns."""

    kind: Literal["unique_together"] = Field(description="No two rows are alike.", examples=["unique_together"])
    columns: tuple[Column, ...] = Field(
        min_length=1, description="Columns of the table.", examples=[["customer_id", "event_timestamp"]]
    )


class Ordered(RowRule):
    """One column is at most another, row by row; rows in which either is null are not judged."""

    kind: Literal["ordered"] = Field(description="One column is at most another.", examples=["ordered"])
    lower: Column = Field(description="Column with the smaller value.", examples=["spend_30d"])
    upper: Column = Field(description="Column with the greater or equal value.", examples=["spend_90d"])

    @model_validator(mode="after")
    def _are_two(self) -> "Ordered":
        if self.lower == self.upper:
            raise ValueError(f"ordered: `lower` and `upper` are both {self.lower}; name two columns")
        return self


class QuantileBetween(Rule):
    """A quantile of a column lies in a band: catches a changed unit where a range does not."""

    kind: Literal["quantile_between"] = Field(description="A quantile lies in a band.", examples=["quantile_between"])
    column: Column = Field(description="Column of the table.", examples=["arr_delay"])
    quantile: float = Field(gt=0, lt=1, description="Which quantile, 0 to 1.", examples=[0.5])
    low: float = Field(description="Least value, in the column's unit.", examples=[-30])
    high: float = Field(description="Greatest value, in the column's unit.", examples=[30])

    @model_validator(mode="after")
    def _is_a_band(self) -> "QuantileBetween":
        _require_order(self.low, self.high)
        return self


class DistributionNear(Rule):
    """The shares of a column's values, or of ranges of them, are near those of a reference; nulls are not judged."""

    kind: Literal["distribution"] = Field(description="Shares are near a reference's.", examples=["distribution"])
    column: Column = Field(description="Column of the table.", examples=["origin"])
    values: tuple[str | int, ...] = Field(
        (), description="The values, of a column of categories.", examples=[["EWR", "JFK", "LGA"]]
    )
    edges: tuple[float, ...] = Field(
        (),
        description="Edges of the ranges, ascending, of a column of numbers; one more than shares.",
        examples=[[0, 6, 12, 18, 24]],
    )
    shares: tuple[float, ...] = Field(
        min_length=2, description="Share of each in the reference; they sum to 1.", examples=[[0.36, 0.33, 0.31]]
    )
    max_divergence: float = Field(
        gt=0, description="Largest Kullback-Leibler divergence from the reference, in nats.", examples=[0.1]
    )
    hour_of_day: bool = Field(
        False, description="Judge the hour (0 to 24) of a time column: catches a shifted clock.", examples=[True]
    )
    timezone: TimeZone = Field(
        "UTC",
        description="Of that hour. Where people keep local time, so do hours in it: summer time does not move them.",
        examples=["America/New_York"],
    )

    @model_validator(mode="after")
    def _bins_fit(self) -> "DistributionNear":
        if bool(self.values) == bool(self.edges):
            raise ValueError(f"distribution of {self.column}: give `values` or `edges`, one of them")
        if (parts := len(self.values) or len(self.edges) - 1) != len(self.shares):
            raise ValueError(f"distribution of {self.column}: {len(self.shares)} shares for {parts} parts")
        if list(self.edges) != sorted(set(self.edges)):
            raise ValueError(f"distribution of {self.column}: `edges` must ascend")
        if abs(sum(self.shares) - 1) > _ROUNDED or min(self.shares) < 0:
            raise ValueError(f"distribution of {self.column}: shares sum to {sum(self.shares):g}, not to 1")
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


_ROUNDED = 1e-3
"""How far shares that were rounded for reading may be from 1."""


def _require_order(low: float | None, high: float | None) -> None:
    if low is not None and high is not None and low > high:
        raise ValueError(f"low {low:g} is above high {high:g}; swap them")


ValidationRule = Annotated[
    NotNull | OfType | Between | InSet | UniqueTogether | Ordered | QuantileBetween | DistributionNear | RowCount,
    Field(discriminator="kind"),
]


def columns_of(rule: ValidationRule) -> tuple[str, ...]:
    """The columns that a rule judges; none of a rule on the whole table."""
    match rule:
        case RowCount():
            return ()
        case UniqueTogether():
            return rule.columns
        case Ordered():
            return (rule.lower, rule.upper)
    return (rule.column,)
