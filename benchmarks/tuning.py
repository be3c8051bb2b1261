"""More trials a minute: the platform's search against the plain recipe, Optuna's TPE and random search, on flights.

python -m benchmarks.tuning             # five seeds, 100 trials or 120 CPU seconds of each: most of an hour
python -m benchmarks.tuning --quick     # a minute: does it run
"""

import argparse
import statistics
import tempfile
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from benchmarks.measuring import Measured, measure, table
from benchmarks.tuning_ways import Ended, least, training_set

WAYS = {
    "plain recipe": "plain",
    "random search": "random_search",
    "Optuna TPE": "optuna_tpe",
    "Optuna TPE, in MLflow": "optuna_logged",
    "ours": "ours",
    "ours, 2 at once": "ours_parallel",
}
AFTER_TRIALS = (25, 50, 100)
RESULTS = Path(__file__).parent / "results" / "tuning.md"


def compare(path: Path, ways: Sequence[str], seeds: int, trials: int, seconds: float) -> str:
    """Medians over the seeds, as two tables: by trials, and by seconds.

    Args:
        path: Training set; see `training_set`.
        ways: Of `WAYS`.
        seeds: How many searches of each.
        trials, seconds: What ends a search, whichever comes first; seconds of all processors together.
    """
    found: dict[str, list[Measured]] = {way: [] for way in ways}
    for seed in range(seeds):  # by turns, so that a busy minute of the machine meets all
        for way in ways:
            given = {"path": str(path), "trials": trials, "seconds": seconds, "seed": seed}
            found[way].append(measure(f"benchmarks.tuning_ways:{WAYS[way]}", given, repeats=1))
            print(f"seed {seed}, {way}: {len(found[way][-1].result)} trials", flush=True)
    rates = {way: statistics.median(_per_minute(run.result, "cpu_s") for run in runs) for way, runs in found.items()}
    plain = rates.get("plain recipe")
    marks = [seconds / 4, seconds / 2, seconds]
    rows: list[dict[str, Any]] = []
    for way, runs in found.items():
        row: dict[str, Any] = {"way": way, "trials/CPU min": rates[way], "x plain": plain and rates[way] / plain}
        row["trials/min"] = statistics.median(_per_minute(run.result, "s") for run in runs)
        row |= {f"best of {n}": _middle([least(run.result, trials=n) for run in runs]) for n in AFTER_TRIALS}
        row |= {f"best at {at:g} CPU s": _middle([least(run.result, seconds=at) for run in runs]) for at in marks}
        rows.append(row | {"peak GB": max(run.peak_gb for run in runs)})
    return table(rows)


def _per_minute(ended: list[Ended], clock: str) -> float:
    return 60 * len(ended) / max(each[clock] or 0.0 for each in ended)


def _middle(losses: Sequence[float | None]) -> str | None:
    """The median, where every seed has one; with all its digits, since searches differ in the third."""
    known = [loss for loss in losses if loss is not None]
    return f"{statistics.median(known):.3f}" if len(known) == len(losses) else None


def main() -> None:
    """Measure, print, and keep what was measured."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="5 weeks, 3 trials, one seed; nothing is kept")
    parser.add_argument("--data", type=Path, help="a training set (parquet with `split`); else it is made, in minutes")
    parser.add_argument("--weeks", type=int, default=20, help="weeks of flights")
    parser.add_argument("--rows", type=int, help="training rows; all when left out")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--trials", type=int, default=100)
    parser.add_argument("--seconds", type=float, default=120)
    parser.add_argument("--ways", nargs="+", choices=list(WAYS), default=list(WAYS))
    given = parser.parse_args()
    if given.quick:
        given.weeks, given.rows, given.seeds, given.trials, given.seconds = 5, 3000, 1, 3, 60
    ways = [way for way in given.ways if "Optuna" not in way or find_spec("optuna")]
    with tempfile.TemporaryDirectory() as folder:
        path = given.data or training_set(Path(folder, "training_set.parquet"), given.weeks, given.rows)
        found = compare(path, ways, given.seeds, given.trials, given.seconds)
    rows = given.data.stem if given.data else f"{given.weeks} weeks"
    text = (
        f"# Searches on flights\n\n{given.seeds} seeds, medians; {given.trials} trials or {given.seconds:g} CPU s, "
        f"{rows}. Losses are validation RMSE in minutes of delay. A trial's cost includes its logging.\n\n{found}"
    )
    print(text)
    if len(ways) < len(given.ways):
        print("Optuna was left out: it is not installed (pip install -e '.[bench]').")
    if not given.quick:
        RESULTS.parent.mkdir(exist_ok=True)
        RESULTS.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
