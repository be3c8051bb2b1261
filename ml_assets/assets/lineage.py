"""Lineage as Dagster shows it: metadata that names, for each column of a table, the columns that it comes from.

Here belongs how origins become metadata. How they are found is the business of `ml/features/column_lineage.py`; which
versions of feature views a table was made of, of `feature_versions.py`.

Dagster's open-source UI of 1.13 draws no column graph: it shows `dagster/column_lineage` as JSON (Dagster+ and
OpenLineage's adapters read it). So each column's origin is also its description in the table of columns.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import dagster as dg
import pyarrow as pa

from ml_assets.assets import keys
from ml_assets.ml.features.column_lineage import (
    EVENT,
    KNOWN,
    Lineage,
    label_lineage,
    rows_lineage,
    source_lineage,
    view_lineage,
)
from ml_assets.ml.features.sql_lineage import Origin
from ml_assets.ml.training.dataset import LABEL_KNOWN, SPLIT
from ml_assets.spec import FeatureSet, FeatureView, Problem, Source

NOTE = "column_lineage_note"
_SHOWN = 6
"""Columns that a description names; the lineage itself has all."""

AssetColumn = tuple[str, str]
"""(asset, column): the asset as `rows`, `labels`, `features/<view>` or the name of a source."""


def source_columns(features: FeatureSet, source: Source, table: pa.Table) -> dict[str, Any]:
    """Columns of a landed source, from what was delivered and from other sources."""
    return _of_sources(features, source_lineage(features, source), table)


def view_columns(features: FeatureSet, view: FeatureView, table: pa.Table) -> dict[str, Any]:
    """Columns of a feature view, from the landed sources."""
    return _of_sources(features, view_lineage(features, view), table)


def rows_columns(problem: Problem, table: pa.Table) -> dict[str, Any]:
    """Columns of the rows to score, from the landed sources."""
    return _of_sources(problem, rows_lineage(problem), table)


def labels_columns(problem: Problem, table: pa.Table) -> dict[str, Any]:
    """Columns of the labels, from the landed sources."""
    return _of_sources(problem, label_lineage(problem), table)


def dataset_columns(problem: Problem, schema: pa.Schema) -> dict[str, Any]:
    """Columns of a training set: one to one from feature views, rows and labels."""
    label = {problem.label.name: ("labels", problem.label.name), LABEL_KNOWN: ("labels", KNOWN)}
    taken = joined_columns(problem, schema.names) | label
    notes = {SPLIT: "By the window of the row: train, validation or test."}
    return _metadata(
        schema, {name: [column] for name, column in taken.items()}, _asset_key(problem), _root(problem), notes
    )


def prediction_columns(problem: Problem, schema: pa.Schema, used: Iterable[str]) -> dict[str, Any]:
    """Columns of predictions: features one to one, the prediction from the features that the model's trees use."""
    taken = joined_columns(problem, schema.names)
    wanted = [taken[name] for name in used if name in taken]
    made = [name for name in schema.names if name not in taken]
    scores = {name: wanted for name in made if name.partition(":")[0] in ("prediction", "probability")}
    notes = {name: f"By the model version, from {len(wanted)} features that its trees use." for name in scores}
    deps = {name: [column] for name, column in taken.items()} | scores
    return _metadata(schema, deps, _asset_key(problem), _root(problem), notes)


def joined_columns(problem: Problem, names: Iterable[str]) -> dict[str, AssetColumn]:
    """Column -> where a point-in-time join took it from; without the columns that a stage adds of its own."""
    found: dict[str, AssetColumn] = {}
    for view in problem.feature_views:
        found |= {name: (f"features/{view.name}", name) for name in view.features}
        found[f"{view.name}__known_at"] = (f"features/{view.name}", KNOWN)
    keys_of_views = {key for view in problem.feature_views for key in view.entities}
    of_rows = {*problem.rows.key, EVENT, *problem.rows.features, *keys_of_views, *rows_lineage(problem).columns}
    found |= {name: ("rows", name) for name in of_rows if name not in found}
    return {name: found[name] for name in names if name in found}


