"""How a model is trained: the split by time, the search, the gate to production."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from ml_assets.spec.base import Column, Spec


class Split(Spec):
    """Windows before the cutoff, from the newest back: test, validation, and the rest for training."""

    test_windows: int = Field(2, ge=1, description="Newest windows, held out for the promotion gate.")
    validation_windows: int = Field(2, ge=1, description="Windows before those, for early stopping and search.")
    train_windows: int | None = Field(
        None, ge=1, description="At most so many windows before those (rolling); all when left out (expanding)."
    )


class Uniform(Spec):
    """Any value between `low` and `high`."""

    kind: Literal["uniform"]
    low: float
    high: float


class LogUniform(Spec):
    """Any value between `low` and `high`, evenly in the logarithm."""

    kind: Literal["loguniform"]
    low: float = Field(gt=0)
    high: float


class Integer(Spec):
    """A whole number from `low` to `high`, both included."""

    kind: Literal["integer"]
    low: int
    high: int


class Choice(Spec):
    """One of the listed values."""

    kind: Literal["choice"]
    values: tuple[float | int | str, ...] = Field(min_length=1)


Distribution = Annotated[Uniform | LogUniform | Integer | Choice, Field(discriminator="kind")]


class Search(Spec):
    """The hyper-parameter search."""

    space: dict[Column, Distribution] = Field(description="XGBoost parameter -> distribution.")
    fixed: dict[Column, float | int | str | bool] = Field(
        default_factory=dict, description="XGBoost parameters that are not searched, e.g. objective."
    )
    max_trials: int = Field(20, ge=1, description="Trials of the first search.")
    retrain_trials: int | None = Field(
        None, ge=1, description="Trials of a retraining, which starts from the champion's parameters."
    )
    max_rounds: int = Field(500, ge=1, description="Most boosting rounds of a trial.")
    early_stopping_rounds: int = Field(20, ge=1, description="Rounds without gain that end a trial.")
    loss: Literal["rmse", "mae"] = Field("rmse", description="Validation metric that is minimised.")
    threads: int = Field(2, ge=1, description="Threads of a trial; part of what makes its bytes repeatable.")
    seed: int = Field(0, ge=0, description="Seed of the search; the seeds of its trials derive from it.")

    @model_validator(mode="after")
    def _ranges_hold_values(self) -> "Search":
        for name, dist in self.space.items():
            if not isinstance(dist, Choice) and dist.high <= dist.low:
                raise ValueError(f"{name}: high {dist.high} is not above low {dist.low}")
        if both := sorted(set(self.space) & set(self.fixed)):
            raise ValueError(f"{', '.join(both)}: both searched and fixed; keep one")
        return self


class Promotion(Spec):
    """The gate: challenger against champion on the same labelled, time-held-out rows."""

    metric: Literal["rmse", "mae"] = Field("rmse", description="Error that is compared.")
    min_gain: float = Field(
        0.0, ge=0, description="Least relative gain over the champion, e.g. 0.005 for half a percent."
    )
    confidence: float = Field(
        0.8, gt=0.5, lt=1, description="One-sided confidence that the gain is above zero (paired, by day)."
    )
    bootstrap_samples: int = Field(1000, ge=100, description="Resamples of the paired bootstrap.")
    seed: int = Field(0, ge=0, description="Seed of the bootstrap.")
