"""scikit-learn's histogram gradient boosting: missing values and categories as they are, early stopping by our rows.

scikit-learn tells nobody of a round while it trains, keeps the rounds after the best one, and knows no importance. So
this file touches four private things of it: the method by which it decides to stop, that which draws training rows to
score, the list of trees, and the nodes of a tree. All is in `_watched` and `_plain`; a test holds that they are asked.

Each trial cuts its own bins, since `fit` takes no rows that are cut already. Its last digits depend on the number of
threads, and scikit-learn starts no more than the machine has processors: with fewer than `search.threads` the bytes are
others.
"""

import inspect
import math
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from ml_assets.errors import TooManyCategoriesError
from ml_assets.ml.estimators.interface import Answer, Estimator, Fit, Inputs, Rows, TrainingFailure
from ml_assets.ml.estimators.skops_files import from_skops_bytes, skops_bytes
from ml_assets.ml.quality.ranking import Floats
from ml_assets.ml.training.params import ParamValue
from ml_assets.spec import Search, Task

if TYPE_CHECKING:
    from ml_assets.ml.training.watch import Watch

_MOST_BINS = 255
_FITTING: Mapping[Task, tuple[str, ...]] = {
    "regression": ("squared_error", "absolute_error", "poisson", "gamma", "quantile"),
    "binary": ("log_loss",),
    "multiclass": ("log_loss",),
}
_TRUSTED = (
    "functools.partial",
    "sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor",
    "sklearn.utils.validation.check_array",
)
"""What a fitted model holds beside arrays and estimators."""

_OF_TRAINING = {"_feature_subsample_rng", "_scorer", "train_score_", "validation_score_"}
"""What a fitted model holds and does not predict with."""


class HistGradientBoosting(Estimator):
    """`HistGradientBoostingRegressor` or `-Classifier`, with the rounds up to the best one and no more."""

    title = "HistGradientBoosting"
    file = "model.skops"
    reserved: ClassVar[Mapping[str, str]] = {
        "random_state": "`search.seed`",
        "seed": "`search.seed`",
        "max_iter": "`search.max_rounds`",
        "early_stopping": "`search.early_stopping_rounds`",
        "n_iter_no_change": "`search.early_stopping_rounds`",
        "tol": "`search.early_stopping_rounds`",
        "scoring": "`search.loss`",
        "validation_fraction": "`split`",
        "warm_start": "`search`",
        "categorical_features": "the types of the features",
        "verbose": "`search`",
    }

    @property
    def reference(self) -> str:
        """What a declaration calls it."""
        return "hist_gradient_boosting"

    def versions(self) -> dict[str, str]:
        """scikit-learn's, and that of what writes it."""
        import sklearn
        import skops

        return {"scikit-learn": sklearn.__version__, "skops": skops.__version__}

    def misfits(self, spec: Search, task: Task) -> list[str]:
        """A loss of another task."""
        named = spec.fixed.get("loss")
        if named is None or named in _FITTING[task]:
            return []
        return [f"`search.fixed.loss` '{named}' does not fit task {task}; use one of {', '.join(_FITTING[task])}"]

    def known(self, inputs: Inputs) -> frozenset[str]:
        """The arguments of scikit-learn's class that the search does not set itself."""
        return frozenset(inspect.signature(_class(inputs)).parameters) - set(self.reserved)

    def parameters(self, spec: Search, inputs: Inputs, seed: int) -> dict[str, ParamValue]:
        """The loss where none is named, and the seed."""
        default = "absolute_error" if spec.loss == "mae" else _FITTING[inputs.task][0]
        return ({} if "loss" in spec.space else {"loss": default}) | {"random_state": seed}

    def prepare(self, rows: Rows, spec: Search, train: Rows | None = None) -> Rows:
        """The rows as they are, but for training features without any value, which scikit-learn cannot bin.

        Raises:
            TooManyCategoriesError: A feature has more categories than a bin can tell apart.
        """
        most = int(spec.fixed.get("max_bins", _MOST_BINS))
        for name, count in rows.inputs.categories.items():
            if count > most:
                raise TooManyCategoriesError(name, count, most, self.reference)
        empty = np.isnan(rows.x).all(axis=0)
        # Of one value like of none nothing is learned.
        return replace(rows, x=np.where(empty, np.float32(0), rows.x)) if empty.any() else rows

    def train(
        self,
        train: Rows,
        validation: Rows,
        inputs: Inputs,
        params: Mapping[str, ParamValue],
        spec: Search,
        watch: "Watch",
    ) -> Fit | None:
        """One trial; its loss is the platform's own metric at the best round."""
        stopping, losses, best = spec.early_stopping_rounds, list[float](), 0

        def ends(values: Floats) -> bool:
            nonlocal best
            losses.append(validation.loss(spec.loss, values))
            if losses[-1] < losses[best] or math.isnan(losses[best]):
                best = len(losses) - 1
            return watch.ends(losses[-1]) or (stopping is not None and len(losses) - 1 - best >= stopping)

        model = _watched(inputs, params, spec.max_rounds, ends)
        _fit(model, train, spec, X_val=validation.x, y_val=_target(validation))
        if watch.verdict:
            return None
        best = len(losses) - 1 if stopping is None else best
        fitted = _plain(model, inputs, params, best + 1)
        return Fit(fitted, self.predict(fitted, validation.x), best, losses[best])

    def refit(
        self, rows: Rows, inputs: Inputs, params: Mapping[str, ParamValue], rounds: int, spec: Search
    ) -> tuple[Any, dict[str, ParamValue]]:
        """The same rounds on other rows."""
        model = _made(_class(inputs), inputs, params, rounds)
        _fit(model, rows, spec)
        return _plain(model, inputs, params, rounds), dict(params)

    def predict(self, fitted: Any, x: NDArray[np.float32]) -> Floats:
        """Predictions, or probabilities, in float64."""
        if not hasattr(fitted, "predict_proba"):
            return fitted.predict(x)
        probabilities = fitted.predict_proba(x)
        return probabilities if len(fitted.classes_) > 2 else probabilities[:, 1]

    def importance(self, fitted: Any, inputs: Inputs) -> dict[str, float]:
        """The total gain of all splits by each feature, which scikit-learn does not tell itself."""
        texts = [name for name, kind in inputs.features.items() if kind == "string"]
        # Its trees see categories first.
        names = [*texts, *(name for name in inputs.features if name not in texts)]
        gains = np.zeros(len(names))
        for tree in (tree for trees in fitted._predictors for tree in trees):
            splits = tree.nodes[tree.nodes["is_leaf"] == 0]
            np.add.at(gains, splits["feature_idx"], np.maximum(splits["gain"], 0.0))
        return dict(zip(names, gains.tolist(), strict=True))

    def to_bytes(self, fitted: Any) -> bytes:
        """skops' format, without pickle."""
        return skops_bytes(fitted)

    def from_bytes(self, content: bytes) -> Any:
        """What `to_bytes` wrote.

        Raises:
            ValueError: As `from_skops_bytes`.
        """
        return from_skops_bytes(content, _TRUSTED)

    def probe(self, rows: Rows, spec: Search) -> Callable[[Mapping[str, ParamValue]], Answer]:
        """scikit-learn is asked; it says of what is not whole that it must be."""
        ask = super().probe(rows, spec)

        def answer(params: Mapping[str, ParamValue]) -> Answer:
            found = ask(params)
            return replace(found, wants_whole=" must be an int" in found.refusal and " or a float" not in found.refusal)

        return answer


