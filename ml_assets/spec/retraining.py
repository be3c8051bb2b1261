"""When bad windows lead to a retraining."""

from pydantic import Field, model_validator

from ml_assets.spec.base import Spec
from ml_assets.spec.monitoring import CheckName


class RetrainingPolicy(Spec):
    """Bad windows that are worth a retraining."""

    checks: tuple[CheckName, ...] = Field(
        ("data_drift", "prediction_drift", "target_drift", "model_quality"),
        min_length=1,
        description="Checks whose failure makes a window bad.",
        examples=[["model_quality"]],
    )
    bad_windows: int = Field(2, ge=1, description="Bad windows needed, the latest among them ...", examples=[2])
    of_last: int = Field(5, ge=1, description="... out of so many latest windows.", examples=[5])
    cooldown_windows: int = Field(
        4, ge=0, description="Windows after a training cutoff without a new retraining.", examples=[4]
    )

    @model_validator(mode="after")
    def _can_be_met(self) -> "RetrainingPolicy":
        if self.bad_windows > self.of_last:
            raise ValueError(
                f"bad_windows {self.bad_windows} of the last {self.of_last} can never be met; raise `of_last`"
            )
        return self
