"""XGBoost: matrices cut into bins once for all trials, early stopping and pruning after each round, UBJSON.

Its objectives and metrics are in `xgboost_objectives.py`. Trainings from disk and over a Spark cluster, which no other
estimator has, are `external_memory.py`'s and `distributed/spark_training.py`'s.
"""

import json
import re
import warnings
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from ml_assets.ml.estimators.interface import Answer, Estimator, Fit, Inputs, Rows, TrainingFailure, misshapen
from ml_assets.ml.estimators.xgboost_objectives import base_params, eval_metric, loss_of, misfit
from ml_assets.ml.quality.ranking import Floats
from ml_assets.ml.training.params import ParamValue
from ml_assets.spec import Choice, Search, Task

if TYPE_CHECKING:
    import xgboost

    from ml_assets.ml.training.watch import Watch

DEFAULT_MAX_BIN = 256
"""XGBoost's own default, needed since matrices are cut before a trial names its parameters."""

_LEAST_BINS = 2


class XGBoost(Estimator):
    """`xgboost.train`; what it is fitted to is a `Booster` with the rounds up to the best one and no more."""

    title = "XGBoost"
    file = "model.ubj"
    reserved: ClassVar[Mapping[str, str]] = {
        "seed": "`search.seed`",
        "random_state": "`search.seed`",
        "nthread": "`search.threads`",
        "n_jobs": "`search.threads`",
        "eval_metric": "`search.loss`",
        "num_boost_round": "`search.max_rounds`",
        "n_estimators": "`search.max_rounds`",
        "early_stopping_rounds": "`search.early_stopping_rounds`",
        "num_class": "`task` and the labels",
    }

    @property
    def reference(self) -> str:
        """What a declaration calls it."""
        return "xgboost"

    def versions(self) -> dict[str, str]:
        """XGBoost's."""
        import xgboost

        return {"xgboost": xgboost.__version__}

    def misfits(self, spec: Search, task: Task) -> list[str]:
        """Objectives of another task, and bins that would differ by trial."""
        found = []
        if "max_bin" in spec.space:
            found.append("`search.space.max_bin`: bins are cut once for all trials; put it under `search.fixed`")
        if "objective" in spec.fixed and (reason := misfit(task, spec.fixed["objective"])):
            found.append(f"`search.fixed.objective` {reason}")
        searched = spec.space.get("objective")
        reasons = [misfit(task, value) for value in searched.values] if isinstance(searched, Choice) else []
        return found + [f"`search.space.objective` {reason}" for reason in reasons if reason]

    def parameters(self, spec: Search, inputs: Inputs, seed: int) -> dict[str, ParamValue]:
        """The objective where none is named, how many classes, threads and seed."""
        base = base_params(spec, inputs.task, len(inputs.classes))
        return {**base, "nthread": spec.trial_threads, "seed": seed}

    def prepare(self, rows: Rows, spec: Search, train: "xgboost.DMatrix | None" = None) -> "xgboost.QuantileDMatrix":
        """The rows in bins; those of validation rows are the training rows'."""
        import xgboost

        return xgboost.QuantileDMatrix(
            rows.x,
            rows.y,
            feature_names=list(rows.inputs.features),
            feature_types=["c" if kind == "string" else "q" for kind in rows.inputs.features.values()],
            max_bin=int(spec.fixed.get("max_bin", DEFAULT_MAX_BIN)),
            nthread=spec.threads,
            ref=train,
        )

    def train(
        self,
        train: "xgboost.DMatrix",
        validation: "xgboost.DMatrix",
        inputs: Inputs,
        params: Mapping[str, ParamValue],
        spec: Search,
        watch: "Watch",
    ) -> Fit | None:
        """One trial; its loss is XGBoost's own metric at the best round."""
        import xgboost

        history: dict[str, dict[str, list[float]]] = {}
        metric = eval_metric(inputs.task, spec.loss)
        try:
            booster = xgboost.train(
                {**params, "eval_metric": metric},
                train,
                num_boost_round=spec.max_rounds,
                evals=[(validation, "validation")],
                early_stopping_rounds=spec.early_stopping_rounds,
                callbacks=[_callback(watch, spec)],
                evals_result=history,
                verbose_eval=False,
            )
            if watch.verdict:
                return None
            best = spec.max_rounds - 1 if spec.early_stopping_rounds is None else booster.best_iteration
            booster = booster[: best + 1]
            values = booster.predict(validation).astype(np.float64)
        except xgboost.core.XGBoostError as error:
            raise TrainingFailure(first_line(error)) from error
        return Fit(booster, values, best, loss_of(spec.loss, float(history["validation"][metric][best])))

    def refit(
        self,
        rows: "xgboost.DMatrix",
        inputs: Inputs,
        params: Mapping[str, ParamValue],
        rounds: int,
        spec: Search,
    ) -> "tuple[xgboost.Booster, dict[str, ParamValue]]":
        """The same rounds on other rows; there may be more classes among more rows."""
        import xgboost

        params = {**params, "num_class": len(inputs.classes)} if inputs.classes else dict(params)
        try:
            return xgboost.train(params, rows, num_boost_round=rounds, verbose_eval=False), params
        except xgboost.core.XGBoostError as error:
            raise TrainingFailure(first_line(error)) from error

    def predict(self, fitted: "xgboost.Booster", x: NDArray[np.float32]) -> Floats:
        """Predictions of float32 precision."""
        return np.asarray(fitted.inplace_predict(x, missing=np.nan), dtype=np.float64)

    def importance(self, fitted: "xgboost.Booster", inputs: Inputs) -> dict[str, float]:
        """The total gain of all splits by each feature."""
        return {name: float(np.sum(gain)) for name, gain in fitted.get_score(importance_type="total_gain").items()}

    def to_bytes(self, fitted: "xgboost.Booster") -> bytes:
        """UBJSON."""
        return bytes(fitted.save_raw(raw_format="ubj"))

    def from_bytes(self, content: bytes) -> "xgboost.Booster":
        """The booster that `to_bytes` wrote.

        Raises:
            ValueError: It is no booster.
        """
        import xgboost

        try:
            return xgboost.Booster(model_file=bytearray(content))
        except xgboost.core.XGBoostError as error:
            raise ValueError(first_line(error)) from error

    def probe(self, rows: Rows, spec: Search) -> Callable[[Mapping[str, ParamValue]], Answer]:
        """XGBoost is asked; it warns of names that it does not use."""
        bins = _bins(spec.fixed.get("max_bin"))
        matrix = self.prepare(rows, spec.model_copy(update={"fixed": {"max_bin": bins}, "threads": 1}))
        base = {**self.parameters(spec, rows.inputs, 0), "max_bin": bins}  # the booster's must be the matrix's

        def ask(params: Mapping[str, ParamValue]) -> Answer:
            with warnings.catch_warnings(record=True) as caught:
                warnings.simplefilter("always")
                try:
                    booster, _ = self.refit(matrix, rows.inputs, {**base, **params, "nthread": 1}, 1, spec)
                except TrainingFailure as failure:
                    return Answer(str(failure), re.search(r"expect (?!float|double|bool)", str(failure)) is not None)
            if wrong := misshapen(booster.predict(matrix), rows.inputs, len(rows.y)):
                return Answer(wrong)
            unused = _unused(" ".join(str(warning.message) for warning in caught))
            known = _names(json.loads(booster.save_config())) if unused else set()
            return Answer(unknown=tuple(unused), known=frozenset(known))

        return ask


