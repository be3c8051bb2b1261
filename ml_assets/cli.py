"""`ml-assets`: the demo, problems of one's own, the UIs. Errors that a user can act on are one line."""

import os
import signal
import sys
import time
import warnings
from contextlib import ExitStack
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import click
from rich.console import Console

from ml_assets.checking.command import check
from ml_assets.checking.schema_command import schema
from ml_assets.errors import MLAssetsError
from ml_assets.lifecycle.command import history, promote, rollback
from ml_assets.onboarding.command import new
from ml_assets.profiling.command import profile
from ml_assets.replay.command import replay
from ml_assets.resources.settings import Settings
from ml_assets.telemetry import disable_telemetry
from ml_assets.tracing.command import trace

DEFS = Path(__file__).parent / "defs"


def _settings() -> Settings:
    settings = Settings.from_environment(os.environ, Path.cwd())
    os.environ["ML_ASSETS_HOME"] = str(settings.home)
    os.environ["DAGSTER_HOME"] = str(settings.dagster_home)
    return settings


@click.group()
def cli() -> None:
    """A data and ML platform on Dagster."""


@cli.command()
def demo() -> None:
    """A year of real flights: land, train, score, judge, retrain; ends with a table."""
    from ml_assets.components.catalogue import find_problem
    from ml_assets.demo import story, summary
    from ml_assets.resources.lake import Lake
    from ml_assets.resources.ledger import Ledger
    from ml_assets.resources.registry import Registry

    settings, console, started = _settings(), Console(highlight=False), time.monotonic()
    problem = find_problem(DEFS, "flights")
    console.print(f"[bold]{problem.name}[/bold]: {problem.description}", soft_wrap=True)
    story.tell(problem, settings, console)
    lake = Lake(root=str(settings.home / "lake"), landing=str(settings.home / "landing"))
    ledger = Ledger(url=settings.ledger_url)
    registry = Registry(tracking_uri=settings.tracking_uri, artifacts=settings.artifacts.as_uri())
    summary.show_versions(problem, ledger, console)
    summary.show_year(summary.year(problem, story.scored_windows(problem), lake, ledger, registry), console)
    minutes, seconds = divmod(round(time.monotonic() - started), 60)
    console.print(
        f"Done in {minutes} min {seconds} s. `make ui` opens Dagster, MLflow and the reports over this state."
    )


@cli.command()
@click.argument("name")
@click.option("--cutoff", help="Window that the version is for, e.g. 2011-05-01; by default after 60% of the history.")
def run(name: str, cutoff: str | None) -> None:
    """Run problem NAME over its whole history: land, train, score, judge; the UI then shows every run."""
    import dagster as dg

    from ml_assets import servers
    from ml_assets.components.catalogue import find_problem
    from ml_assets.definitions import defs
    from ml_assets.demo.story import keep_home
    from ml_assets.history import History
    from ml_assets.resources.ledger import Ledger

    settings, console, started = _settings(), Console(highlight=False), time.monotonic()
    problem = find_problem(DEFS, name)
    # What libraries tell their developers is no news to a user; the runs' own logs are in the UI.
    warnings.showwarning = lambda *_, **__: None
    os.environ["MLFLOW_LOGGING_LEVEL"] = "WARNING"
    servers.prepare_home(settings)
    keep_home(settings.home)
    with dg.DagsterInstance.get() as instance, console.status(problem.description or problem.name):
        history = History(problem, defs(), instance, Ledger(url=settings.ledger_url))
        for step in history.run(cutoff):
            console.print(f"  {time.monotonic() - started:6.1f} s  {step}", soft_wrap=True)
    console.print(f"How it fares: {settings.reports / problem.name / 'index.html'}", soft_wrap=True)
    console.print("`make ui` opens Dagster, MLflow and the reports over this state.")
    sys.stdout.flush()
    os._exit(0)  # all is on disk; an orderly end has DuckDB's bindings print a page about leaks of their own


@cli.command("alert-test")
@click.argument("name")
def alert_test(name: str) -> None:
    """Send a test message to everyone who is told of problem NAME; one line for each says whether it went out."""
    from ml_assets.alerts.channels import AlertChannels
    from ml_assets.alerts.trial import send_test
    from ml_assets.components.catalogue import find_problem

    settings, problem = _settings(), find_problem(DEFS, name)
    channels = AlertChannels.from_environment(os.environ).process_config_and_initialize()
    page, failed = f"{settings.reports_links or settings.reports_url}/{problem.name}/index.html", False
    for receiver, trouble in send_test(problem, channels, datetime.now(UTC), page=page):
        click.echo(f"{receiver}: {trouble or 'sent'}")
        failed |= bool(trouble)
    sys.exit(1 if failed else 0)


@cli.command()
def ui() -> None:
    """Dagster's UI, MLflow's UI and the reports, until Ctrl-C."""
    from ml_assets import servers

    settings, console = _settings(), Console(highlight=False)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that an asked end stops the servers, too
    with ExitStack() as stack:
        started = [
            (stack.enter_context(start(settings)), port, url)
            for start, port, url in (
                (servers.dagster, settings.dagster_port, settings.dagster_url),
                (servers.mlflow_ui, settings.mlflow_port, settings.mlflow_url),
                (servers.report_server, settings.reports_port, settings.reports_url),
            )
        ]
        for server, port, url in started:
            server.wait(partial(servers.answers, port), timeout_s=180)
            console.print(f"{server.name:8} {url}")
        console.print(f"How each problem fares: {settings.reports_url}/")
        console.print("Ctrl-C ends all three.")
        while all(server.process.poll() is None for server, _, _ in started):
            time.sleep(1)


cli.add_command(new)
cli.add_command(check)
cli.add_command(schema)
cli.add_command(trace)
cli.add_command(promote)
cli.add_command(rollback)
cli.add_command(history)
cli.add_command(profile)
cli.add_command(replay)


def main() -> None:
    """Entry point of the console script."""
    disable_telemetry()
    # XGBoost's threads spin while they wait: beside any other load a training would take several times as long.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    try:
        cli(standalone_mode=False)
    except MLAssetsError as error:
        click.echo(f"Error: {error}", err=True)
        sys.exit(1)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except (KeyboardInterrupt, click.Abort):
        sys.exit(130)
