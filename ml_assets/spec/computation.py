"""How a table is computed from the sources: SQL, a Python function, or the columns of one source as they are."""

from typing import Literal

from pydantic import Field, model_validator

from ml_assets.spec.base import Name, Spec

FeatureType = Literal["float", "int", "string"]


class Computation(Spec):
    """What feature views, rows and labels have in common: what they read, and how.

    With neither `sql` nor `function`, the columns of the one source that is read are taken as they are.
    """

    sources: tuple[Name, ...] = Field(
        (),
        description="Sources that are read; may be left out where only one is declared.",
        examples=[["flights", "planes"]],
    )
    sql: str | None = Field(
        None,
        description="A SELECT over the sources, or a *.sql file beside defs.yaml. The window is in the variables "
        "`window_start` and `window_end`, e.g. getvariable('window_start'), UTC; the window's last microsecond, "
        "where a snapshot as of its end belongs, in `window_last`.",
        examples=["features/weather.sql"],
    )
    function: str | None = Field(
        None,
        pattern=r"^([\w./-]+\.py|\w+(\.\w+)*):\w+$",
        description="A Python function instead: `file.py:name` beside defs.yaml, or `package.module:name`; called "
        "with (tables: dict of source name -> DataFrame, window: Window) and returns a DataFrame.",
        examples=["features.py:customer_spend"],
    )
    lookback_days: int = Field(
        0, ge=0, description="Days of source rows before the window that are needed.", examples=[30]
    )

    @model_validator(mode="after")
    def _one_way(self) -> "Computation":
        if self.sql is not None and self.function is not None:
            raise ValueError("has both `sql` and `function`; keep one")
        return self
