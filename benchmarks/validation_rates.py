"""How often a learned suite is wrong: alarms where nothing is, and planted faults that it lets pass.

Run it: `python -m benchmarks.validation_rates` (minutes; `--quick` takes 12 windows of each history and few faults). It
prints Markdown and writes benchmarks/results/validation_rates.md.

A suite is learned on one half of a table and judged on the other, by Great Expectations. Halves are cut in three
ways: every other window (the same season), first against second half of the time (other seasons), and rows at random.
Training sets are judged as a whole, feature views window by window, as the platform does.
"""

import argparse
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from benchmarks.measuring import machine, table
from benchmarks.validation_faults import SIZES, Fault, faults_of
from benchmarks.validation_history import flights, retail
from ml_assets.ml.validation.expectations import judge
from ml_assets.ml.validation.profiling import learn_rules
from ml_assets.profiling.subject import Subject
from ml_assets.spec import RowCount, ValidationRule
from ml_assets.spec.validation import columns_of
from ml_assets.telemetry import disable_telemetry

RESULTS = Path(__file__).parent / "results" / "validation_rates.md"
_JUDGED_WINDOWS = 12
_FAULT_ROWS = 20_000
"""Rows of a training set that faults are planted into: drawn, since each of thousands of cases is judged."""
_SEED = 2013


@dataclass(frozen=True)
class Judged:
    """A table that a suite was judged on: which rules hold."""

    subject: str
    halves: str
    rules: tuple[ValidationRule, ...]
    passed: tuple[bool, ...]

    def alarms(self, *, critical: bool) -> list[ValidationRule]:
        """Rules that do not hold."""
        pairs = zip(self.rules, self.passed, strict=True)
        return [rule for rule, passed in pairs if not passed and (rule.severity == "critical" or not critical)]


@dataclass(frozen=True)
class Caught:
    """A planted fault, and whether rules noticed: critical ones, any."""

    subject: str
    fault: Fault
    catchable: bool
    critical: bool
    any: bool


def halves(subject: Subject) -> Iterator[tuple[str, NDArray[np.bool_]]]:
    """(name, (n,) whether a row is in the half that is learned from)."""
    order = np.unique(subject.parts)
    place = np.searchsorted(order, subject.parts)
    yield "every other window", place % 2 == 0
    yield "first / second half", place < len(order) / 2
    yield "rows at random", np.random.default_rng(_SEED).random(len(place)) < 0.5


def false_alarms(subject: Subject, most_windows: int = _JUDGED_WINDOWS) -> Iterator[Judged]:
    """A suite learned on each half, judged on what is not in it."""
    for name, learned in halves(subject):
        rules = learn_rules(subject.frame[learned], parts=subject.parts[learned], roles=subject.roles)
        for rows in _judged_rows(subject, ~learned, most_windows):
            # Half of the rows of a window are fewer than a window has: that is of the experiment, not of the data.
            fitting = tuple(r for r in rules if not (name == "rows at random" and isinstance(r, RowCount)))
            yield Judged(subject.title, name, fitting, _passed(subject.frame[rows], fitting))


def faults_caught(subject: Subject, sizes: Sequence[float] = SIZES) -> Iterator[Caught]:
    """Every fitting fault at every size, planted into the other half of every other window."""
    _, learned = next(halves(subject))
    rules = learn_rules(subject.frame[learned], parts=subject.parts[learned], roles=subject.roles)
    [*_, rows] = _judged_rows(subject, ~learned, 3)
    frame = subject.frame[rows]
    if not subject.roles.per_part:
        frame = frame.sample(min(_FAULT_ROWS, len(frame)), random_state=_SEED).sort_index()
    holds = dict(zip(map(id, rules), _passed(frame, rules), strict=True))
    columns = [name for name in frame if name not in subject.roles.leave_out]
    for fault in faults_of(frame, columns, sizes):
        touched = tuple(r for r in rules if holds[id(r)] and set(columns_of(r)) & set(fault.columns))
        planted = fault.plant(frame, _SEED)
        broken = [rule for rule, ok in zip(touched, _passed(planted, touched), strict=True) if not ok]
        critical = any(rule.severity == "critical" for rule in broken)
        yield Caught(subject.title, fault, fault.is_catchable(frame), critical, bool(broken))


