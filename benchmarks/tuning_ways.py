"""The searches that `benchmarks.tuning` compares: each returns how its trials went, and when.

All search the same space on the same rows, encoded alike, with the same rounds and early stopping; each begins with
the encoded rows in memory. An end is reached at so many trials or CPU seconds, whichever comes first: wall seconds
would measure who else is using the machine.
"""

import math
import os
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.measuring import cpu_seconds
from benchmarks.validation_history import flights as flights_history
from ml_assets.components.declaration import read_problem
from ml_assets.ml.search.trial_log import Trial
from ml_assets.ml.training.encoding import Encoder
from ml_assets.resources.registry import Registry
from ml_assets.spec import Integer, LogUniform, Problem, Search, Uniform

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # as the launcher of runs does; before XGBoost is imported
ROOT = Path(__file__).parents[1]
LABEL = "arr_delay"
SPEC = Search(
    space={
        "max_depth": Integer(kind="integer", low=3, high=8),
        "eta": LogUniform(kind="loguniform", low=0.03, high=0.3),
        "min_child_weight": LogUniform(kind="loguniform", low=1, high=100),
        "subsample": Uniform(kind="uniform", low=0.5, high=1),
        "colsample_bytree": Uniform(kind="uniform", low=0.3, high=1),
        "reg_lambda": LogUniform(kind="loguniform", low=0.1, high=100),
    },
    fixed={"objective": "reg:squarederror", "tree_method": "hist", "max_bin": 128},
    max_rounds=300,
    early_stopping_rounds=20,
    threads=2,
)
Ended = dict[str, float | None]
"""One trial: `s` and `cpu_s`, wall and CPU seconds from the begin until it ended, a former trial's logging included;
`loss`, its validation RMSE, None unless it ran to its end."""


class _Clock:
    """Notes trials as they end.

    CPU seconds are those of child processes, too: for every model that MLflow's autolog logs, it starts an interpreter
    that finds out which packages the model needs.
    """

    def __init__(self, cpu_s: float) -> None:
        self._limit, self._wall, self._cpu = cpu_s, time.perf_counter(), cpu_seconds()
        self.ended: list[Ended] = []

    def note(self, loss: float | None) -> None:
        self.ended.append({"s": time.perf_counter() - self._wall, "cpu_s": self._now(), "loss": loss})

    def over(self) -> bool:
        return self._now() >= self._limit

    def _now(self) -> float:
        return cpu_seconds() - self._cpu


class _Over(Exception):  # noqa: N818 - ends a search whose budget is in wall seconds by CPU seconds
    pass


def problem() -> Problem:
    """The flights problem."""
    return read_problem(ROOT / "ml_assets" / "defs" / "flights" / "defs.yaml")


def training_set(path: Path, weeks: int, rows: int | None) -> Path:
    """Training and validation rows as the platform makes them, from the shipped data.

    Args:
        path: File to write.
        weeks: Of the year, from its begin; the last ones validate.
        rows: At most so many training rows, the newest; all where None.
    """
    frame = next(iter(flights_history(path.parent / "history", weeks))).frame
    train = frame[frame["split"] == "train"].tail(rows or len(frame))
    pd.concat([train, frame[frame["split"] == "validation"]]).to_parquet(path)
    return path


class _Rows:
    """The encoded rows, and a log of trials."""

    def __init__(self, path: str) -> None:
        frame = pd.read_parquet(path)
        self.train, self.validation = (frame[frame["split"] == part] for part in ("train", "validation"))
        self.encoder = Encoder.fit(self.train, problem().features)
        self.x, self.v = self.encoder.transform(self.train), self.encoder.transform(self.validation)
        self.y, self.w = (part[LABEL].to_numpy(np.float32) for part in (self.train, self.validation))

    def names(self) -> dict[str, Any]:
        return {"feature_names": self.encoder.feature_names, "feature_types": self.encoder.feature_types}

    def shared(self) -> tuple[Any, Any]:
        """Matrices cut once."""
        import xgboost

        cut = {**self.names(), "max_bin": SPEC.fixed["max_bin"], "nthread": SPEC.threads}
        train = xgboost.QuantileDMatrix(self.x, self.y, **cut)
        return train, xgboost.QuantileDMatrix(self.v, self.w, ref=train, **cut)


def _store(folder: str) -> Registry:
    """MLflow in a folder, its tables made: that takes ten seconds, once, whatever is logged later."""
    import mlflow

    registry = Registry(tracking_uri=f"sqlite:///{folder}/mlflow.db", artifacts=Path(folder, "artifacts").as_uri())
    registry.ensure_experiment("benchmark")
    mlflow.set_tracking_uri(registry.tracking_uri)
    mlflow.set_experiment("benchmark")
    return registry


def plain(path: str, trials: int, seconds: float, seed: int) -> Callable[[], list[Ended]]:
    """The recipe of MLflow's and Databricks' tutorials: all in the objective, autolog every trial with its model."""
    import hyperopt
    import mlflow
    import xgboost

    from ml_assets.ml.search.space import hyperopt_space

    rows, folder = _Rows(path), TemporaryDirectory()
    _store(folder.name)
    mlflow.xgboost.autolog(silent=True)

    def work() -> list[Ended]:
        clock = _Clock(seconds)

        def objective(drawn: dict[str, Any]) -> dict[str, Any]:
            with mlflow.start_run(nested=True):
                train = xgboost.DMatrix(rows.x, rows.y, **rows.names())
                validation = xgboost.DMatrix(rows.v, rows.w, **rows.names())
                params = {**SPEC.fixed, **drawn, "nthread": SPEC.threads, "eval_metric": "rmse"}
                booster = xgboost.train(
                    params,
                    train,
                    SPEC.max_rounds,
                    evals=[(validation, "validation")],
                    early_stopping_rounds=SPEC.early_stopping_rounds,
                    verbose_eval=False,
                )
            clock.note(booster.best_score)
            return {"status": "ok", "loss": booster.best_score}

        with folder, mlflow.start_run():
            hyperopt.fmin(
                objective,
                hyperopt_space(SPEC.space),
                hyperopt.tpe.suggest,
                trials,
                early_stop_fn=lambda _: (clock.over(), []),
                rstate=np.random.default_rng(seed),
                verbose=False,
                show_progressbar=False,
            )
        return clock.ended

    return work


