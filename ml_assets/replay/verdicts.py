"""What the checks of a window say at a time: the same functions that Dagster's checks ask, on what was known then."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import pandas as pd

from ml_assets.assets.registered_version import reference_rows
from ml_assets.ml.monitoring.baseline import Baseline, make_baseline
from ml_assets.ml.monitoring.held_out import HeldOut
from ml_assets.ml.monitoring.report import DriftResult
from ml_assets.ml.monitoring.watching import held_out_sides, judge_drift, judge_quality, merge_windows, summarise_window
from ml_assets.ml.monitoring.window_checks import CheckVerdict
from ml_assets.ml.quality.metrics import evaluate
from ml_assets.ml.quality.scores import known, label_of, with_scores
from ml_assets.ml.training.dataset import SPLIT
from ml_assets.ml.windows import Window
from ml_assets.replay.landed import Landed
from ml_assets.replay.trainings import Trainings, Version

Known = tuple[Baseline, Mapping[str, HeldOut]]
"""What windows are compared with: the rows that a version was made of, and how it did on those that it was not."""


@dataclass
class Verdicts:
    """Judges windows, each once per version and state of its labels."""

    landed: Landed
    trainings: Trainings
    _known: dict[Window, Known] = field(default_factory=dict)
    _judged: dict[tuple[Window, Window, int], tuple[DriftResult, list[CheckVerdict]]] = field(default_factory=dict)

    def of(self, version: Version, window: Window, newest: Window) -> Sequence[CheckVerdict]:
        """The verdicts on a scored window with the labels known when `newest` was judged; none of an empty one."""
        return self._of(version, window, newest)[1] if len(self.landed.rows[window]) else []

    def drift(self, version: Version, window: Window, newest: Window) -> DriftResult | None:
        """What the verdicts on drift rest on; None of a window without rows."""
        return self._of(version, window, newest)[0] if len(self.landed.rows[window]) else None

    def _of(self, version: Version, window: Window, newest: Window) -> tuple[DriftResult, list[CheckVerdict]]:
        task = self.landed.problem.task
        labels = int(known(task, self.landed.labels_of(window, newest=newest)).sum())
        place = (version.cutoff, window, labels)
        if place not in self._judged:
            self._judged[place] = self._judge(version, window, newest)
        return self._judged[place]

    def _judge(self, version: Version, window: Window, newest: Window) -> tuple[DriftResult, list[CheckVerdict]]:
        problem, (baseline, held_out) = self.landed.problem, self._known_of(version)
        former = [window.shift(-back) for back in range(1, problem.drift.over_windows)]
        together = [each for each in former[::-1] if each >= version.cutoff and len(self.landed.rows[each])]
        summaries = [summarise_window(problem, self._scored(version, each, newest)) for each in [*together, window]]
        judged, verdicts = judge_drift(problem, baseline, merge_windows(summaries), window)
        _, quality = judge_quality(problem, held_out, self._scored(version, window, newest))
        return judged.result, [*verdicts, quality]

    def _scored(self, version: Version, window: Window, newest: Window) -> pd.DataFrame:
        """Rows of a window with scores, and the labels known by then."""
        labels = {self.landed.problem.label.name: self.landed.labels_of(window, newest=newest)}
        return with_scores(self.landed.rows[window].assign(**labels), self.trainings.scores(version, window))

    def _known_of(self, version: Version) -> Known:
        if version.cutoff not in self._known:
            problem, rows = self.landed.problem, self.landed.training_set(version.cutoff)
            baseline = make_baseline(problem, version.model, rows)
            test = rows[rows[SPLIT] == "test"].reset_index(drop=True)
            metrics = evaluate(label_of(problem.task, test[problem.label.name]), version.model.scores(test))
            metric = problem.quality.metric
            error = None if metrics.undefined(metric) else metrics.error(metric)
            held_out = rows[rows[SPLIT] != "train"].reset_index(drop=True)
            reference = reference_rows(problem, version.model, held_out)
            self._known[version.cutoff] = baseline, held_out_sides(problem, error, reference, baseline.standings)
        return self._known[version.cutoff]
