"""The commands' flags and what they print. Errors are one line, like those of all commands."""

import getpass
import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import click
from rich.console import Console

import ml_assets

if TYPE_CHECKING:
    from ml_assets.resources.lifecycle import Change, Decider, Production

DEFS = Path(ml_assets.__file__).parent / "defs"


def _me() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container's user without a name
        return ""


def _deciding(command: Callable[..., None]) -> Callable[..., None]:
    """The flags of every change."""
    for option in (
        click.option("--expect", type=click.IntRange(1), help="Only if this version is production now."),
        click.option("--user", default=_me, show_default="your login name", help="Who decides."),
        click.option("--reason", required=True, help="Why, in one line."),
    ):
        command = option(command)
    return command


@click.command()
@click.argument("problem")
@click.argument("version", type=click.IntRange(1))
@_deciding
def promote(problem: str, version: int, reason: str, user: str, expect: int | None) -> None:
    """Make VERSION the production version of PROBLEM, from the next window to be scored on.

    Also one that the gate rejected: that is recorded with the reason.
    """
    production = _production(problem)
    _say(problem, production.promote(version, _decider("promote", user, reason), expect=expect))


@click.command()
@click.argument("problem")
@click.argument("version", type=click.IntRange(1), required=False)
@_deciding
def rollback(problem: str, version: int | None, reason: str, user: str, expect: int | None) -> None:
    """Return to a VERSION of PROBLEM that was production before; by default the one before the present."""
    production = _production(problem)
    _say(problem, production.rollback(version, _decider("rollback", user, reason), expect=expect))


@click.command()
@click.argument("problem")
@click.option("--at", metavar="MOMENT", help="Only who was production then, e.g. 2013-06-01: time of the data.")
@click.option(
    "--known", metavar="MOMENT", help="As the ledger was known then, e.g. 2026-11-24T12:00: time of the clock."
)
@click.option("--json", "json_", is_flag=True, help="Print one JSON document instead of a table.")
def history(problem: str, at: str | None, known: str | None, json_: bool) -> None:
    """Every decision on PROBLEM: who became production, from which window on, by whom, why.

    Without --at, MLflow's aliases are brought in line with it where a killed process left them behind.
    """
    from ml_assets.lifecycle import report

    production = _production(problem)
    rows = report.known_rows(production.ledger.rows(production.problem), known)
    if at is not None:
        answer = report.answer(production.problem, rows, at)
        click.echo(answer.as_json() if json_ else str(answer))
        return
    mended = production.registry.follow(production.problem, production.ledger) if rows else []
    if json_:
        click.echo(report.as_json(problem, rows, mended))
    else:
        report.show(problem, rows, mended, Console(highlight=False))


def _production(name: str) -> "Production":
    from ml_assets.components.catalogue import find_problem
    from ml_assets.resources.lake import Lake
    from ml_assets.resources.ledger import Ledger
    from ml_assets.resources.lifecycle import Production
    from ml_assets.resources.registry import Registry
    from ml_assets.resources.settings import Settings

    os.environ["MLFLOW_LOGGING_LEVEL"] = "WARNING"  # its news of database migrations are no answer to the command
    settings = Settings.from_environment(os.environ, Path.cwd())
    return Production(
        problem=find_problem(DEFS, name),
        lake=Lake(root=str(settings.home / "lake"), landing=str(settings.home / "landing")),
        ledger=Ledger(url=settings.ledger_url),
        registry=Registry(tracking_uri=settings.tracking_uri, artifacts=settings.artifacts.as_uri()),
    )


def _decider(command: str, user: str, reason: str) -> "Decider":
    from ml_assets.resources.lifecycle import Decider

    return Decider(user=user, reason=reason, by=f"ml-assets {command}")


def _say(problem: str, change: "Change") -> None:
    click.echo(f"{problem}: {change}")
    for line in change.followed:
        click.echo(f"  MLflow: {line}")
