"""Real histories with champions, for the benchmark of alarms: flights and the shop, scored window by window.

A champion is trained as the declaration says, with two trials; what is kept of it is what the platform keeps.
"""

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np
import pandas as pd

from benchmarks.validation_history import DEFS, flights, retail
from ml_assets.components.declaration import read_problem
from ml_assets.errors import TooLittleHistoryError
from ml_assets.ml.monitoring.baseline import Baseline, make_baseline
from ml_assets.ml.monitoring.columns import compared_types
from ml_assets.ml.monitoring.held_out import HeldOut
from ml_assets.ml.monitoring.preflight import summarise_frame
from ml_assets.ml.monitoring.summaries import TableSummary
from ml_assets.ml.monitoring.watching import held_out_sides
from ml_assets.ml.quality.metrics import evaluate
from ml_assets.ml.quality.scores import label_of, read_scores, with_scores
from ml_assets.ml.search.tuning import search
from ml_assets.ml.training.dataset import SPLIT
from ml_assets.ml.training.model import Model
from ml_assets.ml.training.splits import split_windows
from ml_assets.ml.windows import window_of
from ml_assets.spec import DriftPolicy, FeatureType, Problem, QualityPolicy

WINDOW = "window"
TRIALS, ROUNDS = 2, 200


@dataclass(frozen=True, eq=False)
class Champion:
    """A version, what is kept of it, and the windows that follow.

    Attributes:
        problem: Whose.
        cutoff: First window that it scores.
        model: What was trained.
        rows: (n, ...) its training set, with `split`.
        following: Key of a window -> its rows with labels, oldest first.
    """

    problem: Problem
    cutoff: str
    model: Model
    rows: pd.DataFrame
    following: Mapping[str, pd.DataFrame]

    @cached_property
    def baseline(self) -> Baseline:
        """What windows are compared with."""
        return make_baseline(self.problem, self.model, self.rows)

    @cached_property
    def held_out(self) -> dict[str, HeldOut]:
        """What is known of the held-out rows."""
        parts = ["test"] if self.problem.search.refit else ["validation", "test"]
        rows = self.scored(self.rows[self.rows[SPLIT].isin(parts)])
        test = rows[rows[SPLIT] == "test"]
        task, metric = self.problem.task, self.problem.quality.metric
        error = evaluate(label_of(task, test[self.problem.label.name]), read_scores(task, test)).error(metric)
        return held_out_sides(self.problem, error, rows, self.baseline.standings)

    def scored(self, frame: pd.DataFrame) -> pd.DataFrame:
        """Rows with predictions; index from 0."""
        frame = frame.reset_index(drop=True)
        return with_scores(frame, self.model.scores(frame))

    def summary(
        self, scored: pd.DataFrame, columns: Sequence[str] = (), of: TableSummary | None = None
    ) -> TableSummary:
        """Summary of scored rows, or `of` with other `columns`."""
        types = compared_types(self.problem.features, self.problem.label.name, self.problem.task)
        if of is None:
            return summarise_frame(scored, types)
        part = summarise_frame(scored, {name: types[name] for name in columns})
        return replace(of, columns={**of.columns, **part.columns})

    def of_part(self, seed: int, share: float) -> tuple["Champion", pd.DataFrame]:
        """The same version with a baseline of a random `share` of its rows, and the other rows."""
        chosen = np.random.default_rng(seed).random(len(self.rows)) < share
        return replace(self, rows=self.rows[chosen].reset_index(drop=True)), self.rows[~chosen].reset_index(drop=True)


