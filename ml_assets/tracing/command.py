"""`ml-assets trace`: one prediction and where it comes from, in the terminal or as JSON."""

import os
import sys
from pathlib import Path

import click
from rich.console import Console

import ml_assets
from ml_assets.resources.settings import Settings

DEFS = Path(ml_assets.__file__).parent / "defs"


@click.command()
@click.argument("name")
@click.option("--window", required=True, help="Window in which the row was scored, e.g. 2013-04-01.")
@click.option("--key", "keys", multiple=True, metavar="COLUMN=VALUE", help="Which row; several narrow it down.")
@click.option("--json", "json_", is_flag=True, help="Print one JSON document instead of tables.")
def trace(name: str, window: str, keys: tuple[str, ...], json_: bool) -> None:
    """Where a prediction of problem NAME comes from: model version, feature values, their versions, source columns."""
    from ml_assets.components.catalogue import find_problem
    from ml_assets.resources.lake import Lake
    from ml_assets.resources.ledger import Ledger
    from ml_assets.resources.registry import Registry
    from ml_assets.tracing import printing
    from ml_assets.tracing.trace import trace as traced

    settings = Settings.from_environment(os.environ, Path.cwd())
    found = traced(
        find_problem(DEFS, name),
        window,
        _pairs(keys),
        Lake(root=str(settings.home / "lake"), landing=str(settings.home / "landing")),
        Ledger(url=settings.ledger_url),
        Registry(tracking_uri=settings.tracking_uri, artifacts=settings.artifacts.as_uri()),
    )
    if json_:
        click.echo(printing.as_json(found))
    else:
        printing.show(found, Console(highlight=False, soft_wrap=not sys.stdout.isatty()))


def _pairs(keys: tuple[str, ...]) -> dict[str, str]:
    wrong = [each for each in keys if "=" not in each]
    if wrong:
        raise click.BadParameter(f"'{wrong[0]}' is not COLUMN=VALUE", param_hint="--key")
    return {column.strip(): value for column, _, value in (each.partition("=") for each in keys)}
