"""Feature views, the rows to score, and their label: computed from the sources, each with its knowledge time."""

from pydantic import Field

from ml_assets.spec.base import Column, Name
from ml_assets.spec.computation import Computation, FeatureType
from ml_assets.spec.validation import YAML_FILE, ValidationRule


class FeatureView(Computation):
    """One Feast feature view, computed over the sources.

    It returns the join keys, `event_timestamp` (since when the value holds), `known_at` (when it became known)
    and the features. Rows whose `event_timestamp` lies outside the window are left out. With neither `sql` nor
    `function`, both times are the source's `event_time` (and its `row_known_at`).
    """

    name: Name = Field(description="Name of the view in Feast and in the asset key.", examples=["weather"])
    description: str = Field("", description="One sentence for the catalogue.", examples=["Weather at the origin."])
    entities: tuple[Column, ...] = Field(min_length=1, description="Join keys.", examples=[["origin", "dest"]])
    ttl_hours: float | None = Field(
        None,
        gt=0,
        description="Age in hours at which a value is too old to be used; never when left out.",
        examples=[24],
    )
    features: dict[Column, FeatureType] = Field(
        min_length=1, description="Feature columns and their types.", examples=[{"temp_f": "float", "seats": "int"}]
    )
    validation: tuple[ValidationRule, ...] = Field(
        (),
        description="What must hold of each window of the view, before anything uses it.",
        examples=[[{"kind": "between", "column": "temp_f", "low": -20, "high": 115}]],
    )
    validation_file: str | None = Field(
        None,
        pattern=YAML_FILE,
        description="A file of more such rules beside defs.yaml, as `ml-assets profile` writes it.",
        examples=["validation/weather.yaml"],
    )


class Rows(Computation):
    """What is predicted: one row per decision, with what the request itself carries.

    Computed as the key, the join keys, `event_timestamp` (the prediction time, UTC) and the request features.
    With neither `sql` nor `function`: one row per row of the source, scored `horizon_hours` before its `event_time`.
    """

    key: tuple[Column, ...] = Field(
        min_length=1, description="Columns that identify a row.", examples=[["carrier", "flight", "sched_dep_at"]]
    )
    features: dict[Column, FeatureType] = Field(
        default_factory=dict,
        description="Request features: columns of the row itself that the model uses.",
        examples=[{"distance_miles": "float"}],
    )
    horizon_hours: float = Field(
        0,
        ge=0,
        description="How long before its event a row is scored, in hours; training knows nothing later.",
        examples=[2],
    )


class Label(Computation):
    """The truth, and when it is known.

    Computed as the row key, the label and `known_at` (UTC); rows whose label is still unknown, or never will be,
    are left out. With neither `sql` nor `function`: the label's column of the source, known at `known_at` of that
    column there, or else at its `event_time`.
    """

    name: Column = Field(description="Label column.", examples=["arr_delay"])
    unit: str = Field("", description="Unit for axes and metadata.", examples=["minutes"])
    positive: str | int | bool | None = Field(
        None,
        description="Binary only: the value that counts as 1, where the label is not 0/1 or true/false.",
        examples=["yes"],
    )
    lookahead_days: int = Field(
        0,
        ge=0,
        description="Days after the window's end until the labels of all its rows are known. Windows younger than "
        "that are left out of training, and quality waits for them.",
        examples=[90],
    )