def first_line(error: Exception) -> str:
    """XGBoost's message without clock time, source position and stack: the same failure reads the same."""
    line = str(error).strip().partition("\n")[0]
    return re.sub(r"^\[[\d:]+\] \S+:\d+: ", "", line).rstrip(":. ") or type(error).__name__


def _callback(watch: "Watch", spec: Search) -> "xgboost.callback.TrainingCallback":
    """A watch as XGBoost's; the validation rows have to be the only ones that it evaluates."""
    import xgboost

    class Callback(xgboost.callback.TrainingCallback):
        def after_iteration(self, model: Any, epoch: int, evals_log: Any) -> bool:
            [metrics] = evals_log.values()
            [values] = metrics.values()
            return watch.ends(loss_of(spec.loss, float(values[-1])))

    return Callback()


def _bins(declared: ParamValue | None) -> int:
    """Bins of made-up rows; a wrong number is for the training to refuse, by name."""
    return declared if isinstance(declared, int) and declared >= _LEAST_BINS else DEFAULT_MAX_BIN


def _unused(warned: str) -> list[str]:
    match = re.search(r"Parameters: \{(.*?)\} are not used", warned, re.DOTALL)
    return re.findall(r'"([^"]+)"', match[1]) if match else []


def _names(config: Any) -> set[str]:
    """All parameter names in XGBoost's configuration."""
    if isinstance(config, list):
        return set().union(*map(_names, config))
    if not isinstance(config, dict):
        return set()
    leaves = {name for name, value in config.items() if isinstance(value, str)}
    return leaves.union(*map(_names, config.values()))
