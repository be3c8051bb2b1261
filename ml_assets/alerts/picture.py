"""The picture in a mail: error and drift, window by window. Drawing only."""

import io
from collections.abc import Sequence
from typing import TYPE_CHECKING

from ml_assets.alerts.content import Content, Point
from ml_assets.ml.figures import BLUE, GREY, ORANGE

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_DPI = 150
_MOST_LABELS = 8


def timeline(content: Content) -> bytes | None:
    """A PNG; None where there is no number to draw."""
    points = content.points
    errors = any(point.error is not None for point in points)
    shares = any(point.drifted_share is not None for point in points)
    if not errors and not shares:
        return None
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7.2, 1.6 * (errors + shares) + 0.5), dpi=_DPI, layout="constrained")
    axes = list(figure.subplots(errors + shares, 1, sharex=True, squeeze=False)[:, 0])
    if errors:
        _errors(axes[0], content)
    if shares:
        _shares(axes[-1], content)
    step = -(-len(points) // _MOST_LABELS)
    places = range(len(points) - 1, -1, -step)  # the newest window is always named
    axes[-1].set_xticks(list(places), [points[place].window for place in places], fontsize=8)
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", metadata={"Software": ""})
    return buffer.getvalue()


def _errors(axes: "Axes", content: Content) -> None:
    points = content.points
    _line(axes, points, [point.error for point in points])
    held_out = [(place, point.held_out) for place, point in enumerate(points) if point.held_out is not None]
    if held_out:
        places, values = zip(*held_out, strict=True)
        axes.step(places, values, where="mid", color=GREY, linestyle="--", linewidth=1.2, label="on held-out rows")
    # Above the plot, where it hides nothing.
    axes.legend(frameon=False, fontsize=8, loc="lower right", bbox_to_anchor=(1, 0.98), ncols=3, borderaxespad=0)
    axes.set_ylabel(f"{content.metric} ({content.unit})" if content.unit else content.metric, fontsize=9)
    _plain(axes)


def _shares(axes: "Axes", content: Content) -> None:
    points = content.points
    shares = [(place, point) for place, point in enumerate(points) if point.drifted_share is not None]
    limit = content.max_drifted_share
    heights = [point.drifted_share or 0.0 for _, point in shares]
    over = [limit is not None and height > limit for height in heights]
    axes.bar([place for place, _ in shares], heights, color=[ORANGE if bad else BLUE for bad in over], width=0.7)
    if limit is not None:
        axes.axhline(limit, color=GREY, linestyle="--", linewidth=1.2)
    axes.set_ylim(0, 1)
    axes.set_ylabel("drifted share", fontsize=9)
    axes.yaxis.set_major_formatter(lambda value, _: f"{value:.0%}")
    _plain(axes)


def _line(axes: "Axes", points: Sequence[Point], values: Sequence[float | None]) -> None:
    known = [(place, value) for place, value in enumerate(values) if value is not None]
    axes.plot([place for place, _ in known], [value for _, value in known], color=BLUE, linewidth=1.4)
    for bad, colour, marker, name in ((False, BLUE, "o", "good window"), (True, ORANGE, "^", "a check failed")):
        there = [each for each in known if points[each[0]].bad == bad]
        if there:
            places, errors = zip(*there, strict=True)
            axes.scatter(places, errors, c=colour, marker=marker, s=26, zorder=3, label=name)


def _plain(axes: "Axes") -> None:
    axes.spines[["top", "right"]].set_visible(False)
    axes.tick_params(labelsize=8)
