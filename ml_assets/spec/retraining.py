"""When bad windows lead to a retraining, and what becomes of one that fails."""

from typing import Literal

from pydantic import Field, model_validator

from ml_assets.spec.base import Spec
from ml_assets.spec.monitoring import CheckName


class RetrainingPolicy(Spec):
    """Bad windows that are worth a retraining."""

    mode: Literal["automatic", "dry_run"] = Field(
        "automatic",
        description="`dry_run`: the sensor says what it would do, in its ticks and as an observation of "
        "`registered_version`, and starts nothing.",
        examples=["dry_run"],
    )
    checks: tuple[CheckName, ...] = Field(
        ("model_quality", "target_drift"),
        min_length=1,
        description="Checks whose failure makes a window bad. Drifting inputs (`data_drift`, `prediction_drift`) count "
        "only where they are named here: without a loss of quality they are seldom worth a training.",
        examples=[["model_quality"]],
    )
    bad_windows: int = Field(2, ge=1, description="Bad windows needed, the latest among them ...", examples=[2])
    of_last: int = Field(5, ge=1, le=100, description="... out of so many latest windows.", examples=[5])
    cooldown_windows: int = Field(
        4, ge=0, description="Windows after a training cutoff without a new retraining.", examples=[4]
    )
    quality_windows: int = Field(
        2,
        ge=1,
        description="Windows with a failed `model_quality` that suffice, out of `of_last`, the latest among them; at "
        "most `bad_windows` are ever needed.",
        examples=[1],
    )
    quality_cooldown_windows: int = Field(
        2,
        ge=0,
        description="The cooldown, in windows, for these: a loss of quality does not wait as long as drift; never "
        "longer than `cooldown_windows`.",
        examples=[2],
    )
    label_wait_windows: int = Field(
        6,
        ge=0,
        le=100,
        description="Where labels come late: so many windows at most a retraining waits until the windows that are its "
        "cause can be trained on; then it trains on what is known. 0: it never waits.",
        examples=[4],
    )
    max_retries: int = Field(
        3, ge=0, description="Further attempts after a retraining that failed, before it is given up.", examples=[3]
    )
    backoff_minutes: float = Field(
        10,
        ge=0,
        le=1440,
        description="Minutes between a failed attempt and the next; doubled with each failure in a row, at most a day.",
        examples=[10],
    )
    timeout_hours: float = Field(
        24, gt=0, description="Hours after which a retraining is ended and counts as failed.", examples=[6]
    )

    @model_validator(mode="after")
    def _can_be_met(self) -> "RetrainingPolicy":
        if self.bad_windows > self.of_last:
            raise ValueError(
                f"bad_windows {self.bad_windows} of the last {self.of_last} can never be met; raise `of_last`"
            )
        return self
