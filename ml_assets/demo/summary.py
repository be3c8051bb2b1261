"""What the demo ends with: the versions and their fate, and the year's error against never retraining."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from rich.console import Console
from rich.table import Table

from ml_assets.assets.predictions import VERSION
from ml_assets.assets.quality import with_labels
from ml_assets.ml.quality.metrics import Metrics, evaluate
from ml_assets.ml.quality.scores import PREDICTION, Scores
from ml_assets.ml.windows import Window
from ml_assets.resources.lake import Lake
from ml_assets.resources.ledger import Ledger
from ml_assets.resources.registry import Registry
from ml_assets.spec import Problem


@dataclass(frozen=True)
class Year:
    """Labelled predictions of all scored windows, and what the first version would have predicted."""

    label: np.ndarray
    prediction: np.ndarray
    first: np.ndarray
    month: np.ndarray

    def metrics(self, which: np.ndarray, month: int | None = None) -> Metrics:
        """Errors of one of the two, over the year or in one month."""
        rows = np.full(len(self.label), True) if month is None else self.month == month
        return evaluate(self.label[rows], Scores("regression", which[rows]))


def year(problem: Problem, windows: list[Window], lake: Lake, ledger: Ledger, registry: Registry) -> Year:
    """Collect the scored windows and score their rows, with the stored feature values, by the first version."""
    first = next(row for row in ledger.rows(problem) if row.action == "promoted")
    model = registry.load(problem, first)
    parts = []
    for window in windows:
        frame = with_labels(problem, window, lake)
        frame = frame[frame[problem.label.name].notna()]
        frame = frame.assign(first=model.predict(frame), month=window.start.month)
        parts.append(frame[[problem.label.name, PREDICTION, "first", "month", VERSION]])
    rows = pd.concat(parts, ignore_index=True)
    columns = (problem.label.name, PREDICTION, "first")
    label, prediction, firsts = (rows[column].to_numpy(float) for column in columns)
    return Year(label, prediction, firsts, rows["month"].to_numpy(int))


def show_versions(problem: Problem, ledger: Ledger, console: Console) -> None:
    """One row per version, as the ledger has it, and why each was trained."""
    table = Table(title="Versions: errors in minutes on the same held-out rows", title_justify="left")
    for column in ("v", "trained on", "to", "RMSE", "MAE", "champion", "gain", "decision"):
        table.add_column(column, justify="right" if column in ("RMSE", "MAE", "champion") else "left", no_wrap=True)
    rows = ledger.rows(problem)
    for row in rows:
        n = row.numbers
        table.add_row(
            str(row.version),
            n["train_start"],
            row.cutoff,
            f"{n['test_rmse']:.2f}",
            f"{n['test_mae']:.2f}",
            f"{n['champion_error']:.2f}",
            f"{n['gain']:+.1%}",
            f"[green]{row.action}[/green]" if row.action == "promoted" else f"[red]{row.action}[/red]",
        )
    console.print(table)
    console.print(f"{len(rows) - 1} retrainings, launched by the sensor. Trained because of:")
    for row in rows:
        console.print(f"  version {row.version}: {row.cause}")
        console.print(f"    {row.action}, {row.reason}")


def show_year(found: Year, console: Console) -> None:
    """Month by month: the platform's error against never retraining."""
    table = Table(title="Error over the year (minutes)", title_justify="left")
    for column in ("month", "flights", "RMSE", "never retrained", "MAE", "never retrained"):
        table.add_column(column, justify="right")
    for month in [*sorted(set(found.month.tolist())), None]:
        ours, never = (found.metrics(which, month) for which in (found.prediction, found.first))
        table.add_row(
            f"2013-{month:02d}" if month else "all",
            f"{ours.rows:,}",
            *(f"{side.value(metric):.2f}" for metric in ("rmse", "mae") for side in (ours, never)),
            style="bold" if month is None else None,
        )
    console.print(table)
