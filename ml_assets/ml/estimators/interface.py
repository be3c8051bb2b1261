"""What the platform asks of an estimator, and what it gives it. Each estimator has a file of its own beside this one.

The search, its log, the pruning, the encoding, the hashes and the registry are the platform's, the same for all.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from ml_assets.ml.quality.metrics import ADDITIVE, error_of, evaluate, row_losses
from ml_assets.ml.quality.ranking import Floats
from ml_assets.ml.quality.scores import Labels, Scores
from ml_assets.ml.training.params import ParamValue
from ml_assets.spec import FeatureType, MetricName, Search, Task

if TYPE_CHECKING:
    from ml_assets.ml.training.watch import Watch


class TrainingFailure(Exception):  # noqa: N818 - a result of a trial, not an error of the platform
    """A training cannot be done with these parameters or rows; its message is the trial's. The search goes on."""


@dataclass(frozen=True, eq=False)
class Inputs:
    """What matrices and labels mean.

    Attributes:
        features: Column of the matrix -> its type, in their order; the values of a "string" are codes of categories.
        categories: String feature -> how many categories the training rows have.
        task: Kind of label.
        classes: Multiclass: the classes, sorted; a label is a position among them.
    """

    features: Mapping[str, FeatureType]
    categories: Mapping[str, int]
    task: Task
    classes: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class Rows:
    """Encoded rows.

    Attributes:
        x: (n, k) float32; NaN is missing, of a category also one that training never saw.
        y: (n,) float64, finite: numbers, 0 and 1, or positions of classes.
        inputs: What they mean.
    """

    x: NDArray[np.float32]
    y: Floats
    inputs: Inputs

    @property
    def labels(self) -> Labels:
        """(n,) labels as metrics take them: numbers, or names of classes."""
        classes = self.inputs.classes
        return np.array(classes, dtype=object)[self.y.astype(int)] if classes else self.y

    def loss(self, metric: MetricName, values: Floats) -> float:
        """The platform's own metric of predictions of these rows, as something to be small; NaN where undefined.

        Args:
            metric: `search.loss`.
            values: As `Estimator.predict` gives them.
        """
        scores = Scores(self.inputs.task, np.asarray(values, dtype=np.float64), self.inputs.classes)
        if metric == "rmse":
            return float(np.sqrt(row_losses(metric, self.y, scores).mean()))
        if metric in ADDITIVE and metric != "accuracy":
            return float(row_losses(metric, self.labels, scores).mean())
        return error_of(metric, evaluate(self.labels, scores).values.get(metric, np.nan))


@dataclass(frozen=True, eq=False)
class Fit:
    """A training that ran to its end.

    Attributes:
        fitted: Whatever the estimator predicts with.
        values: Its predictions of the validation rows, as `Estimator.predict` gives them.
        best_iteration: Round (from 0) with the least validation loss, the last one that `fitted` holds; 0 without.
        loss: Validation loss at that round; computed by `Rows.loss` where None.
    """

    fitted: Any
    values: Floats
    best_iteration: int = 0
    loss: float | None = None


@dataclass(frozen=True)
class Answer:
    """What an estimator says of parameters before any trial.

    Attributes:
        refusal: Why it does not take them, in one line; "" where it does.
        wants_whole: The refusal is of a number that is not whole.
        unknown: Names that it does not know.
        known: Names that it knows, to find the one that was meant.
    """

    refusal: str = ""
    wants_whole: bool = False
    unknown: tuple[str, ...] = ()
    known: frozenset[str] = frozenset()


