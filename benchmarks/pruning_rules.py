"""Which rule stops hopeless trials best: the pace rule of the platform, or the median rule of others.

python -m benchmarks.pruning_rules           # 60 random trials on flights and on four tables of scikit-learn: minutes
python -m benchmarks.pruning_rules --quick   # one small table

Each table's trials are trained to their end once. Then searches are replayed: the trials in a random order, stopped
where a rule says so, at the CPU seconds that they took. So all rules meet the same trials, without the machine's noise.
"""

import argparse
import tempfile
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.measuring import table
from benchmarks.tuning_ways import LABEL, SPEC, problem, training_set
from ml_assets.ml.search.suggestions import Suggestions
from ml_assets.ml.search.trial_log import Trial
from ml_assets.ml.training.fitting import TrainingData, prepare, train_trial
from ml_assets.ml.training.watch import Watch, pruning_target
from ml_assets.spec import Pruning, Search

RESULTS = Path(__file__).parent / "results" / "pruning.md"
SMALL = ("breast_cancer", "diabetes", "digits", "wine")
BUDGETS = (5, 8, 12, 18)
"""In trials that run to their end, of average length."""


@dataclass(frozen=True)
class Curve:
    """A trial that ran to its end: its loss after each round, and what it took."""

    trial: Trial
    losses: tuple[float, ...]
    cpu_s: float


Rule = Callable[[Sequence[Curve], Curve], int | None]
"""From the trials that ran to their end and a new one: after how many rounds it is stopped."""


def to_the_end(done: Sequence[Curve], curve: Curve) -> int | None:
    """No rule."""
    return None


def median_rule(done: Sequence[Curve], curve: Curve) -> int | None:
    """Worse than the median of the others at the same round, after 5 trials and 10 rounds (Optuna's in `tuning.py`)."""
    if len(done) < 5:
        return None
    for rounds in range(11, len(curve.losses)):
        others = [each.losses[rounds - 1] for each in done if len(each.losses) >= rounds]
        if others and curve.losses[rounds - 1] > np.median(others):
            return rounds
    return None


def pace_rule(pruning: Pruning) -> Rule:
    """The platform's."""
    spec = SPEC.model_copy(update={"pruning": pruning})

    def rule(done: Sequence[Curve], curve: Curve) -> int | None:
        watch = Watch(spec, pruning_target(spec, [each.trial for each in done]))
        return next((rounds for rounds, loss in enumerate(curve.losses, 1) if watch.ends(loss)), None)

    return rule


RULES: Mapping[str, Rule] = {
    "none": to_the_end,
    "median rule": median_rule,
    "pace rule": pace_rule(Pruning()),
    "pace rule, after 5 trials": pace_rule(Pruning(after_trials=5)),
    "pace rule, towards the best tenth": pace_rule(Pruning(quantile=0.1)),
}


def curves(data: TrainingData, spec: Search, trials: int) -> list[Curve]:
    """Random trials, each trained to its end."""
    suggestions, found = Suggestions(spec.space, seed=spec.seed, startup_trials=trials + 1), []
    for number in range(trials):
        watch = _Noting(spec)
        begun = time.process_time()
        trial, _ = train_trial(data, spec, suggestions.point(number, []), number, watch)
        if trial.status == "ok":
            found.append(Curve(trial, tuple(watch.losses), time.process_time() - begun))
    return found


class _Noting(Watch):
    def __init__(self, spec: Search) -> None:
        super().__init__(spec)
        self.losses: list[float] = []

    def ends(self, loss: float) -> bool:
        self.losses.append(loss)
        return super().ends(loss)


def replay(found: Sequence[Curve], rule: Rule) -> tuple[list[float], list[float]]:
    """A search of these trials in their order: CPU seconds so far and least loss so far, after each trial."""
    done: list[Curve] = []
    spent, least = [0.0], [np.inf]
    for curve in found:
        stopped = rule(done, curve)
        share = 1.0 if stopped is None else stopped / len(curve.losses)
        if stopped is None:
            done.append(curve)
        spent.append(spent[-1] + share * curve.cpu_s)
        least.append(min(least[-1], curve.trial.loss_or_inf if stopped is None else np.inf))
    return spent, least


def judged(found: Sequence[Curve], orders: int) -> list[dict[str, Any]]:
    """Means over random orders, one table row per rule."""
    average = float(np.mean([each.cpu_s for each in found]))
    rows = []
    for name, rule in RULES.items():
        random = np.random.default_rng(0)
        numbers = []
        for _ in range(orders):
            spent, least = replay([found[place] for place in random.permutation(len(found))], rule)
            at = [least[np.searchsorted(spent, budget * average, side="right") - 1] for budget in BUDGETS]
            numbers.append([*at, least[25], least[40], spent[40] / average])
        means = [f"{value:.4f}" for value in np.mean(numbers, axis=0)]
        columns = [*(f"at {budget} trials' cost" for budget in BUDGETS), "best of 25", "best of 40", "cost of 40"]
        rows.append({"rule": name, **dict(zip(columns, means, strict=True))})
    return rows


def _tables(flights: Path, names: Iterable[str]) -> Iterable[tuple[str, TrainingData, Search]]:
    from ml_assets_tests.ml.real import real

    for name in names:
        if name == "flights":
            frame = pd.read_parquet(flights)
            parts = [frame[frame["split"] == part] for part in ("train", "validation")]
            spec = SPEC.model_copy(update={"pruning": None, "seed": 11})
            yield name, prepare(*parts, problem().features, LABEL, spec, "regression"), spec
        else:
            data = real(name)
            loss = "rmse" if data.task == "regression" else "logloss"
            changes = {"pruning": None, "seed": 11, "loss": loss, "threads": 1, "fixed": {"max_bin": 128}}
            spec = SPEC.model_copy(update=changes)
            yield name, prepare(data.train, data.validation, data.features, "y", spec, data.task), spec


def main() -> None:
    """Measure, print, and keep what was measured."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="one small table, 45 trials, 3 orders; nothing is kept")
    parser.add_argument("--data", type=Path, help="flights' training set; else it is made, in minutes")
    given = parser.parse_args()
    names, trials, orders = (("wine",), 45, 3) if given.quick else (("flights", *SMALL), 60, 200)
    text = (
        f"# Rules that stop hopeless trials\n\n{trials} random trials of each table, trained to their end once and "
        f"replayed in {orders} random orders. Mean of the least validation loss by CPU seconds and by trials, and what "
        "40 trials cost; costs in trials that run to their end.\n"
    )
    with tempfile.TemporaryDirectory() as folder:
        flights = given.data or Path(folder, "flights.parquet")
        if "flights" in names and not given.data:
            training_set(flights, 20, None)
        for name, data, spec in _tables(flights, names):
            text += f"\n## {name}, {spec.loss}\n\n{table(judged(curves(data, spec, trials), orders))}"
    print(text)
    if not given.quick:
        RESULTS.parent.mkdir(exist_ok=True)
        RESULTS.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
