"""Which point of the space is tried next: given points first, then Hyperopt's TPE, one step at a time.

A point is a function of the seed, its number and the trials that it may know: nothing is drawn from a running
generator, so a search that goes on after a kill, or trains several trials at once, asks for the same points.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from ml_assets.ml.search.space import Point, Space, from_hyperopt, hyperopt_point, hyperopt_space
from ml_assets.ml.search.trial_log import Trial

if TYPE_CHECKING:
    pass

_DRAWS = 1
"""Tells the seeds of the points from those of the trainings, which derive from the same seed and number."""


class Suggestions:
    """The points of one search, in their order."""

    def __init__(self, space: Space, *, seed: int, startup_trials: int, given: Sequence[Point] = ()) -> None:
        """Begin a search.

        Args:
            space: The declared space; not empty.
            seed: The search's seed.
            startup_trials: Ended trials that a point has to know, lest it is drawn by chance alone.
            given: The first points.
        """
        from hyperopt import Trials
        from hyperopt.base import Domain

        self._space, self._seed, self._startup, self._given = space, seed, startup_trials, given
        self._domain = Domain(lambda drawn: 0.0, hyperopt_space(space))
        self._known: Trials = Trials()

    def point(self, number: int, ended: Sequence[Trial]) -> Point:
        """The point of a trial.

        Args:
            number: Of the trial that it is for.
            ended: The trials that it may know, by number; each call's begin with those of the call before. TPE takes
                a failed one for the worst, and a pruned one's least loss until it was stopped for its loss: above
                that of the better ones, since that is why it was stopped.
        """
        if number < len(self._given):
            return dict(self._given[number])
        from hyperopt import tpe

        self._learn(ended)
        seed = int(np.random.SeedSequence([self._seed, number, _DRAWS]).generate_state(1)[0])
        [drawn] = tpe.suggest([number], self._domain, self._known, seed, n_startup_jobs=self._startup, verbose=False)
        values = {name: value for name, [value] in drawn["misc"]["vals"].items()}
        return from_hyperopt(self._space, values)

    def _learn(self, ended: Sequence[Trial]) -> None:
        from hyperopt.base import JOB_STATE_DONE

        fresh = ended[len(self._known) :]
        for trial in fresh:
            values = hyperopt_point(self._space, dict(trial.params))
            misc = {
                "tid": trial.number,
                "cmd": self._domain.cmd,
                "workdir": None,
                "idxs": {name: [trial.number] for name in values},
                "vals": {name: [value] for name, value in values.items()},
            }
            result = {"status": "fail"} if trial.loss is None else {"status": "ok", "loss": trial.loss}
            [document] = self._known.new_trial_docs([trial.number], [None], [result], [misc])
            document["state"] = JOB_STATE_DONE
            self._known.insert_trial_doc(document)
        if fresh:
            self._known.refresh()
