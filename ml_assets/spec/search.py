"""The hyper-parameter search: of which estimator, which parameters, from which distributions, how many trials."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field, model_validator

from ml_assets.spec.base import Column, Spec
from ml_assets.spec.metrics import MetricName
from ml_assets.spec.pruning import Pruning

_STEP = "Round to multiples of this; any value when left out (Hyperopt's q-distributions)."


class Distributed(Spec):
    """Common to all distributions: their numbers are finite."""

    model_config = ConfigDict(allow_inf_nan=False)


class Bounded(Distributed):
    """Common to distributions between two ends."""

    @model_validator(mode="after")
    def _holds_values(self) -> "Bounded":
        low, high = getattr(self, "low"), getattr(self, "high")  # noqa: B009
        if high <= low:
            raise ValueError(f"high {high} is not above low {low}; raise `high`")
        return self


class Uniform(Bounded):
    """Any value between `low` and `high`."""

    kind: Literal["uniform"] = Field(description="Evenly distributed.", examples=["uniform"])
    low: float = Field(description="Least value.", examples=[0.6])
    high: float = Field(description="Greatest value.", examples=[0.95])
    step: float | None = Field(None, gt=0, description=_STEP, examples=[0.05])


class LogUniform(Bounded):
    """Any value between `low` and `high`, evenly in the logarithm."""

    kind: Literal["loguniform"] = Field(description="Evenly distributed in the logarithm.", examples=["loguniform"])
    low: float = Field(gt=0, description="Least value, above 0.", examples=[0.01])
    high: float = Field(description="Greatest value.", examples=[0.3])
    step: float | None = Field(None, gt=0, description=_STEP, examples=[1])


class Normal(Distributed):
    """Values around a mean; every number is possible."""

    kind: Literal["normal"] = Field(description="Normally distributed.", examples=["normal"])
    mean: float = Field(description="Mean.", examples=[0])
    std: float = Field(gt=0, description="Standard deviation.", examples=[1])
    step: float | None = Field(None, gt=0, description=_STEP, examples=[1])


class LogNormal(Distributed):
    """Positive values whose logarithm is normally distributed."""

    kind: Literal["lognormal"] = Field(description="Normally distributed in the logarithm.", examples=["lognormal"])
    median: float = Field(gt=0, description="Median of the values.", examples=[1])
    log_std: float = Field(gt=0, description="Standard deviation of the natural logarithm.", examples=[1])
    step: float | None = Field(None, gt=0, description=_STEP, examples=[1])


class Integer(Bounded):
    """A whole number from `low` to `high`, both included."""

    kind: Literal["integer"] = Field(description="Whole numbers, each as likely.", examples=["integer"])
    low: int = Field(description="Least value.", examples=[3])
    high: int = Field(description="Greatest value.", examples=[10])


class Choice(Distributed):
    """One of the listed values."""

    kind: Literal["choice"] = Field(description="One of a list.", examples=["choice"])
    values: tuple[float | int | str, ...] = Field(
        min_length=1, description="The values.", examples=[["depthwise", "lossguide"]]
    )
    probabilities: tuple[float, ...] | None = Field(
        None, description="One per value, adding up to 1; all as likely when left out.", examples=[[0.7, 0.3]]
    )

    @model_validator(mode="after")
    def _one_probability_each(self) -> "Choice":
        if self.probabilities is not None and (
            len(self.probabilities) != len(self.values)
            or min(self.probabilities) < 0
            or abs(sum(self.probabilities) - 1) > 1e-6
        ):
            raise ValueError(f"probabilities {list(self.probabilities)} are not one per value, adding up to 1")
        return self


Distribution = Annotated[Uniform | LogUniform | Normal | LogNormal | Integer | Choice, Field(discriminator="kind")]

DEFAULT_SPACE: dict[str, Distribution] = {
    "max_depth": Integer(kind="integer", low=3, high=7),
    "eta": LogUniform(kind="loguniform", low=0.03, high=0.3),
    "min_child_weight": LogUniform(kind="loguniform", low=1, high=100),
    "subsample": Uniform(kind="uniform", low=0.6, high=1.0),
    "colsample_bytree": Uniform(kind="uniform", low=0.4, high=1.0),
}
"""A space that serves most tables of some thousand rows and more."""

DEFAULT_SPACES: dict[str, dict[str, Distribution]] = {
    "xgboost": DEFAULT_SPACE,
    "hist_gradient_boosting": {
        "max_leaf_nodes": Integer(kind="integer", low=8, high=128),
        "learning_rate": LogUniform(kind="loguniform", low=0.03, high=0.3),
        "min_samples_leaf": Integer(kind="integer", low=5, high=200),
        "l2_regularization": LogUniform(kind="loguniform", low=0.01, high=100),
        "max_features": Uniform(kind="uniform", low=0.4, high=1.0),
    },
}
"""Estimators of the platform -> what is searched where nothing is declared; of an own one nothing is."""


class Search(Spec):
    """The hyper-parameter search."""

    estimator: str = Field(
        "xgboost",
        pattern=r"^(xgboost|hist_gradient_boosting|([\w./-]+\.py|\w+(\.\w+)*):\w+)$",
        description="What is trained: `xgboost`; `hist_gradient_boosting` (scikit-learn's); or a class of your own, "
        "`file.py:Name` beside defs.yaml or `package.module:Name`, derived from ml_assets.ml.estimators.Estimator. "
        "Only XGBoost trains from disk, over a Spark cluster and on a GPU.",
        examples=["hist_gradient_boosting"],
    )
    space: dict[Column, Distribution] = Field(
        default_factory=lambda: dict(DEFAULT_SPACE),
        description="Parameter of the estimator -> distribution. Left out: a default for the platform's estimators, "
        "nothing for one of your own.",
        examples=[{"eta": {"kind": "loguniform", "low": 0.03, "high": 0.3}}],
    )
    fixed: dict[Column, float | int | str | bool] = Field(
        default_factory=dict,
        description="Parameters that are not searched; `objective` (of hist_gradient_boosting `loss`) follows from the "
        "task when left out.",
        examples=[{"tree_method": "hist", "max_bin": 128}],
    )
    max_trials: int = Field(20, ge=1, description="Trials of the first search.", examples=[20])
    max_seconds: float | None = Field(
        None,
        gt=0,
        description="No trial starts after so many seconds of searching, those before an interruption included. The "
        "trials are the first ones of the same list, but how many depends on the machine; no limit when left out.",
        examples=[600],
    )
    trial_timeout_s: float | None = Field(
        3600,
        gt=0,
        description="Seconds after which a trial is given up and recorded as `timed_out`; the search goes on. "
        "`null`: no limit.",
        examples=[300],
    )
    retrain_trials: int | None = Field(
        None, ge=1, description="Trials of a retraining, which starts from the champion's parameters.", examples=[5]
    )
    former_trials: int = Field(
        1,
        ge=0,
        description="How many of the best trials of the searches of earlier cutoffs are tried next, newest search "
        "first, as far as they lie in the space.",
        examples=[2],
    )
    startup_trials: int = Field(
        6,
        ge=1,
        description="Random trials (a warm start among them) before TPE models the losses. Hyperopt's own 20 would "
        "make a search of a dozen trials purely random. A convention.",
        examples=[6],
    )
    max_rounds: int = Field(500, ge=1, description="Most boosting rounds of a trial.", examples=[500])
    early_stopping_rounds: int | None = Field(
        20,
        ge=1,
        description="Rounds without gain that end a trial; with `null` all `max_rounds` are trained, for labels so "
        "noisy or seasonal that the validation windows say little of the best round.",
        examples=[20],
    )
    pruning: Pruning | None = Field(
        Pruning(),
        description="When a trial that will not win is stopped; `null` lets all run to their end.",
        examples=[{"quantile": 0.5}],
    )
    refit: bool = Field(
        False,
        description="Whether the winner is trained once more on training and validation rows, with the parameters and "
        "rounds that it won with. The gate judges that model, on the test rows.",
        examples=[True],
    )
    loss: MetricName = Field(
        "rmse",
        description="Validation metric that is optimised; the problem's `metric` when left out.",
        examples=["mae"],
    )
    threads: int = Field(
        2,
        ge=1,
        description="Threads of the search, divided between its parallel trials; part of what makes its bytes "
        "repeatable.",
        examples=[2],
    )
    parallel_trials: int = Field(
        1,
        ge=1,
        description="Trials that are trained at once. Whoever finishes first, a trial is drawn from what the trials a "
        "fixed number before it gave, so the list of trials stays the same.",
        examples=[2],
    )
    seed: int = Field(
        0, ge=0, description="Seed of the search; the seeds of its trials derive from it.", examples=[2013]
    )

    @model_validator(mode="before")
    @classmethod
    def _the_estimators_default_space(cls, data: Any) -> Any:
        if not isinstance(data, Mapping) or "space" in data:
            return data
        return {**data, "space": dict(DEFAULT_SPACES.get(str(data.get("estimator", "xgboost")), {}))}

    @model_validator(mode="after")
    def _searched_or_fixed(self) -> "Search":
        if both := sorted(set(self.space) & set(self.fixed)):
            raise ValueError(f"{', '.join(both)}: both searched and fixed; keep one")
        if self.parallel_trials > self.threads:
            raise ValueError(
                f"parallel_trials {self.parallel_trials} need a thread each, and threads is {self.threads}; raise it"
            )
        return self

    @property
    def own_estimator(self) -> str | None:
        """The reference of a user's own estimator; None for the platform's."""
        return self.estimator if ":" in self.estimator else None

    @property
    def trial_threads(self) -> int:
        """Threads of one trial."""
        return self.threads // self.parallel_trials
