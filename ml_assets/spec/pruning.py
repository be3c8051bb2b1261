"""When a trial that will not win is stopped before its end."""

from pydantic import Field

from ml_assets.spec.base import Spec


class Pruning(Spec):
    """A trial is stopped when, at its pace, it will not come near the better ones of those that ran to their end."""

    after_trials: int = Field(
        3, ge=1, description="Trials that ran to their end before one may be stopped.", examples=[3]
    )
    after_rounds: int = Field(10, ge=1, description="Rounds that every trial gets.", examples=[10])
    pace_rounds: int = Field(
        5,
        ge=1,
        description="Least number of newest rounds over which the pace is measured; a fifth of its rounds if that is "
        "more.",
        examples=[5],
    )
    horizon_rounds: int = Field(
        10,
        ge=1,
        description="It is taken to improve at that pace for two fifths of the rounds by which others were longer, and "
        "for at least so many; more rounds stop fewer trials. Losses flatten out, so this is generous.",
        examples=[20],
    )
    quantile: float = Field(
        0.25,
        gt=0,
        lt=1,
        description="What it has to reach: this quantile of the losses of the trials that ran to their end.",
        examples=[0.5],
    )
