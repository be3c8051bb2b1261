"""Processes, ports and runs."""

from ml_assets.errors.base import MLAssetsError


class WarmStartError(MLAssetsError):
    """The fork server that run workers start from does not answer."""

    def __init__(self, modules: tuple[str, ...], reason: str) -> None:
        super().__init__(
            f"The fork server with {', '.join(modules)} preloaded started no run worker ({reason}). Its own "
            "message is in the daemon's output; take the module that fails out of `run_launcher: preload` in "
            "dagster.yaml."
        )


class OtherPythonError(MLAssetsError):
    """A code location asks for another Python environment than the one that run workers are forked from."""

    def __init__(self, location_python: str, worker_python: str) -> None:
        super().__init__(
            f"The run's code location uses {location_python}, but warm run workers are copies of "
            f"{worker_python}. Leave `executable_path` out of workspace.yaml, or use the DefaultRunLauncher."
        )


class RunFailedError(MLAssetsError):
    """A Dagster run that a command of ours started has failed."""

    def __init__(self, job: str, run_id: str, reason: str) -> None:
        super().__init__(f"Job '{job}' failed (run {run_id[:8]}): {reason}")


class DemoError(MLAssetsError):
    """The demo cannot go on."""


class ServerError(MLAssetsError):
    """A server of ours does not start."""

    def __init__(self, name: str, reason: str, log: object) -> None:
        super().__init__(f"{name} did not start: {reason}. Its log: {log}")


class PortInUseError(MLAssetsError):
    """A port that a server of ours needs is taken."""

    def __init__(self, name: str, port: int, variable: str) -> None:
        super().__init__(f"Port {port} for {name} is in use: end what uses it, or set {variable} to another.")


class ServerAddressError(MLAssetsError):
    """The address of a server is malformed, or nothing answers there. The address is never shown."""

    def __init__(self, what: str, variable: str, reason: str, form: str) -> None:
        super().__init__(f"{what}: {reason}. Set the environment variable {variable} to {form}, and see that it runs.")


class FeastConfigurationError(MLAssetsError):
    """Feast refuses the blocks that configure it. What they hold is never shown."""

    def __init__(self, mistakes: list[str]) -> None:
        super().__init__(f"Feast's configuration: {'; '.join(mistakes)}: correct the feature store's resource.")


class LockTimeoutError(MLAssetsError):
    """Another process writes for too long what only one may write at a time."""

    def __init__(self, what: str, seconds: float) -> None:
        super().__init__(
            f"The lock of {what} was not free within {seconds:.0f} s: see which other run writes there, or hangs, "
            "and start this one again when that has ended."
        )
