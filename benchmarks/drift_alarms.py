"""How often do the checks of a window alarm when nothing changed, and how soon do they find planted faults?

    python -m benchmarks.drift_alarms             # flights and the shop: some minutes; writes results/drift_alarms.md
    python -m benchmarks.drift_alarms --quick     # made-up rows, one champion, few windows: does it run?

Ours: the default policy, any of the window's checks. Evidently's defaults, on the same rows against the same reference:
any column drifted, and half of the columns (`DataDriftPreset`'s own test). Random splits have nothing to be found in.
Windows that follow a champion in time have seasons, storms and whatever else came: an alarm there need not be false, so
what each window did to the quality stands beside it. A fault is planted into all windows from the first on; windows
on which a way alarms without the fault, too, do not count as found.
"""

import argparse
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.drift_faults import Fault, faults_of
from benchmarks.drift_history import WINDOW, Champion, champions, made_up
from benchmarks.measuring import ROOT, table
from ml_assets.ml.monitoring.summaries import TableSummary, default_verdict
from ml_assets.ml.monitoring.watching import ALL, judge_drift, judge_quality
from ml_assets.ml.quality.scores import PREDICTION

RESULTS = ROOT / "benchmarks" / "results" / "drift_alarms.md"
DATA = Path("var/benchmarks/histories")
OURS, ANY, HALF = "ours", "Evidently, any column", "Evidently, share >= 0.5"
WAYS = (OURS, ANY, HALF)
SHARE_KEPT, SPLITS = 0.7, 2
PER_SPLIT, MOST_ROWS = 8, 2000
"""Windows drawn from a split, without replacement, and their rows at most."""


@dataclass
class Seen:
    """What was said of a window: the checks of ours that failed, and Evidently's alarms.

    Attributes:
        failed: Our checks.
        alarms: Ways that alarm.
        ratio: Error / held-out error; None where not known.
    """

    failed: tuple[str, ...]
    alarms: frozenset[str]
    ratio: float | None = None


@dataclass
class Watch:
    """One champion's windows, judged by all ways."""

    champion: Champion
    _plain: dict[str, tuple[TableSummary, Seen]] = field(default_factory=dict)

    def plain(self, key: str) -> tuple[TableSummary, Seen]:
        """Summary of a window as it came, and what was said of it."""
        if key not in self._plain:
            scored = self.champion.scored(self.champion.following[key])
            summary = self.champion.summary(scored)
            self._plain[key] = summary, self.seen(scored, summary)
        return self._plain[key]

    def planted(self, key: str, fault: Fault, size: float, seed: int) -> Seen:
        """What was said of a window with a fault."""
        champion, before = self.champion, self.champion.following[key]
        rows = fault.plant(champion.problem, champion.baseline, before, size, np.random.default_rng(seed))
        changed = [name for name in champion.problem.features if not rows[name].equals(before[name])]
        scored = champion.scored(rows)
        columns = [*changed, champion.problem.label.name, PREDICTION]
        return self.seen(scored, champion.summary(scored, columns, self.plain(key)[0]))

    def seen(self, scored: pd.DataFrame, summary: TableSummary, *, checks: Sequence[str] | None = None) -> Seen:
        """What all ways say of scored rows."""
        champion = self.champion
        problem = champion.problem
        verdicts = [*judge_drift(problem, champion.baseline, {ALL: summary})[1]]
        verdicts.append(judge_quality(problem, champion.held_out, scored)[1])
        failed = tuple(v.check for v in verdicts if not v.passed and (checks is None or v.check in checks))
        drifted = [
            default_verdict(champion.baseline.summary.columns[name], column).drifted
            for name, column in summary.columns.items()
            if column.values and champion.baseline.summary.columns[name].values
        ]
        alarms = {OURS: bool(failed), ANY: any(drifted), HALF: float(np.mean(drifted)) >= 0.5}
        ratio = verdicts[-1].numbers.get("ratio")
        return Seen(failed, frozenset(way for way in WAYS if alarms[way]), ratio)


def random_splits(champion: Champion, splits: int) -> Iterator[Seen]:
    """Windows drawn at random from rows like the baseline's: nothing is there to be found.

    The quality is judged on held-out rows only: on rows that a model was fitted on it stands better.
    """
    for seed in range(splits):
        half, others = champion.of_part(seed, SHARE_KEPT)
        watch, rng = Watch(half), np.random.default_rng([seed, 1])
        unseen = others[others["split"] != "train"]
        for rows, checked in zip(_windows(others, rng), _windows(unseen, rng), strict=True):
            scored = half.scored(rows)
            drift = watch.seen(scored, half.summary(scored), checks=_DRIFT)
            quality = judge_quality(half.problem, half.held_out, half.scored(checked))[1]
            failed = drift.failed + (() if quality.passed else ("model_quality",))
            yield Seen(failed, (drift.alarms - {OURS}) | ({OURS} if failed else set()))


