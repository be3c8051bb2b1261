"""The model card: what a version is, what it was made of, how good it is and where not, as Markdown.

After Mitchell et al. (2019), "Model Cards for Model Reporting". Text only: numbers are computed, pictures drawn and
files stored elsewhere.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ml_assets.ml.markdown import markdown_table
from ml_assets.ml.promotion.gate import Verdict, blocks_of
from ml_assets.ml.quality.bootstrap import bootstrap_interval
from ml_assets.ml.quality.metrics import evaluate
from ml_assets.ml.quality.scores import Labels, Scores, known
from ml_assets.ml.training.params import ParamValue
from ml_assets.spec import METRICS, MetricName, Problem, Promotion

LONGEST = 5000
"""Characters that MLflow's registry keeps of a description."""


@dataclass(frozen=True)
class Interval:
    """A metric on the test rows with its bootstrap interval; None where it has none."""

    metric: str
    value: float
    low: float | None
    high: float | None


@dataclass(frozen=True)
class CardFacts:
    """What a card tells beside the declaration.

    Attributes:
        version, cutoff, cause: Which one, trained for which first window, and why.
        decision: What the gate said.
        rows: Part of the training set -> rows.
        origin: What the version was made of: partition, hashes, versions, seed, ids; shown as it is.
        views: Feature view -> code versions that the training set was made of.
        params: All parameters of the training.
        metrics: On the test rows.
        verdict: The comparison with the champion.
        example: A few rows of the model's input.
    """

    version: int
    cutoff: str
    cause: str
    decision: str
    rows: Mapping[str, int]
    origin: Mapping[str, str]
    views: Mapping[str, str]
    params: Mapping[str, ParamValue]
    metrics: Sequence[Interval]
    verdict: Verdict
    example: pd.DataFrame


def metric_intervals(problem: Problem, label: Labels, scores: Scores, day: NDArray[np.int64]) -> list[Interval]:
    """The task's metrics with intervals, by the same blocks, confidence and seed as the gate.

    Args:
        problem: Task and policy.
        label: (n,) labels; rows without one are left out.
        scores: Of the same rows.
        day: (n,) integer, equal for rows of the same day.
    """
    policy, there = problem.promotion, known(problem.task, label)
    label, scores, day = label[there], scores.take(there), day[there]
    values = evaluate(label, scores).values
    block = blocks_of(day, policy) if len(label) else None
    found = []
    for metric in METRICS[problem.task]:
        if metric in values:
            bounds = None if block is None else _interval(metric, label, scores, block, policy)
            found.append(Interval(metric, values[metric], *(bounds or (None, None))))
    return found


def _interval(
    metric: MetricName, label: Labels, scores: Scores, block: NDArray[np.int64], policy: Promotion
) -> tuple[float, float] | None:
    return bootstrap_interval(
        metric,
        label,
        scores,
        block,
        confidence=policy.confidence,
        samples=policy.bootstrap_samples,
        seed=policy.seed,
    )


def model_card(problem: Problem, facts: CardFacts, pictures: Mapping[str, str]) -> str:
    """The whole card.

    Args:
        problem: What is predicted.
        facts: What there is to tell.
        pictures: Title -> address of a picture (a file beside the card, or a data URI).
    """
    shown = [f"## {title}\n\n![{title}]({address})" for title, address in pictures.items()]
    return "\n\n".join([*_sections(problem, facts), *shown]) + "\n"


def description(problem: Problem, facts: CardFacts) -> str:
    """As much of the card, without pictures, as MLflow's registry keeps; whole sections only."""
    text = ""
    for section in _sections(problem, facts):
        longer = f"{text}\n\n{section}" if text else section
        if len(longer) > LONGEST:
            continue
        text = longer
    return text


def _sections(problem: Problem, facts: CardFacts) -> list[str]:
    confidence = problem.promotion.confidence
    unit = f" ({problem.label.unit})" if problem.label.unit else ""
    metrics = [(each.metric, _number(each.value), _number(each.low), _number(each.high)) for each in facts.metrics]
    bounds = (f"{1 - confidence:.0%} quantile", f"{confidence:.0%} quantile")
    sections = [
        f"# {problem.name}, version {facts.version}\n\n{problem.description}",
        f"**Decision of the gate:** {_text(facts.decision)}\n\n**Trained because of:** {_text(facts.cause)}",
        f"## Use\n\nPredicts `{problem.label.name}`{unit}, a {problem.task} label, {_when(problem)}. Scores windows "
        f"from {facts.cutoff} on; it knows nothing of what became known later.",
        "## Quality on the held-out test rows\n\n" + markdown_table(("metric", "value", *bounds), metrics),
    ]
    if facts.verdict.segments:
        sections.append("## Segments against the champion\n\n" + _segments(facts.verdict))
    sections += [
        "## Data\n\n" + markdown_table(("part", "rows"), [(part, f"{rows:,}") for part, rows in facts.rows.items()]),
        "## Origin\n\n" + markdown_table(("", ""), [(name, f"`{value}`") for name, value in facts.origin.items()]),
    ]
    if facts.views:
        views = [(f"`{view}`", version) for view, version in facts.views.items()]
        sections.append("## Feature views and their code versions\n\n" + markdown_table(("view", "version"), views))
    inputs = [(f"`{name}`", kind) for name, kind in problem.features.items()]
    params = [(f"`{name}`", _number(value)) for name, value in sorted(facts.params.items())]
    return [
        *sections,
        "## Input\n\n" + markdown_table(("feature", "type"), inputs),
        "## Example\n\n" + frame_table(facts.example),
        "## Parameters\n\n" + markdown_table(("parameter", "value"), params),
    ]


def _when(problem: Problem) -> str:
    hours = problem.rows.horizon_hours
    return f"{hours:g} hours before its event" if hours else "at its prediction time"


def _segments(verdict: Verdict) -> str:
    rows = [
        (
            _text(each.name),
            f"{each.rows:,}",
            _number(each.challenger),
            _number(each.champion),
            "" if each.gain is None else f"{each.gain:+.1%}",
            each.note or ("passed" if each.passed else "**failed**"),
        )
        for each in verdict.segments
    ]
    return markdown_table(("segment", "rows", "this version", "champion", "gain", ""), rows)


def frame_table(frame: pd.DataFrame) -> str:
    """A few rows as a table in Markdown."""
    rows = [tuple("" if pd.isna(value) else _text(_number(value)) for value in row) for row in frame.to_numpy(object)]
    return markdown_table(tuple(f"`{name}`" for name in frame.columns), rows)


def _number(value: object) -> str:
    if value is None:
        return ""
    return f"{value:.6g}" if isinstance(value, float) else str(value)


def _text(text: str) -> str:
    """Text from data or people: it must neither end a table's cell nor become markup of its own."""
    return text.replace("\\", "\\\\").replace("|", "\\|").replace("<", "&lt;").replace("\n", " ")
