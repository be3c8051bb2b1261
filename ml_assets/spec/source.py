"""What is delivered from outside, and what a delivery has to look like."""

from typing import Literal

from pydantic import AwareDatetime, Field, model_validator

from ml_assets.spec.base import Column, Name, Spec
from ml_assets.spec.cadence import TimeZone
from ml_assets.spec.cleaning import Cleaning
from ml_assets.spec.reading import Deliveries, Reading, Whole

ColumnType = Literal["int64", "float64", "string", "timestamp", "bool"]


class Reference(Spec):
    """A column whose values must be known to another source."""

    column: Column = Field(description="Column of this source.", examples=["carrier"])
    source: Name = Field(description="Source that lists the known values.", examples=["airlines"])
    to: Column = Field(description="Column of that source.", examples=["carrier"])
    also: tuple[str, ...] = Field((), description="Values accepted though that source lacks them.", examples=[["BQN"]])


class MaxGap(Spec):
    """The longest silence that still counts as complete."""

    hours: float = Field(gt=0, description="Longest time without a row, in hours, inside one window.", examples=[12])
    by: tuple[Column, ...] = Field(
        (), description="Columns whose every value is looked at by itself.", examples=[["origin"]]
    )
    ends: AwareDatetime | None = Field(
        None, description="The source ended then: no rows are expected later.", examples=["2013-12-31T00:00:00Z"]
    )


class Source(Spec):
    """One table of the outside world, landed window by window."""

    name: Name = Field(description="Name of the table in SQL and in the asset key.", examples=["flights"])
    description: str = Field("", description="One sentence for the catalogue.", examples=["Flights out of New York."])
    read: Reading = Field(
        Deliveries(kind="deliveries"),
        description="Where the rows come from; delivered files when left out.",
        examples=[{"kind": "parquet", "path": "data/lines.parquet"}],
    )
    columns: dict[Column, ColumnType] = Field(
        min_length=1,
        description="The contract: columns and their types.",
        examples=[{"carrier": "string", "distance": "int64", "time_hour": "timestamp"}],
    )
    key: tuple[Column, ...] = Field(
        (),
        description="Columns that identify a row: no two rows may share them. Not checked when left out.",
        examples=[["carrier", "flight"]],
    )
    timezone: TimeZone = Field(
        "UTC",
        description="Time zone of times without a UTC offset. Of an hour that the clocks repeat, the first is taken; "
        "a skipped one moves on. Both are counted.",
        examples=["Europe/London"],
    )
    cleaning: Cleaning = Field(
        Cleaning(), description="What may be dropped or mended; nothing when left out.", examples=[{"null_keys": 0.3}]
    )
    sql: str | None = Field(
        None,
        description="SELECT over the table `delivered` that adds columns before landing (file beside defs.yaml). "
        "Other sources can be joined by their names.",
        examples=["sources/flights.sql"],
    )
    event_time: Column | None = Field(
        None,
        description="UTC column that places a row in its window; left out for a snapshot table.",
        examples=["time_hour"],
    )
    row_known_at: Column | None = Field(
        None,
        description="UTC column: when a row became known. Left out: known before every window, and for a source that "
        "is read as it is, at its `event_time`.",
        examples=["known_at"],
    )
    known_at: dict[Column, Column] = Field(
        default_factory=dict,
        description="Columns that become known later than their row, each with the UTC column that says when.",
        examples=[{"arr_delay": "arr_at"}],
    )
    references: tuple[Reference, ...] = Field(
        (),
        description="Columns whose values another source must know.",
        examples=[[{"column": "carrier", "source": "airlines", "to": "carrier"}]],
    )
    max_gap: MaxGap | None = Field(
        None, description="How long the source may be silent; not judged when left out.", examples=[{"hours": 12}]
    )

    @model_validator(mode="after")
    def _names_its_columns(self) -> "Source":
        # What the landing SQL adds is only known once it runs.
        added = self.sql is not None
        if self.name == "delivered":
            raise ValueError("a source cannot be called 'delivered': landing SQL reads its rows under that name")
        whole = isinstance(self.read, Whole) and self.read.time is None
        if whole and added and self.event_time is not None and self.event_time not in self.columns:
            raise ValueError(
                f"`event_time` {self.event_time} is added by `sql`: name a delivered column in `read.time`"
            )
        named = {"key": self.key, "cleaning.optional_columns": self.cleaning.optional_columns}
        if not added:
            named["event_time"] = (self.event_time,) if self.event_time else ()
        for field, columns in named.items():
            if unknown := [column for column in columns if column not in self.columns]:
                raise ValueError(f"`{field}` names {', '.join(unknown)}, which `columns` does not list")
        return self
