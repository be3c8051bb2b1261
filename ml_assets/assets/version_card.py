"""Everything that a version carries: collected, put with the version into MLflow, and shown by Dagster.

What the card says is in `ml/promotion/model_card.py`. In MLflow: tags, the description, and `model_card/` among the
artifacts of the version's run. In Dagster: metadata of `registered_version`.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import dagster as dg
import pandas as pd

from ml_assets.assets.gate import days
from ml_assets.ml import figures
from ml_assets.ml.promotion.gate import Verdict
from ml_assets.ml.promotion.model_card import (
    CardFacts,
    Interval,
    description,
    frame_table,
    metric_intervals,
    model_card,
)
from ml_assets.ml.quality.scores import Scores, known, label_of
from ml_assets.ml.training.model import Model
from ml_assets.resources.ledger import LedgerRow
from ml_assets.resources.registry import Registry
from ml_assets.spec import Problem

if TYPE_CHECKING:
    from matplotlib.figure import Figure

FOLDER = "model_card"
_EXAMPLE_ROWS = 5


def card_facts(
    problem: Problem,
    row: LedgerRow,
    verdict: Verdict,
    model: Model,
    test: pd.DataFrame,
    scores: Scores,
    *,
    rows: Mapping[str, int],
    origin: Mapping[str, str],
    views: Mapping[str, str],
) -> CardFacts:
    """What the card of a version tells."""
    label = label_of(problem.task, test[problem.label.name])
    return CardFacts(
        version=row.version,
        cutoff=row.cutoff,
        cause=row.cause,
        decision=f"{row.action}, {row.reason}",
        rows=rows,
        origin=origin,
        views=views,
        params=model.params,
        metrics=metric_intervals(problem, label, scores, days(test)),
        verdict=verdict,
        example=test[list(problem.features)].head(_EXAMPLE_ROWS).reset_index(drop=True),
    )


def pictures(problem: Problem, model: Model, test: pd.DataFrame, scores: Scores) -> dict[str, "Figure"]:
    """How far the predictions can be believed, and what they rest on."""
    label = label_of(problem.task, test[problem.label.name])
    there, found = known(problem.task, label), {}
    if there.any() and problem.task == "multiclass":
        found["confusion"] = figures.confusion_figure(label[there], scores.predictions()[there])
    elif there.any():
        found["calibration"] = figures.error_figure(label[there], scores.values[there], problem.label.unit)
    return found | {"importance": figures.importance_figure(model.importance())}


def publish(problem: Problem, facts: CardFacts, drawn: Mapping[str, "Figure"], registry: Registry) -> None:
    """Put card, pictures, metrics with intervals and origin with the version; done again, it replaces the same."""
    files = {f"{name}.png": figure for name, figure in drawn.items()}
    text = model_card(problem, facts, {name: f"{name}.png" for name in drawn})
    registry.describe(problem, facts.version, description(problem, facts), tags(facts))
    registry.attach(problem, facts.version, FOLDER, text, files)


def tags(facts: CardFacts) -> dict[str, str]:
    """Origin, metrics and their intervals as tags of the version."""
    values: dict[str, str] = dict(facts.origin)
    for each in facts.metrics:
        values |= {f"test_{name}": f"{value:.6g}" for name, value in _bounds(each).items() if value is not None}
    return values


def metadata(problem: Problem, facts: CardFacts, drawn: Mapping[str, "Figure"]) -> dict[str, Any]:
    """The same for Dagster's page of the version."""
    shown = {name: _address(figure) for name, figure in drawn.items()}
    columns = [dg.TableColumn(name, kind) for name, kind in problem.features.items()]
    values = {f"test_{name}": value for each in facts.metrics for name, value in _bounds(each).items()}
    return {
        **facts.origin,
        **{name: value for name, value in values.items() if value is not None},
        "feature_views": dg.MetadataValue.json(dict(facts.views)),
        "input_signature": dg.MetadataValue.table_schema(dg.TableSchema(columns)),
        "input_example": dg.MetadataValue.md(frame_table(facts.example)),
        "model_card": dg.MetadataValue.md(model_card(problem, facts, shown)),
    }


def _bounds(each: Interval) -> dict[str, float | None]:
    return {each.metric: each.value, f"{each.metric}_low": each.low, f"{each.metric}_high": each.high}


def _address(figure: "Figure") -> str:
    """The picture as a data URI."""
    return figures.inline(figure).partition("(")[2].removesuffix(")")