def source_origins(problem: Problem, column: AssetColumn) -> Origin:
    """The source columns behind a column of a feature view, the rows or the labels."""
    return _lineage(problem, column[0]).columns.get(column[1], Origin())


def source_note(problem: Problem, column: AssetColumn) -> str:
    """Why `source_origins` are an upper bound; "" where they are not."""
    return _lineage(problem, column[0]).note


def _lineage(problem: Problem, asset: str) -> Lineage:
    if asset == "rows":
        return rows_lineage(problem)
    if asset == "labels":
        return label_lineage(problem)
    return view_lineage(problem, problem.view(asset.removeprefix("features/")))


def told(origin: Origin) -> str:
    """An origin in words, e.g. "flights.arr_delay; rows by flights.arr_at"; "" where nothing is behind a column."""
    values = _listed(f"{table}.{column}" for table, column in sorted(origin.values))
    rows = _listed(f"{table}.{column}" for table, column in sorted(origin.rows))
    if values and rows:
        return f"{values}; rows by {rows}"
    return values or (f"the count or time of rows by {rows}" if rows else "")


def _of_sources(features: FeatureSet, lineage: Lineage, table: pa.Table) -> dict[str, Any]:
    names = [name for name in table.column_names if name in lineage.columns]
    known = {source.name for source in features.sources}

    def key(asset: str) -> dg.AssetKey | None:
        return keys.source(features, asset) if asset in known else None  # what was delivered is no asset

    deps = {name: _ordered(lineage.columns[name]) for name in names}
    notes = {name: told(lineage.columns[name]) for name in names} if not lineage.note else {}
    found = _metadata(table.schema, deps, key, lambda _: "", notes)
    return found | ({NOTE: lineage.note} if lineage.note else {})


def _ordered(origin: Origin) -> list[AssetColumn]:
    return [*sorted(origin.values), *sorted(origin.rows)]


def _metadata(
    schema: pa.Schema,
    deps: Mapping[str, list[AssetColumn]],
    key: Callable[[str], dg.AssetKey | None],
    root: Callable[[AssetColumn], str],
    notes: Mapping[str, str],
) -> dict[str, Any]:
    """Metadata of a table: its columns with their types and origins."""
    columns, lineage = [], {}
    for field in schema:
        sources = deps.get(field.name, [])
        text = notes.get(field.name, "")
        if not text and len(sources) == 1:
            asset_name, column_name = sources[0]
            text = asset_name if column_name == field.name else f"{asset_name}.{column_name}"
            text += root(sources[0])
        columns.append(dg.TableColumn(field.name, str(field.type), description=text or None))
        found = [dg.TableColumnDep(asset, column) for name, column in sources if (asset := key(name)) is not None]
        if found:
            lineage[field.name] = found
    return {
        "dagster/column_schema": dg.TableSchema(columns),
        "dagster/column_lineage": dg.TableColumnLineage(lineage),
    }


def _asset_key(problem: Problem) -> Callable[[str], dg.AssetKey]:
    def key(asset: str) -> dg.AssetKey:
        view = asset.removeprefix("features/")
        return keys.stage(problem, asset) if view == asset else keys.features(problem, view)

    return key


def _root(problem: Problem) -> Callable[[AssetColumn], str]:
    found: dict[str, Lineage] = {}

    def root(column: AssetColumn) -> str:
        asset, name = column
        if asset not in found:
            found[asset] = _lineage(problem, asset)
        text = told(found[asset].columns.get(name, Origin()))
        return f", from {text}" if text else ""

    return root


def _listed(names: Iterable[str]) -> str:
    found = list(names)
    return ", ".join(found[:_SHOWN]) + (f" and {len(found) - _SHOWN} more" if len(found) > _SHOWN else "")
