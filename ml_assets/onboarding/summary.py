"""What `ml-assets new` says at the end: what was taken for what and why, what was left out, what to do next."""

from collections.abc import Iterable
from pathlib import Path

from rich.console import Console
from rich.table import Table
from rich.text import Text

from ml_assets.onboarding.plan import Plan
from ml_assets.onboarding.sizing import min_rows
from ml_assets.onboarding.yaml_text import quote


def show(plan: Plan, written: Path, console: Console) -> None:
    """Print it: a screen, for a table of usual width."""
    console.print(_grid(_taken(plan)))
    if plan.selection.left_out:
        console.print(Text("No features:", style="bold"))
        console.print(_grid((f"  {name}", why) for name, why in plan.selection.left_out.items()))
    for doubt in _doubts(plan):
        console.print(Text(f"Look at: {doubt}"))
    console.print(Text(f"\nWritten: {written}"))
    commands = (
        ("  ml-assets check", "whether the declaration fits the data"),
        (f"  ml-assets run {plan.name}", "land, train, score and judge all windows"),
        ("  make ui", "look at it"),
    )
    console.print(_grid(commands))


def _taken(plan: Plan) -> list[tuple[str, ...]]:
    answers, grid, reasons = plan.answers, plan.grid, plan.answers.reasons
    features, cadence = plan.selection.all, plan.grid.cadence
    windows = f"{len(grid.rows)} {grid.kind} windows of about {grid.typical:,}"
    lines = [
        ("rows", f"{plan.profile.rows:,}", f"in {windows}, {cadence.start} to {cadence.end} {cadence.timezone}"),
        ("time", answers.time, reasons["time"]),
        ("entity", answers.entity or "none", reasons["entity"]),
        ("key", ", ".join(plan.key), answers.key.reason),
        ("label", answers.label, reasons["label"]),
        ("task", answers.task, reasons["task"]),
        ("positive", answers.positive or "", reasons["positive"]),
        ("features", f"{len(features)}", ", ".join(features)),
    ]
    return [line for line in lines if line[1]]


def _doubts(plan: Plan) -> list[str]:
    grid, doubts = plan.grid, list(plan.doubts)
    if grid.strays:
        span = f"{grid.first:%Y-%m-%d} to {grid.last:%Y-%m-%d}"
        doubts.append(f"{grid.strays:,} rows lie far outside all windows ({span}) and are never read.")
    if grid.timeless:
        doubts.append(f"{grid.timeless:,} rows have no time and are never read.")
    if grid.typical < min_rows(grid.typical):
        doubts.append(f"windows hold about {grid.typical:,} rows, too few to judge drift or quality by.")
    return doubts


def _grid(lines: Iterable[tuple[str, ...]]) -> Table:
    """Texts below each other; what comes from the file is no markup."""
    shown = Table(box=None, padding=(0, 2, 0, 0), show_header=False)
    for line in lines:
        shown.add_row(*(Text(quote(text)) for text in line))
    return shown
