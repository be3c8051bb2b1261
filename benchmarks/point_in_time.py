"""Point-in-time joins: ours against Feast's stores, a plain DuckDB ASOF join and Polars' `join_asof`.

    python -m benchmarks.point_in_time [--rows 100000 1000000 5000000] [--large 20000000] [--quick]

Two views of ten features, joined to so many rows; each contestant in a process of its own, medians of three runs (one
where a run takes over a minute). The table is printed and written to `benchmarks/results/point_in_time.md`.

First all are asked the same question: values known at their event, no TTL, where an ASOF join on event time is right.
There all answers must be equal. Then the real one: values known late, corrections, a TTL. The column "as ours" says
which share of the cells is as ours; the joins on event time alone leak there, which is the point.
"""

import argparse
import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from benchmarks.measuring import ROOT, Measured, WorkFailedError, machine, measure, table
from benchmarks.point_in_time_data import CUSTOMERS, PLACE, TTL_DAYS, write_asked, write_history

RESULT = ROOT / "benchmarks" / "results" / "point_in_time.md"
LIMIT_S, LIMIT_GB, ONCE_OVER_S, SEED = 600, 14, 60, 7
OURS, PLAIN = "ours: Feast with our store", "DuckDB ASOF join, event time only"
_JOINS = "benchmarks.point_in_time_joins"
CONTESTANTS: dict[str, tuple[str, dict[str, Any]]] = {
    OURS: ("feast_join", {"kind": "ours"}),
    "ours, end to end to pandas": ("end_to_end", {}),
    "Feast with its duckdb store": ("feast_join", {"kind": "duckdb"}),
    "Feast with its dask store": ("feast_join", {"kind": "dask"}),
    PLAIN: ("plain_asof", {}),
    "Polars join_asof, event time only": ("polars_asof", {}),
}


@dataclass(frozen=True)
class Task:
    """What is joined.

    Attributes:
        rows: Rows asked for, and values per view (before corrections).
        late: Whether values become known after their event; else without a TTL, too.
        contestants: Who takes part.
        repeats: How often each joins.
    """

    rows: int
    late: bool
    contestants: Sequence[str]
    repeats: int


class DisagreementError(AssertionError):
    """Two contestants gave different answers to the same question."""


def run(task: Task, scratch: Path) -> list[dict[str, Any]]:
    """Generate the data, let all join it, and compare; one row of the table per contestant.

    Raises:
        DisagreementError: All were asked the same, and one gave another answer than ours.
        WorkFailedError: Ours failed.
    """
    folder = Path(tempfile.mkdtemp(dir=scratch))
    try:
        write_history(folder, task.rows, late=task.late, seed=SEED)
        write_asked(folder, task.rows, seed=SEED)
        measured = {name: _measured(name, task, folder) for name in task.contestants}
        shares = {name: _agreement(folder, name) for name in task.contestants}
    finally:
        shutil.rmtree(folder)
    if not task.late and (wrong := {name: share for name, share in shares.items() if share not in (None, 1.0)}):
        raise DisagreementError(f"all are asked the same, but do not answer as we do: {wrong}")
    plain = measured.get(PLAIN)
    return [_row(name, task, measured[name], plain, shares[name]) for name in task.contestants]


def _measured(name: str, task: Task, folder: Path) -> Measured | str:
    function, options = CONTESTANTS[name]
    ttl_days = TTL_DAYS if task.late else None
    arguments = {"folder": str(folder), "ttl_days": ttl_days, "answers": str(_answers(folder, name)), **options}
    print(f"{task.rows:,} rows, {name} ...", flush=True)
    try:
        return measure(
            f"{_JOINS}:{function}",
            arguments,
            task.repeats,
            once_over_s=ONCE_OVER_S,
            limit_s=None if name.startswith("ours") else LIMIT_S,
            limit_gb=LIMIT_GB,
        )
    except WorkFailedError as error:
        if name.startswith("ours"):
            raise
        return error.reason[:60]


