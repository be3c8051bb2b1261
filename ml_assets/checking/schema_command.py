"""`ml-assets schema`: the JSON schemas of `defs.yaml` and of files of rules, by which editors complete."""

from pathlib import Path

import click

from ml_assets.components.mistakes import shown_file
from ml_assets.components.reference import reference_page
from ml_assets.components.schema import RULES_SCHEMA_FILE, SCHEMA_FILE, rules_schema_text, schema_text
from ml_assets.files import write_text


@click.command()
@click.option("--to", "path", type=click.Path(path_type=Path), help="Another file than the package's own.")
@click.option(
    "--page", type=click.Path(path_type=Path), help="Write the reference of all fields there, too (Markdown)."
)
def schema(path: Path | None, page: Path | None) -> None:
    """Write the JSON schemas of defs.yaml and of files of rules; needed after a change of the spec."""
    texts = {path or SCHEMA_FILE: schema_text()} | ({page: reference_page()} if page else {})
    texts |= {} if path else {RULES_SCHEMA_FILE: rules_schema_text()}
    for file, text in texts.items():
        click.echo(f"{shown_file(write_text(file, text))}: {len(text):,} characters.")
