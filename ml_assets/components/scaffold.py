"""What `dg scaffold defs` writes: a declaration to fill in, that says of each part what it is for."""

import click
import dagster as dg
from pydantic import BaseModel

from ml_assets.components.documents import DEFS_YAML
from ml_assets.components.schema import schema_comment

_SOURCE_AND_VIEW = """
  # The windows: what lands, is scored and is judged together.
  cadence: {kind: weekly, start: 2024-01-01, end: 2025-01-06, timezone: UTC}

  # What comes from outside, and how it must look.
  sources:
    - name: orders
      read: {kind: parquet, path: data/orders.parquet} # or csv, duckdb, postgresql, python, deliveries
      columns:
        order_id: string
        customer_id: string
        ordered_at: timestamp
        amount: float64
        returned: bool
        closed_at: timestamp
      key: [order_id]
      event_time: ordered_at
      known_at: {returned: closed_at} # what becomes known later than its row

  # What is known of an entity, and since when; with `sql:` or `function:` for more than columns as they are.
  feature_views:
    - name: customer_orders
      entities: [customer_id]
      features: {last_amount: float}
      sql: >-
        SELECT customer_id, ordered_at AS event_timestamp, ordered_at AS known_at, amount AS last_amount
        FROM orders
"""


class Declared(BaseModel):
    """No parameters: the name is that of the folder."""


class FeaturesScaffolder(dg.Scaffolder[Declared]):
    """Writes a `defs.yaml` with shared feature views."""

    @classmethod
    def get_scaffold_params(cls) -> type[Declared]:
        """None are taken."""
        return Declared

    def scaffold(self, request: dg.ScaffoldRequest[Declared]) -> None:
        """Write it into the folder, or append it to the file."""
        write(request, "Sources and feature views that problems share: they name them in `features_from`.", "")


class ProblemScaffolder(dg.Scaffolder[Declared]):
    """Writes a `defs.yaml` with a problem."""

    @classmethod
    def get_scaffold_params(cls) -> type[Declared]:
        """None are taken."""
        return Declared

    def scaffold(self, request: dg.ScaffoldRequest[Declared]) -> None:
        """Write it into the folder, or append it to the file."""
        parts = """
  task: binary

  # What is predicted: one row per decision, and what the request itself carries.
  rows: {key: [order_id], features: {amount: float}}

  # The truth, and how many days later it is known.
  label: {name: returned, lookahead_days: 30}

  split: {test_windows: 4, validation_windows: 4}
"""
        write(request, "One problem: `ml-assets check` says what of it does not fit the data.", parts)


def write(request: dg.ScaffoldRequest[Declared], what: str, parts: str) -> None:
    """Write a declaration as Dagster asks for it.

    Raises:
        click.UsageError: Python is asked for.
    """
    if request.scaffold_format != "yaml":
        raise click.UsageError("Only YAML is scaffolded; in Python, return `build_problem_defs(bound_problem(...))`.")
    file = request.target_path if request.append else request.target_path / DEFS_YAML
    name = file.parent.name.lower().replace("-", "_")
    head = f"# {what}\ntype: {request.type_name}\n\nattributes:\n  name: {name}\n"
    text = head + parts + _SOURCE_AND_VIEW
    if request.append:
        with file.open("a", encoding="utf-8") as opened:
            opened.write(f"---\n{text}")
    else:
        file.write_text(f"{schema_comment(file)}\n{text}", encoding="utf-8")
