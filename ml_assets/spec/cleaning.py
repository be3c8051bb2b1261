"""What may be dropped or mended when a source lands, and how much of it before the window is refused."""

from pydantic import Field, field_validator

from ml_assets.spec.base import Column, Name, Spec


class Drop(Spec):
    """Rows that are left out for a reason that has a name."""

    where: str = Field(
        description="SQL condition over the delivered columns, parsed as declared.", examples=["Invoice LIKE 'C%'"]
    )
    max_share: float = Field(
        1.0,
        ge=0,
        le=1,
        description="Largest share of a window's rows, 0 to 1; more refuses the window.",
        examples=[0.05],
    )


class Cleaning(Spec):
    """Tolerances, each a share of a window's delivered rows (0 to 1); 0 refuses the first such row.

    What was dropped or mended is counted in the asset's metadata. More than tolerated refuses the window with an
    error that names the dirt; what had landed before stays.
    """

    exact_duplicates: float = Field(
        0.0, ge=0, le=1, description="Rows dropped because all their columns equal another row's.", examples=[0.1]
    )
    null_keys: float = Field(0.0, ge=0, le=1, description="Rows dropped for a missing key column.", examples=[0.3])
    outside_window: float = Field(
        0.0,
        ge=0,
        le=1,
        description="Rows dropped because their time is missing or in another window.",
        examples=[0.001],
    )
    unparsable: float = Field(
        0.0, ge=0, le=1, description="Values per column emptied because they are no number or time.", examples=[0.01]
    )
    infinite: float = Field(
        0.0, ge=0, le=1, description="Values per column emptied because they are infinite.", examples=[0.01]
    )
    text_numbers: bool = Field(
        False, description="Parse numbers, times and truth values that are delivered as text.", examples=[True]
    )
    optional_columns: tuple[Column, ...] = Field(
        (), description="Columns that may be absent from a delivery; they are empty then.", examples=[["coupon"]]
    )
    empty_windows: bool = Field(False, description="Whether a window may have no rows at all.", examples=[True])
    drop: dict[Name, Drop] = Field(
        default_factory=dict,
        description="Rows left out before anything else, by the name of the reason.",
        examples=[{"cancelled": {"where": "Invoice LIKE 'C%'"}}],
    )

    @field_validator("drop")
    @classmethod
    def _reasons_of_their_own(cls, drop: dict[str, Drop]) -> dict[str, Drop]:
        if taken := sorted(set(drop) & {"exact_duplicates", "null_keys", "outside_window"}):
            raise ValueError(f"'{taken[0]}' is counted anyway; choose another name")
        return drop
