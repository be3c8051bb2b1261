"""The hyper-parameter search: Hyperopt's TPE over trainings of the declared estimator, repeatable and resumable.

A search is a function of its data, its declaration and its warm start: the same three give the same trials
and the same model bytes. That is also how it resumes: TPE runs again from the start and asks for the same
trials in the same order; those that the log holds are answered from it, only the others are trained.
Only what depends on the clock can differ: a trial that takes longer than its limit, and how many trials a budget of
seconds allows. Both are in the log, so a search that goes on takes them from there.

How one trial is trained is `fitting.py`'s, which point comes next is `suggestions.py`'s.
"""

import hashlib
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from ml_assets.errors import AllTrialsFailedError, SearchParameterError
from ml_assets.ml.estimators.lookup import XGBOOST, estimator_named
from ml_assets.ml.search.checks import problems_of_search
from ml_assets.ml.search.former_searches import best_points
from ml_assets.ml.search.run import SearchRun, TrialRunner
from ml_assets.ml.search.space import Point, warm_point
from ml_assets.ml.search.trial_log import FORMAT, Trial, TrialLog
from ml_assets.ml.training.fitting import PreparedRows, all_params, prepare
from ml_assets.ml.training.model import Model
from ml_assets.ml.training.params import ParamValue
from ml_assets.spec import FeatureType, Search, Task


@dataclass(frozen=True)
class SearchResult:
    """What a search found.

    Attributes:
        best: The trial with the least loss; the earlier one of two equals.
        trials: All trials, by number.
        model: The best trial's model.
        left_out: Validation rows of classes that no training row has; see `TrainingData`.
        given: How many of the first trials began from the champion and from former searches.
        search_id: Hash of all that makes the search this one; see `TrialLog`.
    """

    best: Trial
    trials: tuple[Trial, ...]
    model: Model
    left_out: int
    given: int
    search_id: str


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
    former: Sequence[Path] = (),
    on_start: Callable[[str], None] = lambda search_id: None,
    on_trial: Callable[[Trial], None] = lambda trial: None,
    runner: TrialRunner | None = None,
    folder: Path = Path(),
) -> SearchResult:
    """Search the declared space for the parameters with the least validation loss.

    Args:
        train: (n, ...) rows to fit on, with the features and the label.
        validation: (m, ...) later rows for early stopping and for the loss of a trial.
        features: The model's inputs and their types.
        label: Column to predict, known in all rows: finite numbers, of binary labels 0 and 1; names of classes.
        task: Kind of label.
        folder: Of the declaration, where the file of an own estimator is looked up.
        others: As `search_prepared`.

    Raises:
        MissingFeaturesError, FeatureTypeError, InfiniteFeatureError: As `Encoder.transform`.
        UnusableLabelError, LabelValuesError, ConstantLabelError: As in `targets.py`.
        SearchParameterError: What `problems_of_search` finds.
        TooManyCategoriesError: The estimator cannot tell so many categories apart.
        AllTrialsFailedError, TrialNotRepeatableError: As `search_prepared`.
    """
    require_runnable(spec, task, features, folder)  # before the rows are prepared, which may take long
    data = prepare(train, validation, features, label, spec, task, estimator_named(spec.estimator, folder))
    return search_prepared(
        data,
        label=label,
        spec=spec,
        trials=trials,
        log=log,
        warm_start=warm_start,
        former=former,
        on_start=on_start,
        on_trial=on_trial,
        runner=runner,
    )


