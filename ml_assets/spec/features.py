"""Feature views, the rows to score, and their label: SQL over the sources, each row with its knowledge time."""

from typing import Literal

from pydantic import Field

from ml_assets.spec.base import Column, Name, Spec

FeatureType = Literal["float", "int", "string"]


class FeatureView(Spec):
    """One Feast feature view, computed by SQL over the sources.

    The SELECT returns the join keys, `event_timestamp` (since when the value holds), `known_at` (when it
    became known) and the features. It reads the sources by name and the window from the variables
    `window_start` and `window_end`.
    """

    name: Name = Field(description="Name of the view in Feast and in the asset key.")
    description: str = Field("", description="One sentence for the catalogue.")
    entities: tuple[Column, ...] = Field(min_length=1, description="Join keys, e.g. [origin, dest].")
    sources: tuple[Name, ...] = Field(min_length=1, description="Sources that the SQL reads.")
    sql: str = Field(description="The SELECT, or a *.sql file beside defs.yaml.")
    lookback_days: int = Field(
        ge=0, description="Days of source rows before the window that the SQL needs (its longest window)."
    )
    ttl_hours: float = Field(gt=0, description="Age in hours at which a value is too old to be used.")
    features: dict[Column, FeatureType] = Field(min_length=1, description="Feature columns and their types.")


class Rows(Spec):
    """What is predicted: one row per decision, with what the request itself carries."""

    sql: str = Field(
        description="SELECT of the key, the join keys, `event_timestamp` (the prediction time, UTC) and the "
        "request features; or a *.sql file beside defs.yaml."
    )
    sources: tuple[Name, ...] = Field(min_length=1, description="Sources that the SQL reads.")
    key: tuple[Column, ...] = Field(min_length=1, description="Columns that identify a row.")
    features: dict[Column, FeatureType] = Field(
        default_factory=dict, description="Request features: columns of the row itself that the model uses."
    )
    horizon_hours: float = Field(
        ge=0, description="How long before its event a row is scored, in hours; training knows nothing later."
    )


class Label(Spec):
    """The truth, and when it is known."""

    name: Column = Field(description="Label column, e.g. `arr_delay`.")
    unit: str = Field("", description="Unit for axes and metadata, e.g. `minutes`.")
    sql: str = Field(
        description="SELECT of the row key, the label and `known_at` (UTC); rows whose label is still unknown, "
        "or never will be, are left out. Or a *.sql file beside defs.yaml."
    )
    sources: tuple[Name, ...] = Field(min_length=1, description="Sources that the SQL reads.")
