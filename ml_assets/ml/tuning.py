"""The hyper-parameter search: Hyperopt's TPE over XGBoost trainings, repeatable and resumable.

A search is a function of its data, its declaration and its warm start: the same three give the same trials
and the same model bytes. That is also how it resumes: TPE runs again from the start and asks for the same
trials in the same order; those that the log holds are answered from it, only the others are trained.

How one trial is trained is `training.py`'s, how a space is written for Hyperopt is `search_space.py`'s.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from ml_assets.errors import AllTrialsFailedError, SearchParameterError, TrialNotRepeatableError
from ml_assets.ml.model import Model, ParamValue
from ml_assets.ml.search_checks import problems_of_search
from ml_assets.ml.search_space import Point, hyperopt_point, hyperopt_space, plain, warm_point
from ml_assets.ml.training import TrainingData, all_params, prepare, train_trial
from ml_assets.ml.trial_log import Trial, TrialLog
from ml_assets.spec import FeatureType, Search, Task

if TYPE_CHECKING:
    import xgboost


@dataclass(frozen=True)
class SearchResult:
    """What a search found.

    Attributes:
        best: The trial with the least loss; the earlier one of two equals.
        trials: All trials, by number.
        model: The best trial's model.
        left_out: Validation rows of classes that no training row has; see `TrainingData`.
    """

    best: Trial
    trials: tuple[Trial, ...]
    model: Model
    left_out: int = 0


def search(
    train: pd.DataFrame,
    validation: pd.DataFrame,
    *,
    features: Mapping[str, FeatureType],
    label: str,
    spec: Search,
    trials: int,
    log: Path,
    task: Task = "regression",
    warm_start: Mapping[str, ParamValue] | None = None,
    on_trial: Callable[[Trial], None] = lambda trial: None,
) -> SearchResult:
    """Search the declared space for the parameters with the least validation loss.

    Args:
        train: (n, ...) rows to fit on, with the features and the label.
        validation: (m, ...) later rows for early stopping and for the loss of a trial.
        features: The model's inputs and their types.
        label: Column to predict, known in all rows: finite numbers, of binary labels 0 and 1; names of classes.
        spec: Space, budget of rounds, loss, threads, seed.
        trials: How many; asking for more later continues the same search.
        log: File of finished trials; see `TrialLog`.
        task: Kind of label.
        warm_start: The champion's parameters: trial 0, as far as they lie in the space.
        on_trial: Called after each trial in their order, also for those from the log (`trial.resumed`).

    Raises:
        MissingFeaturesError, FeatureTypeError, InfiniteFeatureError: As `Encoder.transform`.
        UnusableLabelError, LabelValuesError, ConstantLabelError: As in `targets.py`.
        SearchParameterError: What `problems_of_search` finds.
        AllTrialsFailedError: No trial gave a finite loss.
        TrialNotRepeatableError: The log's best trial gives another loss on this machine.
    """
    if problems := problems_of_search(spec, task, features):
        raise SearchParameterError(problems)
    data = prepare(train, validation, features, label, spec, task)
    start = warm_point(spec.space, warm_start)
    run = _Run(data, spec, TrialLog(log, _header(data, spec, label, start)), on_trial)
    _draw(run, start, trials)
    done = [trial for trial in run.trials if trial.status == "ok"]
    if not done:
        raise AllTrialsFailedError(len(run.trials), run.trials[0].message)
    best = min(done, key=lambda trial: (trial.loss, trial.number))
    params = all_params(data, spec, dict(best.params), best.number)
    assert best.best_iteration is not None  # it is set wherever the status is "ok"
    model = Model(run.booster_of(best), data.encoder, label, params, best.best_iteration, task, data.classes)
    return SearchResult(best, tuple(run.trials), model, data.left_out)


class _Run:
    """The objective of one search, called with one point after the other."""

    def __init__(self, data: TrainingData, spec: Search, log: TrialLog, on_trial: Callable[[Trial], None]) -> None:
        self.data, self.spec, self.log, self.on_trial = data, spec, log, on_trial
        self.trials: list[Trial] = []
        self._kept: tuple[Trial, xgboost.Booster] | None = None

    def evaluate(self, point: Point) -> Trial:
        """The trial at a point: from the log, or trained and then logged."""
        number = len(self.trials)
        trial = self.log.answer(number, point)
        if trial is None:
            trial, booster = train_trial(self.data, self.spec, point, number)
            self.log.append(trial)
            if booster is not None and (self._kept is None or _loss(trial) < _loss(self._kept[0])):
                self._kept = (trial, booster)
        self.trials.append(trial)
        self.on_trial(trial)
        return trial

    def booster_of(self, best: Trial) -> "xgboost.Booster":
        """The best trial's booster; trained once more if an earlier, interrupted search had trained it."""
        if self._kept is not None and self._kept[0].number == best.number:
            return self._kept[1]
        again, booster = train_trial(self.data, self.spec, dict(best.params), best.number)
        if booster is None or again != best:
            raise TrialNotRepeatableError(self.log.path.name, best.number, _loss(best), again.loss)
        return booster


def _draw(run: _Run, start: Point | None, trials: int) -> None:
    """Let TPE draw the points of all trials, the warm start first."""
    from hyperopt import exceptions, fmin, partial, tpe

    space = run.spec.space
    if start is not None and trials == 1:  # fmin evaluates given points only on the way to drawn ones
        run.evaluate(start)
        return
    if not space:  # nothing to draw: the fixed parameters, once
        run.evaluate({})
        return

    def objective(drawn: dict[str, Any]) -> dict[str, Any]:
        trial = run.evaluate(plain(space, drawn))
        return {"status": "ok", "loss": trial.loss} if trial.status == "ok" else {"status": "fail"}

    try:
        fmin(
            objective,
            hyperopt_space(space),
            algo=partial(tpe.suggest, n_startup_jobs=run.spec.startup_trials, verbose=False),
            max_evals=trials - (start is not None),  # given points come on top of max_evals
            points_to_evaluate=None if start is None else [hyperopt_point(space, start)],
            rstate=np.random.default_rng(run.spec.seed),
            return_argmin=False,
            verbose=False,
            show_progressbar=False,
        )
    except exceptions.AllTrialsFailed:
        return  # said by the caller, with the first trial's message


def _loss(trial: Trial) -> float:
    return math.inf if trial.loss is None else trial.loss


def _header(data: TrainingData, spec: Search, label: str, start: Point | None) -> dict[str, Any]:
    """What makes a search this one; not the number of trials, since a longer search begins like a shorter."""
    import hyperopt
    import xgboost

    return {
        "format": 2,
        "task": data.task,
        "search": spec.model_dump(mode="json", exclude={"max_trials", "retrain_trials", "refit"}),
        "features": data.encoder.feature_names,
        "label": label,
        "data_sha256": data.sha256,
        "warm_start": start,
        "xgboost": xgboost.__version__,
        "hyperopt": hyperopt.__version__,
    }