def search_prepared(
    data: PreparedRows,
    *,
    label: str,
    spec: Search,
    trials: int,
    log: Path,
    warm_start: Mapping[str, ParamValue] | None = None,
    former: Sequence[Path] = (),
    on_start: Callable[[str], None] = lambda search_id: None,
    on_trial: Callable[[Trial], None] = lambda trial: None,
    runner: TrialRunner | None = None,
) -> SearchResult:
    """Search on rows that are prepared already, by parameters that are known to be taken (`require_runnable`).

    Args:
        data: The rows, see `prepare`, or what a runner knows of rows that are elsewhere.
        label: Column that is predicted.
        spec: Space, budget of rounds and seconds, loss, threads, seed.
        trials: How many at most; asking for more later continues the same search.
        log: File of finished trials; see `TrialLog`.
        warm_start: The champion's parameters: trial 0, as far as they lie in the space.
        former: Logs of former searches, newest first: `spec.former_trials` of their best points come next.
        on_start: Called before the first trial with the search's id, as in `TrialLog`.
        on_trial: Called after each trial in their order, also for those from the log (`trial.resumed`), while the
            next one is trained.
        runner: Trains elsewhere than in this process.

    Raises:
        AllTrialsFailedError: No trial gave a finite loss.
        TrialNotRepeatableError: The log's best trial gives another loss on this machine.
    """
    champion = warm_point(spec.space, warm_start)
    known = best_points(former, spec, data.task, label, spec.former_trials + 1)  # the champion may be one of them
    given = [champion] if champion is not None else []
    given += [point for point in known if point != champion][: spec.former_trials]
    run = SearchRun(data, spec, TrialLog(log, _header(data, spec, label, champion, runner), given), on_trial)
    on_start(run.log.search_id)
    most = trials if spec.space else 1  # with nothing to draw: the fixed parameters, once
    if runner is None:
        run.in_threads(most)
    else:
        run.in_batches(most, runner)
    done = [trial for trial in run.trials if trial.status == "ok"]
    if not done:
        raise AllTrialsFailedError(len(run.trials), _reasons(run.trials))
    best = min(done, key=lambda trial: (trial.loss_or_inf, trial.number))
    params = all_params(data, spec, dict(best.params), best.number)
    assert best.best_iteration is not None  # it is set wherever the status is "ok"
    about = (label, params, best.best_iteration, data.task, data.classes, data.estimator)
    model = Model(run.fitted_of(best), data.encoder, *about)
    return SearchResult(best, tuple(run.trials), model, data.left_out, len(run.log.given[:trials]), run.log.search_id)


def _reasons(trials: Sequence[Trial]) -> str:
    """The first message, and how many trials failed for other reasons, by reason."""
    counts = Counter(trial.message for trial in trials)
    first = trials[0].message
    others = [f"{message} ({count} trials)" for message, count in counts.most_common() if message != first]
    return "; ".join([first, *others])


def require_runnable(spec: Search, task: Task, features: Mapping[str, FeatureType], folder: Path = Path()) -> None:
    """Refuse a search that cannot run, before anything is made for it.

    Raises:
        SearchParameterError: What `problems_of_search` finds.
    """
    if problems := problems_of_search(spec, task, features, folder):
        raise SearchParameterError(problems)


def _header(
    data: PreparedRows, spec: Search, label: str, champion: Point | None, runner: TrialRunner | None
) -> dict[str, Any]:
    """What makes a search this one; not its length, since a longer search begins like a shorter."""
    import hyperopt

    length = {"max_trials", "retrain_trials", "max_seconds", "trial_timeout_s", "refit"}
    batches = {} if runner is None else {"batch": runner.parallel}
    # XGBoost goes without saying, so that searches go on which began before there were others.
    named = {} if data.estimator is XGBOOST else {"estimator": spec.estimator}
    code = data.estimator.code
    own = {} if code is None else {"code": hashlib.sha256(code).hexdigest()}
    return {
        "format": FORMAT,
        "task": data.task,
        "search": spec.model_dump(mode="json", exclude=length | {"estimator"}),
        "features": data.encoder.feature_names,
        "label": label,
        "data_sha256": data.sha256,
        "warm_start": champion,
        **data.estimator.versions(),
        "hyperopt": hyperopt.__version__,
        **batches,
        **named,
        **own,
    }