def _windows(rows: pd.DataFrame, rng: np.random.Generator) -> list[pd.DataFrame]:
    size = min(len(rows) // PER_SPLIT, MOST_ROWS)
    order = rng.permutation(len(rows))
    return [rows.iloc[order[start * size : (start + 1) * size]] for start in range(PER_SPLIT)]


_DRIFT = ("data_drift", "prediction_drift", "target_drift", "data_quality", "expected_quality")


def without_faults(name: str, seen: Sequence[Seen], where: str) -> dict[str, Any]:
    """A row of the table of alarms."""
    checks = [*_DRIFT, "model_quality"]
    row: dict[str, Any] = {"problem": name, "windows": where, "n": len(seen)}
    row |= {way: _share([way in each.alarms for each in seen]) for way in WAYS}
    return row | {check: _share([check in each.failed for each in seen]) for check in checks}


def with_faults(name: str, watches: Sequence[Watch]) -> Iterator[dict[str, Any]]:
    """Rows of the table of faults."""
    baseline = watches[0].champion.baseline
    for fault in faults_of(watches[0].champion.problem, baseline):
        for size in fault.sizes:
            found: dict[str, list[list[bool]]] = {way: [] for way in WAYS}
            for watch in watches:
                keys = list(watch.champion.following)
                seen = [watch.planted(key, fault, size, seed) for seed, key in enumerate(keys)]
                for way in WAYS:
                    new = [
                        way in s.alarms and way not in watch.plain(k)[1].alarms for k, s in zip(keys, seen, strict=True)
                    ]
                    found[way].append(new)
            row: dict[str, Any] = {"problem": name, "fault": fault.name, "size": size, "in": fault.unit}
            for way, new in found.items():
                first = [each.index(True) + 1 for each in new if any(each)]
                row[f"found: {way}"] = _share([each for champion in new for each in champion])
                row[f"delay: {way}"] = float(np.mean(first)) if first else None
            yield row


def _share(values: Sequence[bool]) -> str:
    return f"{np.mean(values):.1%}" if len(values) else "–"


def report(every: Sequence[tuple[str, Sequence[Champion]]], splits: int) -> str:
    """All tables as Markdown."""
    alarms, faults, losses = [], [], []
    for name, found in every:
        watches = [Watch(champion) for champion in found]
        random = [seen for champion in found for seen in random_splits(champion, splits)]
        alarms.append(without_faults(name, random, "random splits"))
        after = [(w, key, w.plain(key)[1]) for w in watches for key in w.champion.following]
        alarms.append(without_faults(name, [seen for _, _, seen in after], "following in time"))
        losses += [
            {
                "problem": name,
                "champion": w.champion.cutoff,
                WINDOW: key,
                "failed": ", ".join(seen.failed),
                "error / held out": seen.ratio,
            }
            for w, key, seen in after
            if seen.failed
        ]
        faults += list(with_faults(name, watches))
        print(f"{name}: {len(found)} champions, {len(after)} windows", flush=True)
    return "\n".join(
        [
            "# Alarms without and with faults\n",
            "Share of windows on which a way alarms, and on which each of our checks does.\n",
            table(alarms),
            "Our alarms on windows that follow in time, and what became of the error:\n",
            table(losses) if losses else "None.\n",
            "Planted faults. Found: share of windows with an alarm that the same window without it does not give.",
            "Delay: windows from the fault's first one to the first alarm, that one included, where there is one.\n",
            table(faults),
        ]
    )


def main() -> None:
    """Measure, print, and keep what was measured."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="made-up rows, one champion; nothing is kept")
    parser.add_argument("--data", type=Path, default=DATA, help="folder of joined histories; made where missing")
    chosen = parser.parse_args()
    if chosen.quick:
        text = report([("made up", [made_up()])], 3)
    else:
        every = [
            ("flights", list(champions("flights", chosen.data, every=8, windows=3))),
            ("churn", list(champions("churn", chosen.data, every=1, windows=2))),
        ]
        text = report(every, SPLITS)
    print(text)
    if not chosen.quick:
        RESULTS.parent.mkdir(exist_ok=True)
        RESULTS.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