class Estimator(ABC):
    """A kind of estimator. It has no state of its own: all that a training learns is in what `train` returns.

    The same rows, parameters and seed must give the same fitted estimator, and that one the same bytes, in any process.
    `train`, `refit`, `predict`, `to_bytes` and `from_bytes` are needed; the rest has defaults that fit most.

    Attributes:
        title: What messages call it.
        file: Name of the file that `to_bytes` makes; no pickle.
        reserved: Parameter that a user cannot name -> what it follows from.
    """

    title: ClassVar[str]
    file: ClassVar[str]
    reserved: ClassVar[Mapping[str, str]] = {"seed": "`search.seed`"}

    @property
    def reference(self) -> str:
        """What a declaration calls it."""
        return f"{type(self).__module__}:{type(self).__name__}"

    @property
    def code(self) -> bytes | None:
        """The text of its own file, which is kept with its models; None where it is an installed package's."""
        return None

    def versions(self) -> dict[str, str]:
        """Library -> version: what decides, beside rows and parameters, whether two machines compute the same."""
        return {}

    def misfits(self, spec: Search, task: Task) -> list[str]:
        """What keeps a declaration from being run that no training would tell, each in one line."""
        return []

    def known(self, inputs: Inputs) -> frozenset[str]:
        """Names of the parameters that it takes; nothing where it does not say: then wrong names are for `train`."""
        return frozenset()

    def parameters(self, spec: Search, inputs: Inputs, seed: int) -> dict[str, ParamValue]:
        """What comes to the declared parameters. The declared ones win.

        Args:
            spec: The search.
            inputs: What is trained on.
            seed: Of this training, from 0 to 2**31 - 1.
        """
        return {"seed": seed}

    def prepare(self, rows: Rows, spec: Search, train: Any = None) -> Any:
        """Rows as trainings take them: done once, shared by all trials, which may run at once.

        Args:
            rows: Encoded; nobody else needs them afterwards.
            spec: The search.
            train: Validation rows: the training rows, prepared.

        Raises:
            MLAssetsError: They cannot be trained on.
        """
        return rows

    @abstractmethod
    def train(
        self,
        train: Any,
        validation: Any,
        inputs: Inputs,
        params: Mapping[str, ParamValue],
        spec: Search,
        watch: "Watch",
    ) -> Fit | None:
        """One trial.

        Args:
            train, validation: What `prepare` returned.
            inputs: What they mean.
            params: All parameters: those of `parameters`, fixed and searched ones.
            spec: Says how many rounds at most, when to stop early, and how many threads (`trial_threads`).
            watch: Where there are rounds: `watch.ends(loss)` after each, with its validation loss, says whether to
                stop; so pruning and time limits work. Without rounds there is nothing to ask.

        Returns:
            None where the watch said to stop.

        Raises:
            TrainingFailure: Not with these parameters.
        """

    @abstractmethod
    def refit(
        self, rows: Any, inputs: Inputs, params: Mapping[str, ParamValue], rounds: int, spec: Search
    ) -> tuple[Any, dict[str, ParamValue]]:
        """The same training on other rows, for a number of rounds, without validation rows.

        Args:
            rows: What `prepare` returned for them.
            inputs: What they mean.
            params: Of the trial that won.
            rounds: `best_iteration + 1` of that trial.
            spec: The search.

        Returns:
            As `Fit.fitted`, and the parameters that it was trained with.

        Raises:
            TrainingFailure: Not with these parameters.
        """

    @abstractmethod
    def predict(self, fitted: Any, x: NDArray[np.float32]) -> Floats:
        """Predictions of (n, k) encoded rows, n > 0; a row's does not depend on the rows beside it.

        Returns:
            Regression: (n,) in the label's unit. Binary: (n,) probabilities of 1. Multiclass: (n, classes).
        """

    def importance(self, fitted: Any, inputs: Inputs) -> Mapping[str, float]:
        """Feature -> a number >= 0 of any unit; a feature that is left out counts as 0. Nothing where unknown."""
        return {}

    @abstractmethod
    def to_bytes(self, fitted: Any) -> bytes:
        """The content of its file."""

    @abstractmethod
    def from_bytes(self, content: bytes) -> Any:
        """What `to_bytes` wrote.

        Raises:
            ValueError: It cannot be read here; says why.
        """

    def probe(self, rows: Rows, spec: Search) -> Callable[[Mapping[str, ParamValue]], Answer]:
        """Asks whether parameters are taken, by a training of one round. One's own estimator keeps this one.

        Args:
            rows: A few, made up, of every feature and class.
            spec: The search.
        """
        added, known = self.parameters(spec, rows.inputs, 0), self.known(rows.inputs)

        def ask(params: Mapping[str, ParamValue]) -> Answer:
            unknown = tuple(name for name in params if known and name not in known)
            taken = {name: value for name, value in params.items() if name not in unknown}
            try:
                prepared = self.prepare(rows, spec)
                fitted, _ = self.refit(prepared, rows.inputs, {**added, **taken}, 1, spec)
                values = np.asarray(self.predict(fitted, rows.x))
            except TrainingFailure as failure:
                return Answer(str(failure))
            wrong = misshapen(values, rows.inputs, len(rows.y))
            return Answer(wrong) if wrong else Answer(unknown=unknown, known=known)

        return ask


def misshapen(values: NDArray[Any], inputs: Inputs, rows: int) -> str:
    """Why predictions are not of the shape that they must have; "" where they are."""
    wanted = (rows, len(inputs.classes)) if inputs.classes else (rows,)
    if values.shape == wanted:
        return ""
    count = values.size // rows
    return (
        f"it predicts {count} values for a row" if wanted == (rows,) else f"its predictions are of shape {values.shape}"
    )
