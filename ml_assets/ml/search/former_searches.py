"""What former searches teach the next: the best points of the logs of earlier cutoffs."""

from collections.abc import Sequence
from itertools import zip_longest
from pathlib import Path

from ml_assets.ml.estimators.lookup import XGBOOST
from ml_assets.ml.search.space import Point, warm_point
from ml_assets.ml.search.trial_log import read_log
from ml_assets.spec import Search, Task

LOG = "trials.jsonl"


def logs_before(folder: Path, cutoff: str) -> list[Path]:
    """Logs of the searches of earlier cutoffs, newest first; of later ones a backfill must know nothing.

    Args:
        folder: Of all searches of a problem, with one folder per cutoff.
        cutoff: Key of the cutoff that is trained for.
    """
    logs = [log for log in folder.glob(f"*/{LOG}") if log.parent.name < cutoff]
    return sorted(logs, key=lambda log: log.parent.name, reverse=True)


def best_points(logs: Sequence[Path], spec: Search, task: Task, label: str, count: int) -> list[Point]:
    """The best points of former searches, no two alike.

    Losses of different cutoffs are of different rows and cannot be compared, so the searches take turns: the best
    of each, newest search first, then the second best of each, and so on.

    Args:
        logs: Trial logs, newest search first; one that is absent or unreadable has nothing to say.
        spec: The search to come. Points count only where every parameter lies in its space.
        task, label, spec.loss, spec.estimator: A former search for or with another has nothing to say.
        count: At most so many.
    """
    ranked = [_ranked(log, spec, task, label) for log in logs]
    points: list[Point] = []
    for turn in zip_longest(*ranked):
        for point in turn:
            if point is not None and point not in points:
                points.append(point)
    return points[:count]


def _ranked(log: Path, spec: Search, task: Task, label: str) -> list[Point]:
    """Points of the whole trials of one log, best first."""
    header, trials = read_log(log)
    estimator = header.get("estimator", XGBOOST.reference)
    kind = (header.get("task"), header.get("label"), header.get("search", {}).get("loss"), estimator)
    if kind != (task, label, spec.loss, spec.estimator):
        return []
    done = [(trial.loss, trial.number, dict(trial.params)) for trial in trials if trial.status == "ok"]
    points = [params for _, _, params in sorted(done, key=lambda each: each[:2])]
    return [params for params in points if params and warm_point(spec.space, params) == params]
