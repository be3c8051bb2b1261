"""What the checks of a window say at a time: the same functions that Dagster's checks ask, on what was known then."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from ml_assets.ml.drift import DriftResult, compared_types, judge
from ml_assets.ml.metrics import evaluate
from ml_assets.ml.preflight import summarise_frame
from ml_assets.ml.scores import known, with_scores
from ml_assets.ml.window_checks import CheckVerdict, HeldOut, drift_verdicts, quality_verdict
from ml_assets.ml.windows import Window
from ml_assets.replay.landed import Landed
from ml_assets.replay.trainings import Trainings, Version


@dataclass
class Verdicts:
    """Judges windows, each once per version and state of its labels."""

    landed: Landed
    trainings: Trainings
    _judged: dict[tuple[Window, Window, int], tuple[DriftResult, list[CheckVerdict]]] = field(default_factory=dict)

    def of(self, version: Version, window: Window, newest: Window) -> Sequence[CheckVerdict]:
        """The verdicts on a scored window with the labels known when `newest` was judged; none of an empty one."""
        return self._of(version, window, newest)[1] if len(self.landed.rows[window]) else []

    def drift(self, version: Version, window: Window, newest: Window) -> DriftResult | None:
        """What the verdicts on drift rest on; None of a window without rows."""
        return self._of(version, window, newest)[0] if len(self.landed.rows[window]) else None

    def _of(self, version: Version, window: Window, newest: Window) -> tuple[DriftResult, list[CheckVerdict]]:
        problem = self.landed.problem
        labels = self.landed.labels_of(window, newest=newest)
        count = int(known(problem.task, labels).sum())
        place = (version.cutoff, window, count)
        if place in self._judged:
            return self._judged[place]
        scores, name = self.trainings.scores(version, window), problem.label.name
        frame = with_scores(self.landed.rows[window].assign(**{name: labels}), scores)
        types = compared_types(problem.features, name, problem.task)
        result = judge(
            version.reference,
            summarise_frame(frame, types),
            features=problem.features,
            target=name,
            policy=problem.drift,
        ).result
        quality = quality_verdict(
            evaluate(labels, scores),
            HeldOut(version.held_out_error),
            problem.quality,
            scored=len(frame),
            task=problem.task,
            unit=problem.label.unit,
        )
        self._judged[place] = result, [*drift_verdicts(result, problem.drift, labels=count), quality]
        return self._judged[place]
