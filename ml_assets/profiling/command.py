"""`ml-assets profile`: looks at a training set or a feature view, learns its rules, writes page and file."""

import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click
from rich.console import Console
from rich.markup import escape

import ml_assets
from ml_assets.components.mistakes import shown_file
from ml_assets.resources.settings import Settings
from ml_assets.spec.cadence import known_zone

if TYPE_CHECKING:
    from ml_assets.profiling.subject import Subject
    from ml_assets.spec import ValidationRule

DEFS = Path(ml_assets.__file__).parent / "defs"


@click.command()
@click.argument("name")
@click.option("--view", help="A feature view instead of the training set.")
@click.option("--cutoff", help="Training set of this cutoff; by default the newest that is there.")
@click.option("--since", help="With --view: first window that counts.")
@click.option("--until", help="With --view: last window that counts.")
@click.option("--timezone", help="Where the hours of times are read, e.g. Europe/London; by default the windows' own.")
@click.option("--write", is_flag=True, help="Write the rules to validation/<dataset or view>.yaml beside defs.yaml.")
@click.option("--force", is_flag=True, help="With --write: replace a file that is there.")
def profile(
    name: str,
    view: str | None,
    cutoff: str | None,
    since: str | None,
    until: str | None,
    timezone: str | None,
    write: bool,
    force: bool,
) -> None:
    """Show what a table of NAME (a problem, or shared feature views) looks like, and the rules that it keeps.

    The page shows every column with its values, what is missing, and the rules with margin and reason. Nothing is
    declared by itself: with --write the rules go to a file, and the line that names it in defs.yaml is printed.
    """
    from ml_assets.ml.validation.profiling import learn_rules
    from ml_assets.profiling.declared import declared_part
    from ml_assets.profiling.rules_yaml import write_rules
    from ml_assets.resources.lake import Lake
    from ml_assets.resources.reports import Reports

    _require_fitting(view, cutoff, since, until, timezone)
    settings, console = Settings.from_environment(os.environ, Path.cwd()), Console(highlight=False, soft_wrap=True)
    part = declared_part(DEFS, name, view)
    lake = Lake(root=str(settings.home / "lake"), landing=str(settings.home / "landing"))
    reports = Reports(root=str(settings.reports), url=settings.reports_url)
    with console.status(f"Looking at {name}"):
        subject = part.subject(lake, cutoff=cutoff, since=since, until=until)
        roles = replace(subject.roles, timezone=timezone) if timezone else subject.roles
        rules = learn_rules(subject.frame, parts=subject.parts, roles=roles)
        if write:
            options = {"--view": view, "--cutoff": cutoff, "--since": since, "--until": until, "--timezone": timezone}
            command = " ".join([name, *(f"{option} {value}" for option, value in options.items() if value), "--write"])
            source = f"{subject.title}; {subject.span}"
            write_rules(part.rules_file, rules, command=command, source=source, force=force)
        file = shown_file(part.rules_file)
        said = f"Written to {file}." if write else f"`--write` writes them to {file}."
        page = _write_page(reports.path("profiles", name, f"{subject.what}.html"), subject, rules, said)
    critical = sum(rule.severity == "critical" for rule in rules)
    rows, columns = subject.frame.shape
    console.print(f"{escape(subject.title)}: {rows:,} rows, {columns} columns; {subject.span}.")
    console.print(f"{len(rules)} rules learned, {critical} of them critical.")
    console.print(f"Page: {escape(shown_file(page))} ({reports.link(page).value} while `make ui` runs)")
    if write:
        console.print(f"Rules: {escape(file)}")
    if part.declared_file is None and part.rules_file.is_file():
        console.print(f"Add to {escape(shown_file(part.defs_yaml))}, {part.where}: validation_file: {part.file_name}")


def _write_page(file: Path, subject: "Subject", rules: Sequence["ValidationRule"], said: str) -> Path:
    from ml_assets.files import write_text
    from ml_assets.ml.validation.profiling import summarize
    from ml_assets.profiling.page import profile_page

    text = profile_page(
        subject.title,
        subject.span,
        summarize(subject.frame, parts=subject.parts),
        rules,
        parts=sorted(set(subject.parts)),
        part_word=subject.roles.part,
        written=said,
    )
    return write_text(file, text)


def _require_fitting(
    view: str | None, cutoff: str | None, since: str | None, until: str | None, timezone: str | None
) -> None:
    try:
        known_zone(timezone or "UTC")
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--timezone") from error
    if view and cutoff:
        raise click.UsageError("--cutoff is of training sets; with --view give --since and --until.")
    if not view and (since or until):
        raise click.UsageError("--since and --until are of feature views; add --view, or give --cutoff.")
