"""Pictures for metadata and MLflow. Drawing only: what is drawn is computed elsewhere; those of a search are
in `figures.py`."""

import base64
import io
from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray

if TYPE_CHECKING:
    from matplotlib.figure import Figure

BLUE, ORANGE, GREY = "#2f6fde", "#e07b39", "#8a93a3"


def new_figure(height_in: float = 3.0) -> "Figure":
    """An empty figure of the width that all pictures have."""
    # A Figure of its own, not pyplot's: no global state, no display.
    from matplotlib.figure import Figure

    return Figure(figsize=(7.0, height_in), dpi=80, layout="constrained")


def inline(figure: "Figure") -> str:
    """A PNG as Markdown that shows the picture inside Dagster's UI."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", metadata={"Software": ""})
    return f"![picture](data:image/png;base64,{base64.b64encode(buffer.getvalue()).decode()})"


def importance_figure(importance: Mapping[str, float], *, top: int = 15) -> "Figure":
    """Shares of total gain of the most important features, largest on top."""
    shown = list(importance.items())[:top][::-1]
    figure = new_figure(0.6 + 0.24 * len(shown))
    axes = figure.add_subplot()
    axes.barh([name for name, _ in shown], [share for _, share in shown], color=BLUE)
    axes.set_xlabel("share of total gain")
    axes.spines[["top", "right"]].set_visible(False)
    return figure


def error_figure(label: NDArray[np.float64], prediction: NDArray[np.float64], unit: str, *, bins: int = 12) -> "Figure":
    """Mean label and mean prediction in bins of equal count of the prediction: a calibration curve."""
    order = np.argsort(prediction, kind="stable")
    parts = [part for part in np.array_split(order, bins) if len(part)]
    x = [prediction[part].mean() for part in parts]
    of = f" ({unit})" if unit else ""
    figure = new_figure()
    axes = figure.add_subplot()
    axes.axline((0, 0), slope=1, color=GREY, linewidth=1, linestyle="--", label="perfect")
    axes.plot(x, [label[part].mean() for part in parts], "o-", color=BLUE, label="mean label")
    axes.set_xlabel(f"prediction{of}")
    axes.set_ylabel(f"label{of}")
    axes.legend(frameon=False)
    axes.spines[["top", "right"]].set_visible(False)
    return figure


def confusion_figure(label: NDArray[np.object_], prediction: NDArray[np.object_], *, top: int = 12) -> "Figure":
    """Share of each true class (row) that was predicted as each class (column), for the most frequent classes."""
    counts = pd.crosstab(pd.Series(label, name="label"), pd.Series(prediction, name="prediction"))
    shown = pd.Series([*label, *prediction]).value_counts().sort_index().nlargest(top, keep="first").index.sort_values()
    shares = counts.div(counts.sum(axis=1), axis=0).reindex(index=shown, columns=shown, fill_value=0.0).fillna(0.0)
    figure = new_figure(1.4 + 0.34 * len(shown))
    axes = figure.add_subplot()
    axes.imshow(shares.to_numpy(), cmap="Blues", vmin=0, vmax=1, aspect="auto")
    for (row, column), share in np.ndenumerate(shares.to_numpy()):
        axes.text(column, row, f"{share:.0%}", ha="center", va="center", color="white" if share > 0.5 else "black")
    axes.set_xticks(range(len(shown)), [_short(name) for name in shown], rotation=30, ha="right")
    axes.set_yticks(range(len(shown)), [_short(name) for name in shown])
    axes.set_xlabel("prediction")
    axes.set_ylabel("label")
    return figure


def drift_figure(distances: Mapping[str, float], thresholds: Mapping[str, float], *, top: int = 15) -> "Figure":
    """Distances of the columns that are farthest, each with the distance from which it has drifted, farthest on top."""
    shown = sorted(distances.items(), key=lambda item: item[1] / thresholds[item[0]])[-top:]
    figure = new_figure(0.6 + 0.24 * len(shown))
    axes = figure.add_subplot()
    colours = [ORANGE if value >= thresholds[name] else BLUE for name, value in shown]
    axes.barh([name for name, _ in shown], [value for _, value in shown], color=colours)
    axes.scatter([thresholds[name] for name, _ in shown], range(len(shown)), color=GREY, marker="|", zorder=3)
    axes.set_xlabel("distance from the champion's rows, and from where on it is drift")
    axes.spines[["top", "right"]].set_visible(False)
    return figure


def _short(name: str, most: int = 18) -> str:
    # A "$" would start a formula.
    text = name if len(name) <= most else f"{name[: most - 1]}…"
    return text.replace("$", r"\$")
