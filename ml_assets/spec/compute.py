"""Where trainings run: on this machine or on a Spark cluster, in memory or on disk, on CPU or GPU.

What is searched and how a trial is judged is `search.py`'s; nothing here changes which parameters are proposed, save
that trials on Spark are proposed in batches.
"""

import re
from typing import Annotated, Literal

from pydantic import Field, StringConstraints, model_validator

from ml_assets.spec.base import Spec

SparkMaster = Annotated[
    str,
    StringConstraints(pattern=r"^(local(\[(\d+|\*)(,\d+)?\])?|(spark|k8s|mesos)://[A-Za-z0-9._:/,\[\]-]+|yarn)$"),
]
"""Spark's own forms of a master's address, without user names or passwords."""

SparkSetting = Annotated[str, StringConstraints(pattern=r"^spark\.[A-Za-z0-9_.-]+$")]

_SECRET = re.compile(r"secret|password|token|credential|access\.key", re.IGNORECASE)
_OURS = {
    "spark.master": "`compute.spark_master`",
    "spark.task.cpus": "`search.threads`",
}


class Compute(Spec):
    """Where trials and trainings run."""

    spark_master: SparkMaster | None = Field(
        None,
        description="Spark's master, for `trials: spark` and `training: spark`; needs the extra `spark` and Java 17.",
        examples=["spark://10.0.0.5:7077"],
    )
    spark_settings: dict[SparkSetting, str] = Field(
        default_factory=dict,
        description="Further settings of the Spark session. No secrets: those belong into spark-defaults.conf.",
        examples=[{"spark.executor.memory": "8g"}],
    )
    trials: Literal["local", "spark"] = Field(
        "local",
        description="Where trials run. On Spark many at a time, each on one machine, by Hyperopt's SparkTrials; every "
        "Python process of an executor receives the rows once and cuts its matrices once.",
        examples=["spark"],
    )
    parallel_trials: int = Field(
        4,
        ge=1,
        le=128,
        description="Trials at a time on Spark. TPE proposes that many from what all earlier batches found, so a "
        "search with the same number and seed makes the same proposals, whichever trial ends first.",
        examples=[8],
    )
    training: Literal["local", "external_memory", "spark"] = Field(
        "local",
        description="How one training holds its rows: in memory; in batches on disk (`external_memory`, rows beyond "
        "this machine's memory); or spread over a Spark cluster (`spark`, rows beyond one machine).",
        examples=["external_memory"],
    )
    training_workers: int = Field(
        2, ge=1, description="Spark tasks of one training, each with its share of the rows.", examples=[8]
    )
    batch_rows: int = Field(
        1_000_000,
        ge=1_000,
        description="Rows that external memory reads at a time. Memory grows with it; many small batches are slower.",
        examples=[500_000],
    )
    device: Literal["cpu", "cuda"] = Field("cpu", description="What trees are grown on.", examples=["cuda"])
    gpu_required: bool = Field(
        False,
        description="Whether `device: cuda` fails where there is no usable GPU; otherwise it warns and takes the CPU.",
        examples=[True],
    )

    @property
    def uses_spark(self) -> bool:
        """Whether a Spark session is needed."""
        return "spark" in (self.trials, self.training)

    @model_validator(mode="after")
    def _parts_fit(self) -> "Compute":
        if self.uses_spark and self.spark_master is None:
            raise ValueError("`spark_master` is missing: trials or trainings on Spark need it")
        if self.trials == "spark" and self.training != "local":
            raise ValueError(
                f"`trials: spark` trains each trial on one machine, in memory, which `training: {self.training}` is "
                "not; keep one of them"
            )
        if self.device == "cuda" and self.training == "external_memory":
            raise ValueError("`training: external_memory` keeps its batches for the CPU; use `device: cpu` with it")
        if self.gpu_required and self.device != "cuda":
            raise ValueError("`gpu_required` is for `device: cuda`; set that, or leave it out")
        return self

    @model_validator(mode="after")
    def _settings_are_the_users(self) -> "Compute":
        for name in self.spark_settings:
            if name in _OURS:
                raise ValueError(f"`spark_settings` names {name}, which follows from {_OURS[name]}; leave it out")
            if _SECRET.search(name):
                raise ValueError(f"`spark_settings` names {name}: secrets belong into spark-defaults.conf")
        return self