def _judged_rows(subject: Subject, rest: NDArray[np.bool_], most: int) -> Iterator[NDArray[np.bool_]]:
    """What is judged at once: all of a training set, or single windows of a view."""
    if not subject.roles.per_part:
        yield rest
        return
    windows, counts = np.unique(subject.parts[rest], return_counts=True)
    windows = windows[counts >= 30]
    for key in windows[:: max(1, -(-len(windows) // most))]:
        yield rest & (subject.parts == key)


def _passed(frame: pd.DataFrame, rules: Sequence[ValidationRule]) -> tuple[bool, ...]:
    return tuple(result.status == "passed" for result in judge(frame, rules))


def alarm_report(judged: Sequence[Judged]) -> str:
    """False alarms by table and by kind of rule."""
    rows = []
    for subject, name in dict.fromkeys((j.subject, j.halves) for j in judged):
        some = [j for j in judged if (j.subject, j.halves) == (subject, name)]
        checked = sum(len(j.rules) for j in some)
        critical, every = ([len(j.alarms(critical=c)) for j in some] for c in (True, False))
        rows.append(
            [
                subject,
                name,
                checked // len(some),
                len(some),
                sum(map(bool, critical)),
                sum(map(bool, every)),
                f"{sum(every)} of {checked:,} ({sum(every) / checked:.2%})",
            ]
        )
    head = ["table", "halves", "rules", "judged", "critical alarm in", "any alarm in", "rules that alarmed"]
    kinds = Counter((j.halves, r.kind, r.severity) for j in judged for r in j.alarms(critical=False))
    of_kind = Counter((j.halves, r.kind, r.severity) for j in judged for r in j.rules)
    by_kind = [
        [name, kind, severity, count, kinds[name, kind, severity]]
        for (name, kind, severity), count in of_kind.items()
        if kinds[name, kind, severity]
    ]
    text = table(_named(head, rows)) + "\n\nThe kinds of rules that alarmed:\n\n"
    return text + table(_named(["halves", "kind", "severity", "judged", "alarms"], by_kind))


def fault_report(caught: Sequence[Caught]) -> str:
    """Detection rates by fault and size, and what was missed at full size."""
    rows = []
    for kind in dict.fromkeys(c.fault.kind for c in caught):
        for size in sorted({c.fault.size for c in caught}, reverse=True):
            some = [c for c in caught if (c.fault.kind, c.fault.size) == (kind, size) and c.catchable]
            if some:
                critical, every = (sum(values) for values in zip(*((c.critical, c.any) for c in some), strict=True))
                shares = (f"{critical / len(some):.1%}", f"{every / len(some):.1%}")
                rows.append([kind, f"{size:.0%}", len(some), *shares])
    whole = [c for c in caught if c.fault.size == 1 and c.catchable]
    missed = Counter((c.subject, c.fault.kind, " / ".join(c.fault.columns)) for c in whole if not c.any)
    found = sum(c.any for c in whole) / max(len(whole), 1)
    blocked = sum(c.critical for c in whole) / max(len(whole), 1)
    nothing = sum(not c.catchable for c in caught if c.fault.size == 1)
    text = table(_named(["fault", "rows hit", "cases", "caught by critical rules", "by any rule"], rows))
    beside = [c.any for c in whole if c.fault.hours != 1]
    text += f"\n\nIn all rows: {len(whole):,} faults, {found:.1%} caught, {blocked:.1%} by critical rules; "
    text += f"{sum(beside) / max(len(beside), 1):.1%} but for clocks 1 h late: what goes on day and night looks alike "
    text += "an hour later. "
    text += (
        f"{nothing} more cases change nothing (equal columns swapped, a hundred times 0).\n\nMissed in all rows:\n\n"
    )
    return text + table(_named(["table", "fault", "columns"], [list(each) for each in missed]))


def _named(head: Sequence[str], rows: Sequence[Sequence[str | int]]) -> list[dict[str, str | int]]:
    return [dict(zip(head, row, strict=True)) for row in rows]


def report(
    histories: Sequence[Callable[[Path, int | None], Iterator[Subject]]], windows: int | None, sizes: Sequence[float]
) -> str:
    """The whole report, in Markdown."""
    started = time.monotonic()
    judged: list[Judged] = []
    caught: list[Caught] = []
    with tempfile.TemporaryDirectory(prefix="validation-rates-") as folder:
        for history in histories:
            for subject in history(Path(folder, history.__name__), windows):
                short = replace(subject, title=f"{history.__name__}/{subject.what}")
                judged += false_alarms(short, 3 if windows else _JUDGED_WINDOWS)
                caught += faults_caught(short, sizes)
    return (
        "# Rates of learned suites\n\n"
        f"{__doc__.strip().splitlines()[0]} Made by `python -m benchmarks.validation_rates` in "
        f"{time.monotonic() - started:.0f} s, on {machine()}.\n\n"
        f"## False alarms\n\n{alarm_report(judged)}\n\n## Planted faults\n\n{fault_report(caught)}\n"
    )


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the report, and write it unless `--quick`."""
    parser = argparse.ArgumentParser(description="False alarms and detection rates of learned suites.")
    parser.add_argument("--quick", action="store_true", help="Few windows and sizes; nothing is written.")
    options = parser.parse_args(arguments)
    disable_telemetry()
    text = report([retail, flights], 12 if options.quick else None, (0.25, 1.0) if options.quick else SIZES)
    print(text)
    if not options.quick:
        RESULTS.parent.mkdir(exist_ok=True)
        RESULTS.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