def ours(path: str, trials: int, seconds: float, seed: int, **changes: Any) -> Callable[[], list[Ended]]:
    """The platform's search as its asset runs it: trial log, a run in MLflow per trial, the best model logged."""
    import hyperopt  # noqa: F401 - not timed
    import mlflow
    import xgboost  # noqa: F401 - not timed

    from ml_assets.ml.search.tuning import search
    from ml_assets.resources.tracking import TrialRuns

    rows, features, folder = _Rows(path), problem().features, TemporaryDirectory()
    registry = _store(folder.name)
    spec = Search.model_validate({**SPEC.model_dump(), "seed": seed, **changes})

    def work() -> list[Ended]:
        clock = _Clock(seconds)
        runs: list[TrialRuns] = []

        def tell(trial: Trial) -> None:
            runs[0].log(trial)
            # Of its trials only those that ran to their end can win.
            clock.note(trial.loss if trial.status == "ok" else None)
            if clock.over():
                raise _Over

        with folder, mlflow.start_run() as parent, suppress(_Over):
            found = search(
                rows.train,
                rows.validation,
                features=features,
                label=LABEL,
                spec=spec,
                trials=trials,
                log=Path(folder.name, "trials.jsonl"),
                on_start=lambda name: runs.append(TrialRuns(registry.client(), parent, name)),
                on_trial=tell,
            )
            found.model.save(Path(folder.name, "model"))
            example = rows.validation[list(features)].head(5).reset_index(drop=True)
            registry.log_model(mlflow, Path(folder.name, "model"), found.model, example)
        return clock.ended

    return work


def ours_parallel(path: str, trials: int, seconds: float, seed: int) -> Callable[[], list[Ended]]:
    """The same, two trials at once with a thread each."""
    return ours(path, trials, seconds, seed, parallel_trials=2)


def random_search(path: str, trials: int, seconds: float, seed: int) -> Callable[[], list[Ended]]:
    """The platform's search without TPE and without pruning."""
    return ours(path, trials, seconds, seed, startup_trials=1_000_000, pruning=None)


def optuna_logged(path: str, trials: int, seconds: float, seed: int) -> Callable[[], list[Ended]]:
    """The same, with a run in MLflow per trial by Optuna's own callback; its models are not logged."""
    return optuna_tpe(path, trials, seconds, seed, logged=True)


def optuna_tpe(path: str, trials: int, seconds: float, seed: int, *, logged: bool = False) -> Callable[[], list[Ended]]:
    """Optuna's TPE and its median pruner by its own XGBoost callback, on shared matrices; nothing is logged."""
    import optuna
    import xgboost
    from optuna_integration import XGBoostPruningCallback

    rows, folder = _Rows(path), TemporaryDirectory()
    callbacks: list[Any] = []
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    if logged:
        from optuna_integration import MLflowCallback

        uri = _store(folder.name).tracking_uri
        callbacks.append(MLflowCallback(uri, metric_name="rmse", mlflow_kwargs={"nested": True}))

    def work() -> list[Ended]:
        clock = _Clock(seconds)
        train, validation = rows.shared()

        def objective(trial: Any) -> float:
            params = {**SPEC.fixed, "nthread": SPEC.threads, "eval_metric": "rmse", "seed": seed}
            for name, given in SPEC.space.items():
                if isinstance(given, Integer):
                    params[name] = trial.suggest_int(name, given.low, given.high)
                else:
                    assert isinstance(given, Uniform | LogUniform)
                    params[name] = trial.suggest_float(name, given.low, given.high, log=isinstance(given, LogUniform))
            booster = xgboost.train(
                params,
                train,
                SPEC.max_rounds,
                evals=[(validation, "validation")],
                early_stopping_rounds=SPEC.early_stopping_rounds,
                callbacks=[XGBoostPruningCallback(trial, "validation-rmse")],
                verbose_eval=False,
            )
            return booster.best_score

        def note(study: Any, trial: Any) -> None:
            clock.note(trial.value if trial.state == optuna.trial.TrialState.COMPLETE else None)
            if clock.over():
                study.stop()

        pruner = optuna.pruners.MedianPruner(n_startup_trials=5, n_warmup_steps=10)
        study = optuna.create_study(sampler=optuna.samplers.TPESampler(seed=seed), pruner=pruner)
        with folder:
            study.optimize(objective, trials, callbacks=[*callbacks, note])
        return clock.ended

    return work


def least(ended: list[Ended], *, trials: int | None = None, seconds: float = math.inf) -> float | None:
    """Least loss of the first so many trials, or within so many CPU seconds; None where there are not so many."""
    if trials is not None and len(ended) < trials:
        return None
    losses = [each["loss"] for each in ended[:trials] if (each["cpu_s"] or 0) <= seconds]
    return min((loss for loss in losses if loss is not None), default=None)
