"""Pictures of a search: its losses trial by trial, and which parameters the better trials had. Drawing only."""

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from ml_assets.ml.figures import BLUE, GREY, ORANGE, new_figure
from ml_assets.ml.search.trial_log import Trial
from ml_assets.ml.training.params import ParamValue
from ml_assets.spec import Choice, Distribution, LogNormal, LogUniform

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


def search_figure(trials: Sequence[Trial]) -> "Figure":
    """Loss by trial and the least so far; a pruned trial where it was stopped, one without a loss at the top edge."""
    from matplotlib.ticker import MaxNLocator

    figure = new_figure()
    axes = figure.add_subplot()
    _points(axes, [t for t in trials if t.status == "ok"], "o", "to its end")
    _points(axes, [t for t in trials if t.status == "pruned"], "v", "pruned", hollow=True)
    lost = [trial.number for trial in trials if trial.loss is None]
    if lost:
        axes.plot(lost, [0.97] * len(lost), "x", color=ORANGE, label="failed", transform=axes.get_xaxis_transform())
    numbers, least = [trial.number for trial in trials], _least(trials)
    axes.step(numbers, least, where="post", color=BLUE, label="best so far")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.set_xlabel("trial")
    axes.set_ylabel("validation loss")
    axes.legend(frameon=False)
    axes.spines[["top", "right"]].set_visible(False)
    return figure


def _least(trials: Sequence[Trial]) -> np.ndarray:
    """(n,) least loss so far of the trials that ran to their end; NaN before the first."""
    losses = [trial.loss_or_inf if trial.status == "ok" else math.inf for trial in trials]
    least = np.minimum.accumulate(np.array(losses, dtype=float))
    return np.where(np.isfinite(least), least, np.nan)


def _points(axes: "Axes", trials: Sequence[Trial], marker: str, label: str, *, hollow: bool = False) -> None:
    if trials:
        face = "none" if hollow else GREY
        numbers, losses = [trial.number for trial in trials], [trial.loss_or_inf for trial in trials]
        axes.plot(numbers, losses, marker, color=GREY, markerfacecolor=face, label=label)


def parameters_figure(trials: Sequence[Trial], space: Mapping[str, Distribution]) -> "Figure":
    """Parallel coordinates: one line per trial with a loss, through its values; the better, the darker; best in orange.

    Each axis reaches from the least to the greatest value that was tried, logarithmic where the space is.
    """
    shown = sorted((t for t in trials if t.loss is not None and t.params), key=lambda t: (-t.loss_or_inf, -t.number))
    best = min((t for t in shown if t.status == "ok"), key=lambda t: (t.loss_or_inf, t.number), default=None)
    figure = new_figure()
    axes = figure.add_subplot()
    names = list(space) if shown else []
    heights = {name: _heights(space[name], [trial.params[name] for trial in shown]) for name in names}
    for rank, trial in enumerate(shown):
        line = [heights[name][rank] for name in names]
        if trial is best:
            axes.plot(range(len(names)), line, color=ORANGE, linewidth=2.2, zorder=3)
        else:
            axes.plot(range(len(names)), line, color=BLUE, linewidth=1, alpha=0.08 + 0.72 * rank / len(shown))
    for at, name in enumerate(names):
        axes.axvline(at, color=GREY, linewidth=0.8)
        _label_ends(axes, at, space[name], [trial.params[name] for trial in shown])
    axes.set_xticks(range(len(names)), names)
    axes.set_yticks([])
    axes.set_ylim(-0.12, 1.12)
    axes.spines[:].set_visible(False)
    return figure


def _heights(distribution: Distribution, values: Sequence[ParamValue]) -> list[float]:
    """Values as heights from 0 to 1; all in the middle where there is but one."""
    if isinstance(distribution, Choice):
        raw = [float(distribution.values.index(value)) for value in values]
    else:
        raw = [float(value) for value in values]
        if isinstance(distribution, LogUniform | LogNormal):
            raw = [math.log(value) for value in raw]
    low, span = min(raw), max(raw) - min(raw)
    return [(value - low) / span if span else 0.5 for value in raw]


def _label_ends(axes: "Axes", at: int, distribution: Distribution, values: Sequence[ParamValue]) -> None:
    if isinstance(distribution, Choice):
        texts = {_heights(distribution, values)[i]: str(value).replace("$", r"\$") for i, value in enumerate(values)}
    else:
        numbers = [float(value) for value in values]
        texts = {0.0: f"{min(numbers):.3g}", 1.0: f"{max(numbers):.3g}"} if len(set(numbers)) > 1 else {}
        texts = texts or {0.5: f"{numbers[0]:.3g}"}
    for height, text in texts.items():
        below = height < 0.5
        axes.text(
            at, height + (-0.02 if below else 0.02), text, ha="center", va="top" if below else "bottom", fontsize=8
        )
