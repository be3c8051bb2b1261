"""The command `ml-assets new`: its flags, and the order of its steps. What a step does is in the other modules."""

import sys
from pathlib import Path
from typing import Any

import click
import yaml
from pydantic import ValidationError
from rich.console import Console

from ml_assets.errors import OnboardingError
from ml_assets.files import write_text
from ml_assets.onboarding import place, summary
from ml_assets.onboarding.interview import Said, interview
from ml_assets.onboarding.plan import Plan
from ml_assets.onboarding.questions import Questions
from ml_assets.onboarding.sniffing import sniff
from ml_assets.onboarding.table import open_table
from ml_assets.onboarding.windows import KINDS
from ml_assets.onboarding.writer import declaration
from ml_assets.spec import METRICS, ProblemDeclaration
from ml_assets.spec.cadence import known_zone


@click.command()
@click.argument("name")
@click.option("--from", "source", required=True, type=click.Path(path_type=Path), help="The table: parquet or CSV.")
@click.option("--time", metavar="COLUMN", help="When a row happened.")
@click.option("--time-format", metavar="FORMAT", help="strptime format of times in CSV, e.g. %d/%m/%Y.")
@click.option("--timezone", default="UTC", show_default=True, help="Of the windows, and of times without an offset.")
@click.option("--entity", metavar="COLUMN", help="What a row is about, or `none`.")
@click.option("--key", metavar="COLUMN[,COLUMN]", multiple=True, help="What tells rows apart.")
@click.option("--label", metavar="COLUMN", help="What is to be predicted.")
@click.option("--task", type=click.Choice(list(METRICS)), help="What the label is.")
@click.option("--positive", metavar="VALUE", help="Which of a binary label's values counts as 1.")
@click.option(
    "--known-after",
    "known_after_days",
    metavar="DAYS",
    type=click.IntRange(0, 36_500),
    help="Days until a label is known.",
)
@click.option("--cadence", type=click.Choice(list(KINDS)), help="Length of a window.")
@click.option("--exclude", metavar="COLUMN", multiple=True, help="A column to leave out altogether; repeatable.")
@click.option("--copy", "copies", is_flag=True, help="Copy the table beside the declaration.")
@click.option("--into", type=click.Path(path_type=Path), help="Folder of declarations; ml_assets/defs when left out.")
@click.option("--yes", is_flag=True, help="Ask nothing, take what is proposed.")
@click.option("--force", is_flag=True, help="Overwrite.")
def new(
    name: str,
    source: Path,
    timezone: str,
    key: tuple[str, ...],
    copies: bool,
    into: Path | None,
    yes: bool,
    force: bool,
    **said: Any,
) -> None:
    """Write a declaration, NAME/defs.yaml, for a flat table.

    Looks at the table, proposes which column is what, asks where unsure, and says why it took what for what.
    """
    folder = place.defs_folder(into, Path.cwd()) / place.checked_name(name)
    file, copy = folder / place.DEFS_YAML, folder / place.DATA / source.name
    for target in (file, copy) if copies else (file,):
        place.require_free(target, force=force)
    columns = tuple(part.strip() for given in key for part in given.split(","))
    questions = Questions(terminal=sys.stdin.isatty(), take_all=yes)
    reading = sniff(source)
    path = place.path_in(folder, copy if copies else source, Path.cwd())
    with open_table(source, reading, timezone=_zone(timezone), mend_names=copies) as table:
        plan = interview(name, table, Said(key=columns, **said), questions)
        reading = table.reading.model_copy(update={"path": path, **_time_format(plan)})
        text = _checked(declaration(plan, reading, _schema_comment(file), source.name))
        if copies:
            place.copy_table(source, table.reading, table.renamed, copy)
    write_text(file, text)
    summary.show(plan, file, Console(highlight=False))


def _time_format(plan: Plan) -> dict[str, str]:
    form = plan.profile.columns[plan.answers.time].time_format
    return {"timestamp_format": form} if form else {}


def _zone(name: str) -> str:
    try:
        return known_zone(name)
    except ValueError as error:
        raise OnboardingError(f"--timezone: {error}") from error


def _schema_comment(file: Path) -> str:
    from ml_assets.components.schema import schema_comment  # imports Dagster: seconds

    return schema_comment(file)


def _checked(text: str) -> str:
    """The text, once it satisfies the spec: better no file than one that does not load.

    Raises:
        OnboardingError: It does not.
    """
    try:
        ProblemDeclaration.model_validate(yaml.safe_load(text)["attributes"]).problem()
    except ValidationError as error:
        first = error.errors()[0]
        place_ = ".".join(map(str, first["loc"]))
        raise OnboardingError(
            f"The proposal does not fit together: {place_} {first['msg']}. Say more by flags."
        ) from error
    return text
