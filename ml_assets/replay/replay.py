"""A replay from beginning to end: the policies walk through what has landed, and are compared."""

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from ml_assets.errors import NothingToReplayError, TooLittleHistoryError
from ml_assets.ml.training.splits import split_windows
from ml_assets.ml.windows import Window, window_of
from ml_assets.replay.landed import Landed
from ml_assets.replay.losses import Comparison
from ml_assets.replay.policies import policy_named
from ml_assets.replay.report import Report, report_on
from ml_assets.replay.trainings import Trainings
from ml_assets.replay.verdicts import Verdicts
from ml_assets.replay.walk import walk

_TRAINED_SHARE = 0.25
"""Share of the history before the first version where no cutoff is named: most of it is left to be judged."""


def replay(
    landed: Landed,
    *,
    policies: Sequence[str],
    scratch: Path,
    cutoff: str | None = None,
    trials: int | None = None,
    plan: Callable[[int], None] = lambda steps: None,
    step: Callable[[str], None] = lambda title: None,
    tell: Callable[[str], None] = lambda text: None,
) -> Report:
    """Walk each policy through the landed history and compare what became of them.

    Args:
        landed: The history.
        policies: Names of policies, see `policies.DEFAULT`.
        scratch: Folder of finished trainings; a replay that was killed goes on from them.
        cutoff: Key of the window that the first version is for; by default the one after a quarter of the history.
        trials: Trials of every training; by default as declared.
        plan: Told how many steps there will be.
        step: Told after each step of which policy it was.
        tell: Told what is being trained.

    Raises:
        UnknownPolicyError: There is no such policy.
        UnknownWindowError: The cutoff is no window.
        NothingToReplayError: Too little history has landed.
    """
    problem = landed.problem
    chosen = [policy_named(name, problem) for name in dict.fromkeys(policies)]
    first = _first_cutoff(landed, cutoff)
    windows, window = [], first
    while window in landed.rows and window in landed.labels:
        windows.append(window)
        window = window.shift(1)
    if len(windows) < 2:
        raise NothingToReplayError(problem.name, f"there are {len(windows)} windows with labels from {first.key} on")
    plan(len(chosen) * len(windows))
    trainings = Trainings(landed, first, scratch, trials, tell)
    verdicts = Verdicts(landed, trainings)
    walks = [walk(each, windows, trainings, verdicts, step=partial(step, each.title)) for each in chosen]
    tell("comparing")
    declared = problem.search.retrain_trials or problem.search.max_trials
    return report_on(problem, walks, Comparison(windows, trainings), trials or declared)


def _first_cutoff(landed: Landed, cutoff: str | None) -> Window:
    problem, windows = landed.problem, list(landed.rows)
    named = [window_of(problem.cadence, cutoff)] if cutoff else []
    for window in named or windows[int(_TRAINED_SHARE * len(windows)) :]:
        try:
            split_windows(problem.split, window, problem.label)
        except TooLittleHistoryError:
            continue
        return window
    what = f"window {cutoff} leaves" if cutoff else f"{len(windows)} windows leave"
    raise NothingToReplayError(problem.name, f"{what} none to train on")
