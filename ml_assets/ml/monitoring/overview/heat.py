"""Drift as a map: features by windows, coloured by how far each is from the champion's rows, in thresholds."""

import json
from collections.abc import Sequence

from ml_assets.ml.monitoring.overview.data import Cell, Overview
from ml_assets.ml.monitoring.overview.grid import Grid, squares
from ml_assets.ml.monitoring.overview.panels import Label, Panel

EDGES = (0.25, 0.5, 0.75, 1.0, 1.5, 2.0)
"""Upper ends of the classes of distance / threshold; from 1 on a feature has drifted."""
_ROW = 17.0
MOST = 60
"""Rows of the map: more are no picture any more."""


def ordered(found: Overview) -> tuple[list[str], list[str]]:
    """Features that count, and those that the policy leaves out; each most important first."""
    declared = list(found.problem.features)
    rank = {name: place for place, name in enumerate(found.importance)}
    names = sorted(declared, key=lambda name: (rank.get(name, len(rank)), declared.index(name)))
    judged = {name for each in found.judged for name, cell in each.cells.items() if cell.drifted is not None}
    ignored = {*found.problem.drift.ignore, *(set(names) - judged if judged else ())}
    return [name for name in names if name not in ignored], [name for name in names if name in ignored]


def drift_map(found: Overview, grid: Grid) -> list[Panel]:
    """The map; a second one for features that are left out of the verdict. Nothing where no distance is known."""
    if not any(each.cells for each in found.judged):
        return []
    counted, ignored = ordered(found)
    panels = [_map(found, grid, counted[:MOST], "drift by feature", _more(counted))]
    if ignored:
        panels.append(_map(found, grid, ignored[:MOST], "left out of the verdict", _more(ignored)))
    return panels


def distances(found: Overview) -> str:
    """JSON for the script: rows of the map from above, and each row's ratios column by column."""
    names = [name for group in ordered(found) for name in group[:MOST]]
    ratios = [[_ratio(found, key, name) for key in found.columns] for name in names]
    return json.dumps({"features": names, "ratios": ratios}, separators=(",", ":")).replace("<", "\\u003c")


def _ratio(found: Overview, key: str, name: str) -> float | None:
    cell = found.windows[key].cells.get(name) if key in found.windows else None
    return None if cell is None or cell.ratio is None else round(cell.ratio, 2)


def _map(found: Overview, grid: Grid, names: Sequence[str], title: str, more: str) -> Panel:
    classes: dict[str, list[tuple[float, float]]] = {}
    dots, labels = [], [Label(11, title, "title")]
    most = max(found.importance.values(), default=0.0)
    for row, name in enumerate(names):
        top = 24 + row * _ROW
        share = found.importance.get(name)
        bar = share / most if share is not None and most else None
        tip = f"{name}: {share:.1%} of what the version in production rests on" if share is not None else name
        labels.append(Label(top + _ROW / 2, name, "row", bar, tip))
        for place, key in enumerate(grid.keys):
            cell = found.windows[key].cells.get(name) if key in found.windows else None
            if cell is None:
                continue
            classes.setdefault(_class(cell), []).append((grid.left(place) + 0.5, top + 0.5))
            if cell.drifted:
                dots.append((grid.middle(place) - 1.5, top + _ROW / 2 - 1.5))
    if more:
        labels.append(Label(24 + len(names) * _ROW + 8, more, "quiet"))
    drawn = [
        f'<path class="{name}" d="{squares(places, grid.cell - 1, _ROW - 1)}"/>'
        for name, places in sorted(classes.items())
    ]
    drawn.append(f'<path class="drifted" d="{squares(dots, 3, 3)}"/>' if dots else "")
    height = 24 + len(names) * _ROW + (26 if more else 10)
    return Panel(height, f'<g data-rows="{len(names)}">{"".join(drawn)}</g>', tuple(labels))


def _class(cell: Cell) -> str:
    if cell.ratio is None:
        return "hx"
    return f"h{sum(cell.ratio >= edge for edge in EDGES)}"


def _more(names: Sequence[str]) -> str:
    return f"and {len(names) - MOST} less important ones" if len(names) > MOST else ""
