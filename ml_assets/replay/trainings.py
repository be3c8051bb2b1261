"""The versions of a replay: one per cutoff, trained once, whichever policies ask for it.

A retraining begins with the first version's parameters, never with the champion's or those of former searches as in
production: so a version is a function of its cutoff, and policies differ in nothing but when they retrain.
"""

import hashlib
import json
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from ml_assets.errors import MLAssetsError, UnusableLabelError
from ml_assets.files import write_text
from ml_assets.ml.features.versions import search_version
from ml_assets.ml.quality.scores import Scores
from ml_assets.ml.search.former_searches import LOG
from ml_assets.ml.search.trial_log import read_log
from ml_assets.ml.training.dataset import SPLIT
from ml_assets.ml.training.model import Model
from ml_assets.ml.training.params import ParamValue
from ml_assets.ml.training.row_batches import ParquetRows
from ml_assets.ml.windows import Window
from ml_assets.replay.landed import Landed
from ml_assets.resources.lake import Lake, content_hash
from ml_assets.resources.search_place import SearchTask, search_where_declared

_MODEL, _SECONDS = "model", "seconds.json"


@dataclass(frozen=True, eq=False)
class Version:
    """A version of the replay.

    Attributes:
        cutoff: First window that it may score.
        model: What was trained.
        seconds: What the training took when it was done, by the clock.
    """

    cutoff: Window
    model: Model
    seconds: float


@dataclass
class Trainings:
    """Trains, and scores windows, each once.

    Attributes:
        landed: The history.
        first: Cutoff of the first version.
        scratch: Folder of finished trainings; a replay that was killed goes on from them.
        trials: Trials of every training; None: as the search declares them.
        tell: Told what is being done.
    """

    landed: Landed
    first: Window
    scratch: Path
    trials: int | None = None
    tell: Callable[[str], None] = lambda text: None
    _versions: dict[Window, Version] = field(default_factory=dict)
    _failures: dict[Window, MLAssetsError] = field(default_factory=dict)
    _scores: dict[tuple[Window, Window], Scores] = field(default_factory=dict)

    def of(self, cutoff: Window) -> Version:
        """The version of a cutoff.

        Raises:
            UnusableLabelError: There are no rows to train or to validate on.
            MLAssetsError: The training fails, as it would in production.
        """
        if cutoff not in self._versions:
            if cutoff in self._failures:
                raise self._failures[cutoff]
            try:
                self._versions[cutoff] = Version(cutoff, *self._trained(cutoff))
            except MLAssetsError as failure:
                self._failures[cutoff] = failure
                raise
        return self._versions[cutoff]

    def has(self, cutoff: Window) -> bool:
        """Whether some policy asked for it."""
        return cutoff in self._versions

    def scores(self, version: Version, window: Window) -> Scores:
        """What a version says of a window's rows.

        Raises:
            ValueError: The window began before the version's cutoff.
        """
        if window < version.cutoff:
            raise ValueError(f"window {window.key} is not for the version of {version.cutoff.key}")
        place = (version.cutoff, window)
        if place not in self._scores:
            self._scores[place] = version.model.scores(self.landed.rows[window])
        return self._scores[place]

    def _trained(self, cutoff: Window) -> tuple[Model, float]:
        """The model from the scratch folder, or trained and put there."""
        first, search = cutoff == self.first, self.landed.problem.search
        trials = self.trials or (search.max_trials if first else search.retrain_trials or search.max_trials)
        warm = None if first else dict(self.of(self.first).model.params)
        frame, label = self.landed.training_set(cutoff), self.landed.problem.label.name
        if empty := {"train", "validation"} - set(frame[SPLIT]):
            raise UnusableLabelError(max(empty), label, f"is known of none of them at {cutoff.key}")
        self.scratch.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=self.scratch) as temporary:
            rows = Path(temporary, "dataset.parquet")
            Lake(root=temporary, landing=temporary).write(rows, frame)
            folder = self.scratch / cutoff.key / self._identity(rows, trials, warm)
            if not (folder / _SECONDS).exists():
                self.tell(f"training for {cutoff.key}")
                self._train(rows, folder, trials, warm)
        return Model.load(folder / _MODEL), float(json.loads((folder / _SECONDS).read_text()))

    def _identity(self, rows: Path, trials: int, warm: Mapping[str, ParamValue] | None) -> str:
        """What makes a training this one: its rows, its declaration, and with what it begins."""
        parts = [content_hash([rows]), search_version(self.landed.problem), trials, warm]
        return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:16]

    def _train(self, rows: Path, folder: Path, trials: int, warm: Mapping[str, ParamValue] | None) -> None:
        problem, begun = self.landed.problem, time.perf_counter()
        former = max((trial.ended_s for trial in read_log(folder / LOG)[1]), default=0.0)  # of a killed replay
        task = SearchTask(
            rows=ParquetRows(rows, batch_rows=problem.compute.batch_rows),
            features=problem.features,
            label=problem.label.name,
            task=problem.task,
            spec=problem.search,
            compute=problem.compute,
            scratch=folder / "scratch",
            name=f"replay of {problem.name}",
            folder=problem.folder,
        )
        found = search_where_declared(task, trials=trials, log=folder / LOG, warm_start=warm)
        found.model.save(folder / _MODEL)
        write_text(folder / _SECONDS, json.dumps(round(former + time.perf_counter() - begun, 3)))