def champions(name: str, data: Path, *, every: int, windows: int, most: int | None = None) -> Iterator[Champion]:
    """Champions of a problem, oldest first.

    Args:
        name: `flights`, or `churn` of the shop.
        data: Folder of joined histories; one that is not there is made and kept, in minutes.
        every: Windows between two cutoffs.
        windows: Windows that each one scores.
        most: So many champions, the newest ones; all when left out.
    """
    problem = _by_default(read_problem(DEFS / name / "defs.yaml"))
    frame = _frame(problem, data)
    keys = sorted(frame[WINDOW].unique())
    usable = [key for key in keys if _has_history(problem, key)][::every]
    for cutoff in usable[-(most or len(usable)) :]:
        following = keys[keys.index(cutoff) :][:windows]
        if len(following) == windows:
            split = split_windows(problem.split, window_of(problem.cadence, cutoff), problem.label)
            part = {w.key: split.part_of(w) for w in split.all}
            rows = frame[frame[WINDOW].isin(part)]
            rows = rows.assign(**{SPLIT: rows[WINDOW].map(part)}).reset_index(drop=True)
            after = {key: frame[frame[WINDOW] == key].reset_index(drop=True) for key in following}
            yield Champion(problem, cutoff, _trained(problem, rows), rows, after)


def _by_default(problem: Problem) -> Problem:
    """The problem with the policies that one has which declares none."""
    quality = QualityPolicy(metric=problem.quality.metric)
    return problem.model_copy(update={"drift": DriftPolicy(), "quality": quality})


def _has_history(problem: Problem, key: str) -> bool:
    """Whether a version for that window has a quarter of weeks behind it, or half a year of months."""
    try:
        split = split_windows(problem.split, window_of(problem.cadence, key), problem.label)
    except TooLittleHistoryError:
        return False
    return len(split.all) >= (12 if problem.cadence.kind == "weekly" else 6)


def _trained(problem: Problem, rows: pd.DataFrame) -> Model:
    rounds = min(problem.search.max_rounds, ROUNDS)
    spec = problem.search.model_copy(update={"max_rounds": rounds, "refit": False})
    with tempfile.TemporaryDirectory() as folder:
        return search(
            rows[rows[SPLIT] == "train"],
            rows[rows[SPLIT] == "validation"],
            features=problem.features,
            label=problem.label.name,
            spec=spec,
            trials=TRIALS,
            log=Path(folder, "trials.jsonl"),
            task=problem.task,
            folder=problem.folder,
        ).model


def _frame(problem: Problem, data: Path) -> pd.DataFrame:
    """All labelled rows of the history, each with its window."""
    path = data / f"{problem.name}.parquet"
    if not path.exists():
        with tempfile.TemporaryDirectory() as folder:
            subject = next((flights if problem.name == "flights" else retail)(Path(folder)))
        path.parent.mkdir(parents=True, exist_ok=True)
        subject.frame.assign(**{WINDOW: list(subject.parts)}).to_parquet(path)
    return pd.read_parquet(path)


def made_up(weeks: int = 10, rows: int = 600) -> Champion:
    """A champion of made-up rows: a smoke test needs no history."""
    problem = _by_default(read_problem(DEFS / "flights" / "defs.yaml"))
    rng = np.random.default_rng(0)
    features: dict[str, FeatureType] = {"carrier": "string", "hour": "float", "wind": "float"}
    own = problem.rows.model_copy(update={"features": features, "key": ("flight",)})
    search = problem.search.model_copy(update={"max_rounds": 20, "threads": 1})
    problem = problem.model_copy(update={"rows": own, "feature_views": (), "search": search})
    starts = pd.date_range("2013-01-07", periods=weeks, freq="7D", tz="UTC")
    parts = []
    for start in starts:
        hour, wind = rng.uniform(0, 24, rows), rng.normal(rng.normal(0, 0.1), 1, rows)
        frame = pd.DataFrame({"carrier": rng.choice(["AA", "UA"], rows), "hour": hour, "wind": wind})
        frame["event_timestamp"] = start + pd.to_timedelta(rng.uniform(3, 165, rows), "h")
        frame[problem.label.name] = hour + 3 * wind + rng.normal(0, 3, rows)
        parts.append(frame.assign(**{WINDOW: start.date().isoformat(), "flight": np.arange(rows)}))
    known = pd.concat(parts[:-2], ignore_index=True)
    split = np.repeat(["train"] * (weeks - 4) + ["validation", "test"], rows)
    known[SPLIT] = split
    cutoff = starts[-2].date().isoformat()
    after = {part[WINDOW].iloc[0]: part for part in parts[-2:]}
    return Champion(problem, cutoff, _trained(problem, known), known, after)
