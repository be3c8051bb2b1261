"""A panel of the picture: its height, what is drawn, and what is written left of it, which stays when one scrolls."""

from dataclasses import dataclass
from html import escape

from ml_assets.ml.monitoring.overview.grid import Grid


@dataclass(frozen=True)
class Label:
    """A text left of the plot; `y` is its middle. `kind` is a class of the style: title, tick, row, quiet."""

    y: float
    text: str
    kind: str = "row"
    share: float | None = None
    """Length of the bar behind it, 0..1."""
    tip: str = ""

    def html(self, offset: float) -> str:
        """As it is placed."""
        bar = "" if self.share is None else f'<i style="width:{100 * self.share:.1f}%"></i>'
        tip = f' title="{escape(self.tip)}"' if self.tip else ""
        top = f"{offset + self.y:.1f}".removesuffix(".0")
        return f'<div class="{self.kind}" style="top:{top}px"{tip}>{bar}<span>{escape(self.text)}</span></div>'


@dataclass(frozen=True)
class Panel:
    """One of the panels that are put below each other."""

    height: float
    svg: str
    labels: tuple[Label, ...] = ()


def axis(grid: Grid) -> Panel:
    """Names of windows."""
    return Panel(20, "".join(_tick(grid, place, name) for place, name in grid.ticks))


def _tick(grid: Grid, place: int, name: str) -> str:
    """In the middle of its column, but for one that would be cut off."""
    x, half = grid.middle(place), 3.2 * len(name)
    anchor, x = ("start", 0.0) if x < half else ("end", grid.width) if x > grid.width - half else ("middle", x)
    return f'<text x="{x:g}" y="14" text-anchor="{anchor}">{escape(name)}</text>'


def stack(panels: list[Panel], grid: Grid) -> tuple[float, str, str]:
    """All panels below each other: height, the drawing, the labels."""
    top, drawn, labels = 0.0, [], []
    for panel in panels:
        drawn.append(f'<g transform="translate(0 {top:g})">{panel.svg}</g>')
        labels += [label.html(top) for label in panel.labels]
        top += panel.height
    lines = "".join(f"M{grid.middle(place):g} 18V{top - 16:g}" for place, _ in grid.ticks)
    return top, f'<path class="tick" d="{lines}"/>{"".join(drawn)}', "".join(labels)
