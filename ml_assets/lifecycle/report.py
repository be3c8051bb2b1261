"""What `ml-assets history` prints: a table for people, a document for programs."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from rich.box import SIMPLE
from rich.console import Console
from rich.table import Table
from rich.text import Text

from ml_assets.ml.moments import moment, window_named
from ml_assets.ml.promotion.decisions import LedgerRow, periods, production, stages
from ml_assets.resources.lifecycle import AGAINST_GATE
from ml_assets.spec import Problem

_COLOURS = {"promoted": "green", "rejected": "red", "rolled_back": "yellow"}


@dataclass(frozen=True)
class Answer:
    """Who was production at a moment."""

    problem: str
    window: str
    row: LedgerRow | None

    def __str__(self) -> str:
        """One line."""
        if self.row is None:
            return f"{self.problem}: no version was production for window {self.window}."
        since = f"since {self.row.first_window}, {decided(self.row)}"
        return f"{self.problem}: version {self.row.version} was production for window {self.window} ({since})."

    def as_json(self) -> str:
        """The same as a document; `version` is null where there was none."""
        row = {"version": self.row.version, "decision": asdict(self.row)} if self.row else {"version": None}
        return json.dumps({"problem": self.problem, "window": self.window, **row}, indent=2)


def known_rows(rows: Sequence[LedgerRow], known: str | None) -> list[LedgerRow]:
    """The rows that were written by a moment of the clock; all where none is named.

    Raises:
        MomentError: It cannot be read.
    """
    if known is None:
        return list(rows)
    until = moment(known).isoformat(timespec="seconds")
    return [row for row in rows if row.at <= until]


def answer(problem: Problem, rows: Sequence[LedgerRow], at: str) -> Answer:
    """Who was production at a moment of the data.

    Raises:
        MomentError: It cannot be read.
    """
    window = window_named(problem.cadence, at).key
    return Answer(problem.name, window, production(rows, window))


def decided(row: LedgerRow) -> str:
    """What was decided, and whether by hand."""
    text = row.action.replace("_", " ") + (f" by {row.user}" if row.by_hand else "")
    return text + (", against the gate" if AGAINST_GATE in row.numbers else "")


def show(problem: str, rows: Sequence[LedgerRow], mended: Sequence[str], console: Console) -> None:
    """One row per decision, the reasons, then who scores which windows; fits 80 columns."""
    if not rows:
        console.print(f"{problem}: nothing was decided yet.")
        return
    now = stages(rows)
    table = Table(
        title=f"Decisions on {problem}", title_justify="left", box=SIMPLE, padding=(0, 1, 0, 0), pad_edge=False
    )
    for name in ("#", "decided (UTC)", "version", "decision", "from window", "gain", "now"):
        table.add_column(name, no_wrap=name != "decision")
    for row in rows:
        table.add_row(
            str(row.sequence),
            row.at[:16].replace("T", " "),
            str(row.version),
            Text(decided(row), style=_COLOURS[row.action]),  # not markup: a user's name may look like it
            row.first_window if row.changes_production else "",
            _gain(row),
            now[row.version] if _last(rows, row) else "",
        )
    console.print(table)
    console.print("Reasons:")
    for row in rows:
        console.print(f"  {row.sequence}  {row.reason}", markup=False, soft_wrap=True)
    spans = [f"{span.since} to {span.until or '...'}: version {span.row.version}" for span in periods(rows)]
    console.print("Windows are scored by:", *(f"  {span}" for span in spans), sep="\n")
    for line in mended:
        console.print(f"MLflow was behind and is mended: {line}", markup=False, soft_wrap=True)


def as_json(problem: str, rows: Sequence[LedgerRow], mended: Sequence[str]) -> str:
    """All rows with all their fields, the spans of windows, and the stage of every version."""
    spans = [{"since": each.since, "until": each.until, "version": each.row.version} for each in periods(rows)]
    whole: dict[str, Any] = {
        "problem": problem,
        "decisions": [asdict(row) | {"first_window": row.first_window} for row in rows],
        "windows": spans,
        "stages": {str(version): stage for version, stage in stages(rows).items()},
        "mended": list(mended),
    }
    return json.dumps(whole, indent=2)


def _gain(row: LedgerRow) -> str:
    gain = row.numbers.get("gain")
    return "" if row.by_hand or gain is None else f"{gain:+.1%}"


def _last(rows: Sequence[LedgerRow], row: LedgerRow) -> bool:
    """Whether a row is the last one on its version."""
    return row is [each for each in rows if each.version == row.version][-1]
