"""`ml-assets check`: exit 0 if all declarations hold, 1 with every mistake in a line of its own."""

import os
import sys
import tempfile
from pathlib import Path

import click
from rich.console import Console

import ml_assets
from ml_assets.resources.settings import Settings

DEFS = Path(ml_assets.__file__).parent / "defs"


@click.command()
@click.argument("paths", nargs=-1, type=click.Path(exists=True, path_type=Path))
@click.option("--json", "json_", is_flag=True, help="Print one JSON document instead of lines.")
@click.option("--no-data", is_flag=True, help="Look at the declarations only, not at the data.")
def check(paths: tuple[Path, ...], json_: bool, no_data: bool) -> None:
    """Check declarations (defs.yaml files, or folders with them; by default all) before anything runs.

    A few windows of the real data are read, landed and computed in a temporary folder; nothing else is written.
    """
    from ml_assets.checking import report
    from ml_assets.checking.declarations import Checked, files_of
    from ml_assets.checking.declarations import check as checked
    from ml_assets.resources.lake import Lake

    landing = Settings.from_environment(os.environ, Path.cwd()).home / "landing"
    files = files_of(paths or (DEFS,))
    # No colours, no wrapping where no person reads.
    console = Console(highlight=False, soft_wrap=True)
    results: list[Checked] = []
    with tempfile.TemporaryDirectory(prefix="ml-assets-check-") as folder:
        lake = None if no_data else Lake(root=folder, landing=str(landing))
        for result in checked(files, lake):
            results.append(result)
            if not json_:
                report.show(result, console)
    if json_:
        click.echo(report.as_json(results))
    if any(result.mistakes for result in results):
        sys.exit(1)