def _class(inputs: Inputs) -> Any:
    from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor

    return HistGradientBoostingRegressor if inputs.task == "regression" else HistGradientBoostingClassifier


def _made(kind: Any, inputs: Inputs, params: Mapping[str, ParamValue], rounds: int, **others: Any) -> Any:
    """An estimator that is not fitted."""
    categories = [place for place, each in enumerate(inputs.features.values()) if each == "string"]
    settings = {"early_stopping": False, "max_iter": rounds, "categorical_features": categories or None, **others}
    try:
        return kind(**params, **settings)
    except TypeError as error:
        raise TrainingFailure(str(error)) from error


def _watched(inputs: Inputs, params: Mapping[str, ParamValue], rounds: int, ends: Callable[[Floats], bool]) -> Any:
    """An estimator that asks after each round whether to stop.

    Args:
        inputs, params, rounds: What is trained, with what, how long at most.
        ends: Told the predictions of the validation rows after each round.
    """

    kind: Any = _class(inputs)

    class Watched(kind):
        def _check_early_stopping_scorer(self, *_: Any, raw_predictions_val: Any = None, **__: Any) -> bool:
            self.validation_score_.append(0.0)
            if not self._predictors:  # before the first round
                return False
            if inputs.task == "regression":
                return ends(self._loss.link.inverse(raw_predictions_val.ravel()))
            probabilities = self._loss.predict_proba(raw_predictions_val)
            return ends(probabilities if inputs.classes else probabilities[:, 1])

        def _get_small_trainset(self, x: Any, y: Any, weights: Any, seed: Any) -> tuple[Any, Any, Any, slice]:
            return x[:1], y[:1], weights, slice(0, 1)  # nobody looks at them

    # Any scorer that it knows by name: then it keeps the predictions of the validation rows up to date.
    scoring = "neg_mean_squared_error" if inputs.task == "regression" else "neg_log_loss"
    return _made(Watched, inputs, params, rounds, early_stopping=True, scoring=scoring)


def _fit(model: Any, rows: Rows, spec: Search, **validation: Any) -> None:
    from threadpoolctl import threadpool_limits

    try:
        with threadpool_limits(spec.trial_threads, user_api="openmp"):
            model.fit(rows.x, _target(rows), **validation)
    except (ValueError, TypeError, FloatingPointError) as error:
        raise TrainingFailure(" ".join(str(error).split())) from error


def _plain(model: Any, inputs: Inputs, params: Mapping[str, ParamValue], rounds: int) -> Any:
    """scikit-learn's own class with the first rounds and all that it predicts with."""
    plain = _made(_class(inputs), inputs, params, rounds)
    settings = set(plain.get_params())
    for name, value in vars(model).items():
        if name not in settings | _OF_TRAINING:
            setattr(plain, name, value)
    plain._predictors = model._predictors[:rounds]
    return plain


def _target(rows: Rows) -> NDArray[Any]:
    return rows.y if rows.inputs.task == "regression" else rows.y.astype(np.int64)
