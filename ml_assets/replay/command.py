"""`ml-assets replay`: a table in the terminal, a page and a record in the reports folder."""

import os
from pathlib import Path
from typing import TYPE_CHECKING

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

import ml_assets
from ml_assets.resources.settings import Settings

if TYPE_CHECKING:
    from ml_assets.replay.report import Report
    from ml_assets.spec import Problem

DEFS = Path(ml_assets.__file__).parent / "defs"


@click.command()
@click.argument("name")
@click.option(
    "--policies",
    default="never,every,every:4,any-drift,declared",
    show_default=True,
    help="With commas: never, every (window), every:N (each N-th), any-drift, declared (the problem's own).",
)
@click.option("--cutoff", help="Window that the first version is for; by default after a quarter of the history.")
@click.option("--trials", type=click.IntRange(1), help="Trials of every training; by default as declared.")
def replay(name: str, policies: str, cutoff: str | None, trials: int | None) -> None:
    """Replay the landed history of problem NAME under several retraining policies, on the same data.

    Production is not touched: no ledger row, no MLflow version, nothing in the lake. Finished trainings are kept in
    the home's folder scratch/replay, so that a replay which was killed goes on, and another one is quick.
    """
    from ml_assets.components.catalogue import find_problem
    from ml_assets.components.mistakes import shown_file
    from ml_assets.files import write_text
    from ml_assets.replay.page import page
    from ml_assets.resources.reports import Reports

    settings, console = Settings.from_environment(os.environ, Path.cwd()), Console(highlight=False, soft_wrap=True)
    problem = find_problem(DEFS, name)
    report = _replayed(problem, settings, console, [each.strip() for each in policies.split(",")], cutoff, trials)
    reports = Reports(root=str(settings.reports), url=settings.reports_url)
    file = write_text(reports.path("replay", f"{name}.html"), page(report))
    write_text(file.with_suffix(".json"), report.to_json())
    _show(report, console)
    console.print(f"Page: {shown_file(file)} ({reports.link(file).value} while `make ui` runs)", markup=False)


def _replayed(
    problem: "Problem", settings: Settings, console: Console, names: list[str], cutoff: str | None, trials: int | None
) -> "Report":
    from ml_assets.replay.landed import Landed
    from ml_assets.replay.policies import policy_named
    from ml_assets.replay.replay import replay as replayed
    from ml_assets.resources.feature_store import FeatureStore
    from ml_assets.resources.lake import Lake
    from ml_assets.resources.server_addresses import FEAST_REGISTRY, ONLINE_STORE

    for each in names:
        policy_named(each, problem)  # before a minute of reading, not after it
    lake = Lake(root=str(settings.home / "lake"), landing=str(settings.home / "landing"))
    store = FeatureStore(
        root=str(settings.home / "feast"),
        registry_address=os.environ.get(FEAST_REGISTRY),
        online_address=os.environ.get(ONLINE_STORE),
    )
    columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, TimeElapsedColumn(), console=console, transient=True) as progress:
        task = progress.add_task("reading and joining what has landed", total=None)
        landed = Landed.read(problem, lake, store)

        def step(title: str) -> None:
            progress.update(task, advance=1, description=title)

        return replayed(
            landed,
            policies=names,
            scratch=settings.home / "scratch" / "replay" / problem.name,
            cutoff=cutoff,
            trials=trials,
            plan=lambda steps: progress.update(task, total=steps),
            step=step,
            tell=lambda text: progress.update(task, description=text),
        )


def _show(report: "Report", console: Console) -> None:
    from ml_assets.replay.texts import cells, headings

    title = f"{report.problem}: {report.possible + 1} windows, {report.first} to {report.last}, {report.rows:,} rows"
    table = Table(title=title, title_justify="left")
    for place, heading in enumerate(headings(report)):
        table.add_column(heading, justify="right" if place else "left")
    for outcome in report.outcomes:
        row = [f"{text}\n{small}" if small else text for text, small in cells(report, outcome)]
        table.add_row(*map(Text, row))
    console.print(table)