def _row(
    name: str, task: Task, measured: Measured | str, plain: Measured | str | None, share: float | None
) -> dict[str, Any]:
    row: dict[str, Any] = {"rows": task.rows, "contestant": name}
    if isinstance(measured, str):
        return row | {"note": measured}
    usable = isinstance(plain, Measured) and not plain.stopped and not measured.stopped
    row |= {"wall s": measured.wall_s, "CPU s": measured.cpu_s, "peak GB": measured.peak_gb}
    against = plain if usable and isinstance(plain, Measured) else None
    row |= {"wall / ASOF": against and measured.wall_s / against.wall_s}
    row |= {"CPU / ASOF": against and measured.cpu_s / against.cpu_s}
    dropped = task.rows - measured.result["rows"] if measured.result else 0
    planning_s = (measured.result or {}).get("planning_s")
    notes = [measured.stopped, dropped and f"dropped {dropped:,} rows"]
    notes += [planning_s and f"{planning_s:.2f} CPU s before its query"]
    note = "; ".join(text for text in notes if text)
    return row | {"as ours": None if share is None else f"{share:.2%}", "note": note}


def _answers(folder: Path, name: str) -> Path:
    return folder / f"answers {name.replace(':', '')}.parquet"


def _agreement(folder: Path, name: str) -> float | None:
    """Share of cells as ours, of the rows that both kept."""
    if name == OURS or not _answers(folder, name).exists():
        return None
    ours, theirs = (pd.read_parquet(_answers(folder, who)).set_index(PLACE) for who in (OURS, name))
    kept = ours.index.intersection(theirs.index)
    left, right = ours.loc[kept], theirs.loc[kept]
    return float(((left == right) | (left.isna() & right.isna())).to_numpy().mean())


def main(arguments: Sequence[str] | None = None) -> str:
    """Run all and return the report in Markdown."""
    options = _options(arguments)
    sizes, repeats = ([2_000], 1) if options.quick else (options.rows, 3)
    names = [name for name in CONTESTANTS if not (options.quick and "dask" in name)]
    same = [name for name in names if "end to end" not in name]
    with tempfile.TemporaryDirectory(dir=options.scratch) as scratch:
        equal = run(Task(min(sizes), False, same, 1), Path(scratch))
        rows = [row for size in sizes for row in run(Task(size, True, names, repeats), Path(scratch))]
        if options.large and not options.quick:
            ours = [name for name in names if name.startswith("ours")]
            rows += run(Task(options.large, True, ours, 1), Path(scratch))
    report = _report(equal, rows)
    options.out.parent.mkdir(parents=True, exist_ok=True)
    options.out.write_text(report)
    return report


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.point_in_time", description=__doc__)
    parser.add_argument("--rows", type=int, nargs="+", default=[100_000, 1_000_000, 5_000_000])
    parser.add_argument("--large", type=int, default=20_000_000, help="rows joined by ours alone; 0 for none")
    parser.add_argument("--quick", action="store_true", help="a smoke test on 2,000 rows, without dask")
    parser.add_argument("--scratch", default=None, help="folder for the data, about 250 bytes per row and view")
    parser.add_argument("--out", type=Path, default=RESULT)
    return parser.parse_args(arguments)


def _report(equal: Sequence[dict[str, Any]], rows: Sequence[dict[str, Any]]) -> str:
    return f"""# Point-in-time joins

`python -m benchmarks.point_in_time`, on {machine()}. Two views of ten float64 features with as many values per view as
rows are asked for, of {CUSTOMERS:,} customers over a year; values become known six hours after their event on average,
2% are corrected days later; TTL {TTL_DAYS} days. Wall and CPU seconds are medians of three processes (one where it
takes over {ONCE_OVER_S} s), ended after {LIMIT_S} s (ours are not) or at {LIMIT_GB} GB. Peak memory is that of the
whole process. "as ours": share of cells, in about 100,000 rows, that are as ours.

{table(rows)}
What the ASOF joins on event time do not answer: they join values before they were known, and corrections at random;
DuckDB's knows no TTL; neither keeps the order of rows.

Where all are asked the same (known at the event, no TTL, {equal[0]["rows"]:,} rows), all answer the same:

{table([{key: row.get(key) for key in ("contestant", "wall s", "as ours", "note")} for row in equal])}"""


if __name__ == "__main__":
    print(main())
