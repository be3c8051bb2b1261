"""Spark, GPUs, and trainings beyond memory."""

from ml_assets.errors.base import MLAssetsError


class GpuRequiredError(MLAssetsError):
    """A declaration requires a GPU that is not there."""

    def __init__(self, reason: str) -> None:
        super().__init__(
            f"`compute.gpu_required` is set, but {reason}. Run where a GPU is, or leave `gpu_required` out: then the "
            "CPU is taken, with a warning."
        )
        self.reason = reason


class NoSparkError(MLAssetsError):
    """Spark is asked for and cannot be started here."""

    def __init__(self, reason: str, remedy: str) -> None:
        super().__init__(f"Spark cannot be used: {reason}. {remedy}")


class SparkMasterError(MLAssetsError):
    """No Spark session on the declared master."""

    def __init__(self, master: str, reason: str) -> None:
        super().__init__(
            f"Spark master '{master}' gives no session ({reason}). See that it runs and that this machine may reach "
            "it, or correct `compute.spark_master`."
        )


class SparkTrainingError(MLAssetsError):
    """A training that Spark spread over its executors has failed."""

    def __init__(self, reason: str) -> None:
        super().__init__(
            f"The training on Spark failed: {reason}. See the executors' logs; where executors lack slots or memory, "
            "lower `compute.training_workers` or raise spark.executor.memory in `compute.spark_settings`."
        )


class ExecutorDataError(MLAssetsError):
    """An executor does not have the rows, or the packages, that the driver has."""

    def __init__(self, what: str, driver: str, executor: str) -> None:
        super().__init__(
            f"Spark executor: {what} is {executor}, but {driver} on the driver, so its trials would not be the "
            "same ones. Install the same packages there (see constraints.txt)."
        )


class ExecutorRefusedError(MLAssetsError):
    """An executor found that it cannot do a search's trials at all; its own message says why."""

    def __init__(self, message: str) -> None:
        super().__init__(message)


class NoRowsFileError(MLAssetsError):
    """There is no parquet file to train from."""

    def __init__(self, path: str) -> None:
        super().__init__(f"'{path}' holds no parquet file with rows. Materialise the dataset of this cutoff first.")
