"""What is delivered from outside, and what a delivery has to look like."""

from typing import Literal

from pydantic import AwareDatetime, Field

from ml_assets.spec.base import Column, Name, Spec

ColumnType = Literal["int64", "float64", "string", "timestamp", "bool"]


class Reference(Spec):
    """A column whose values must be known to another source."""

    column: Column = Field(description="Column of this source, e.g. `carrier`.")
    source: Name = Field(description="Source that lists the known values, e.g. `airlines`.")
    to: Column = Field(description="Column of that source, e.g. `carrier`.")
    also: tuple[str, ...] = Field((), description="Values accepted though that source lacks them.")


class MaxGap(Spec):
    """The longest silence that still counts as complete."""

    hours: float = Field(gt=0, description="Longest time without a row, in hours, inside one window.")
    by: tuple[Column, ...] = Field((), description="Columns whose every value is looked at by itself.")
    ends: AwareDatetime | None = Field(None, description="The source ended then: no rows are expected later.")


class Source(Spec):
    """One table that is delivered window by window as `<landing>/<source>/<window>.parquet`."""

    name: Name = Field(description="Name of the table in SQL and in the asset key.")
    description: str = Field("", description="One sentence for the catalogue.")
    columns: dict[Column, ColumnType] = Field(description="The contract: delivered columns and their types.")
    key: tuple[Column, ...] = Field(description="Columns that identify a row: no two rows may share them.")
    sql: str | None = Field(
        None,
        description="SELECT over the table `delivered` that adds columns before landing (file beside defs.yaml). "
        "Other sources can be joined by their names.",
    )
    event_time: Column | None = Field(
        None, description="UTC column that places a row in its window; left out for a snapshot table."
    )
    row_known_at: Column | None = Field(
        None, description="UTC column: when a row became known. Left out: known before every window."
    )
    known_at: dict[Column, Column] = Field(
        default_factory=dict,
        description="Columns that become known later than their row, each with the UTC column that says when.",
    )
    references: tuple[Reference, ...] = Field((), description="Columns whose values another source must know.")
    max_gap: MaxGap | None = Field(None, description="How long the source may be silent; not judged when left out.")
