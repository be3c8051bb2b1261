"""A user's own estimator: found by its reference, asked like any other, its mistakes told by name and line."""

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ml_assets.errors import EstimatorError, MLAssetsError
from ml_assets.ml.estimators.interface import Estimator, Fit, Inputs, Rows, TrainingFailure
from ml_assets.ml.features.functions import file_text, load_from_text, load_function, told
from ml_assets.ml.quality.ranking import Floats
from ml_assets.ml.training.params import ParamValue
from ml_assets.spec import Search, Task

if TYPE_CHECKING:
    from ml_assets.ml.training.watch import Watch


_TAKEN = ("model.json", "encoder.json", "estimator.py")
"""Other files of a model."""


class OwnEstimator(Estimator):
    """What a class that a declaration names does, guarded."""

    def __init__(self, reference: str, kind: Any, code: bytes | None, path: Path) -> None:
        """Make the estimator.

        Args:
            reference: What the declaration calls it.
            kind: What the reference names.
            code: The text of its file; None where a package's.
            path: Of that file, for errors.

        Raises:
            EstimatorError: It is no class of an `Estimator`, or cannot be made.
        """
        self._reference, self._code, self._path = reference, code, path
        if not (isinstance(kind, type) and issubclass(kind, Estimator)):
            raise EstimatorError(reference, "is no class that derives from ml_assets.ml.estimators.Estimator")
        self._own: Estimator = self._asked(kind)
        for name in ("title", "file"):
            if not isinstance(getattr(kind, name, None), str):
                raise EstimatorError(reference, f"has no `{name}`; give its class one, as text")
        if not re.fullmatch(r"\w[\w-]*\.\w+", kind.file) or kind.file in _TAKEN:
            raise EstimatorError(reference, f"has `file` {kind.file!r}; give it a plain name, such as ridge.json")
        self.title, self.file, self.reserved = kind.title, kind.file, kind.reserved  # type: ignore[misc]

    @property
    def reference(self) -> str:
        """What the declaration calls it."""
        return self._reference

    @property
    def code(self) -> bytes | None:
        """The text of its file; None where a package's."""
        return self._code

    def versions(self) -> dict[str, str]:
        """Its libraries' versions."""
        return self._asked(self._own.versions)

    def misfits(self, spec: Search, task: Task) -> list[str]:
        """What it says of a declaration."""
        return self._asked(self._own.misfits, spec, task)

    def known(self, inputs: Inputs) -> frozenset[str]:
        """The parameters that it says it takes."""
        return frozenset(self._asked(self._own.known, inputs))

    def parameters(self, spec: Search, inputs: Inputs, seed: int) -> dict[str, ParamValue]:
        """What it adds to the declared parameters."""
        return self._asked(self._own.parameters, spec, inputs, seed)

    def prepare(self, rows: Rows, spec: Search, train: Any = None) -> Any:
        """Rows as it takes them."""
        return self._asked(self._own.prepare, rows, spec, train)

    def train(
        self,
        train: Any,
        validation: Any,
        inputs: Inputs,
        params: Mapping[str, ParamValue],
        spec: Search,
        watch: "Watch",
    ) -> Fit | None:
        """One trial; whatever it raises is the trial's failure."""
        fit = self._trained(self._own.train, train, validation, inputs, params, spec, watch)
        if fit is None and not watch.verdict:
            raise TrainingFailure("its `train` returned nothing, and nobody had stopped it")
        if fit is not None and not isinstance(fit, Fit):
            raise TrainingFailure(f"its `train` returned {type(fit).__name__} instead of a Fit")
        return fit

    def refit(
        self, rows: Any, inputs: Inputs, params: Mapping[str, ParamValue], rounds: int, spec: Search
    ) -> tuple[Any, dict[str, ParamValue]]:
        """The last training."""
        return self._trained(self._own.refit, rows, inputs, params, rounds, spec)

    def predict(self, fitted: Any, x: NDArray[np.float32]) -> Floats:
        """Its predictions."""
        return np.asarray(self._asked(self._own.predict, fitted, x), dtype=np.float64)

    def importance(self, fitted: Any, inputs: Inputs) -> Mapping[str, float]:
        """What it says of its features."""
        return self._asked(self._own.importance, fitted, inputs)

    def to_bytes(self, fitted: Any) -> bytes:
        """The content of its file."""
        content = self._asked(self._own.to_bytes, fitted)
        if not isinstance(content, bytes):
            raise EstimatorError(self.reference, f"returns {type(content).__name__} from `to_bytes`; return bytes")
        return content

    def from_bytes(self, content: bytes) -> Any:
        """What `to_bytes` wrote."""
        return self._asked(self._own.from_bytes, content)

    def _trained(self, method: Callable[..., Any], *arguments: Any) -> Any:
        from ml_assets.ml.training.watch import GivenUpError

        try:
            return method(*arguments)
        except (TrainingFailure, GivenUpError, MLAssetsError, MemoryError):
            raise
        except Exception as error:  # a user's code may raise anything; it is named, not hidden
            raise TrainingFailure(told(error, self._path)) from error

    def _asked(self, method: Callable[..., Any], *arguments: Any) -> Any:
        try:
            return method(*arguments)
        except (TrainingFailure, MLAssetsError, MemoryError):
            raise
        except Exception as error:  # as in `_trained`
            raise EstimatorError(self._reference, f"fails: {told(error, self._path)}") from error


def own_estimator(reference: str, folder: Path) -> OwnEstimator:
    """The estimator that `file.py:Name` below a folder, or `package.module:Name`, names.

    Raises:
        FunctionError: It is not there, or cannot be loaded.
        EstimatorError: It is no estimator.
    """
    place = reference.partition(":")[0]
    if place.endswith(".py"):
        return estimator_from_text(reference, file_text(reference, folder), (folder / place).resolve())
    return OwnEstimator(reference, load_function(reference, folder), None, Path(place))


def estimator_from_text(reference: str, text: bytes, path: Path) -> OwnEstimator:
    """The same from the text of its file, as models keep it: a model is read by the code that trained it.

    Raises:
        FunctionError, EstimatorError: As `own_estimator`.
    """
    return OwnEstimator(reference, load_from_text(reference, text, path), text, path)
