"""How a trace is shown: tables in a terminal, or one JSON document."""

import json
from dataclasses import asdict
from typing import Any

from rich.console import Console
from rich.table import Table

from ml_assets.tracing.trace import FeatureTrace, Trace

_DIGITS = 4


def as_json(trace: Trace) -> str:
    """The whole trace."""
    return json.dumps(asdict(trace), indent=2)


def show(trace: Trace, console: Console) -> None:
    """The whole trace for people."""
    console.print(f"[bold]{trace.problem}[/bold], window {trace.window}{_of(trace)}")
    console.print(_pairs(trace))
    for asset in dict.fromkeys(feature.asset for feature in trace.features):
        features = [feature for feature in trace.features if feature.asset == asset]
        console.print(_title(features[0]), soft_wrap=True)
        console.print(_table(features))


def _of(trace: Trace) -> str:
    return f": the first of {trace.rows} rows that fit; `--key` narrows it down" if trace.rows > 1 else ""


def _pairs(trace: Trace) -> Table:
    model = trace.model
    table = Table(box=None, show_header=False, padding=(0, 2, 0, 0))
    lines = {
        **{name: _shown(value) for name, value in trace.key.items()},
        "prediction time": _shown(trace.prediction_time),
        "prediction": f"[bold]{_shown(trace.prediction)}[/bold]",
        "model version": f"{model.version}, {model.stage} when it scored, now {model.stage_now or 'unknown'}",
        "  trained on": f"dataset {model.cutoff} (sha256 {model.data_sha256[:12] or 'unknown'})",
        "  because": f"{model.cause}; decided {model.decided_at} in run {model.decided_by[:8]}",
        "  code version": f"{model.code_version or 'unknown'}, seed {model.seed or 'unknown'}",
        "  MLflow run": model.mlflow_run_id or "unknown",
        "  model sha256": model.model_sha256[:12],
    }
    for name, value in lines.items():
        table.add_row(name, value)
    return table


def _title(feature: FeatureTrace) -> str:
    known = f", known since {feature.known_at}" if feature.known_at else ", which had no value for this row"
    if not feature.version_at_scoring:
        return f"\n[bold]{feature.asset}[/bold]: what the request carries"
    same = feature.version_at_scoring == feature.version_at_training
    versions = f"version {feature.version_at_scoring} at scoring" + (
        " and at training" if same else f", [yellow]{feature.version_at_training or 'none'} at training[/yellow]"
    )
    return f"\n[bold]{feature.asset}[/bold] {versions}{known}" + (f"\n{feature.note}" if feature.note else "")


def _table(features: list[FeatureTrace]) -> Table:
    table = Table(box=None, padding=(0, 1, 0, 1))
    for name in ("feature", "value", "computed from", "of rows chosen by"):
        whole = name in ("feature", "value")
        table.add_column(name, justify="right" if name == "value" else "left", no_wrap=whole, overflow="fold")
    for each in features:
        from_, by = ", ".join(each.computed_from), ", ".join(each.rows_chosen_by)
        table.add_row(each.feature, _shown(each.value), from_ or "the count or time of rows", by)
    return table


def _shown(value: Any) -> str:
    if value is None:
        return "missing"
    return f"{value:.{_DIGITS}f}".rstrip("0").rstrip(".") if isinstance(value, float) else str(value)
