"""What must hold of a training set: each rule becomes one Great Expectations expectation."""

from typing import Annotated, Literal

from pydantic import Field

from ml_assets.spec.base import Column, Spec

Severity = Literal["critical", "warning"]


class Rule(Spec):
    """Common to all rules."""

    severity: Severity = Field("critical", description="`critical` stops the flow, `warning` only reports.")
    notes: str = Field("", description="Why the rule holds; shown in the Data Docs.")


class NotNull(Rule):
    """A column has values."""

    kind: Literal["not_null"]
    column: Column
    mostly: float = Field(1.0, gt=0, le=1, description="Least share of rows with a value.")


class Between(Rule):
    """Values lie in a range; nulls are not judged."""

    kind: Literal["between"]
    column: Column
    low: float | None = None
    high: float | None = None
    mostly: float = Field(1.0, gt=0, le=1, description="Least share of rows in the range.")


class InSet(Rule):
    """Values come from a list; nulls are not judged."""

    kind: Literal["in_set"]
    column: Column
    values: tuple[str | int, ...] = Field(min_length=1)
    mostly: float = Field(1.0, gt=0, le=1, description="Least share of rows from the list.")


class UniqueTogether(Rule):
    """No two rows share these columns."""

    kind: Literal["unique_together"]
    columns: tuple[Column, ...] = Field(min_length=2)


class QuantileBetween(Rule):
    """A quantile of a column lies in a band: catches a changed unit where a range does not."""

    kind: Literal["quantile_between"]
    column: Column
    quantile: float = Field(gt=0, lt=1)
    low: float
    high: float


class RowCount(Rule):
    """The set is neither too small nor too large."""

    kind: Literal["row_count"]
    low: int = Field(ge=0)
    high: int | None = None


ValidationRule = Annotated[
    NotNull | Between | InSet | UniqueTogether | QuantileBetween | RowCount, Field(discriminator="kind")
]
