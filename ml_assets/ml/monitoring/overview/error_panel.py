"""The error, window by window, over the interval that each version had on its own held-out rows."""

from collections.abc import Iterator, Sequence

from ml_assets.ml.monitoring.overview.data import Overview
from ml_assets.ml.monitoring.overview.grid import Grid, Scale, scale_of
from ml_assets.ml.monitoring.overview.panels import Label, Panel
from ml_assets.ml.quality.metrics import shown

_HEIGHT = 232.0
QUALITY = "model_quality"


def error_panel(found: Overview, grid: Grid) -> Panel | None:
    """The panel; None where no error is known."""
    known = [(grid.place(each.key) or 0, each) for each in found.judged if each.error is not None]
    if not known:
        return None
    errors = [each.error for _, each in known if each.error is not None]
    spans = list(_spans(found, grid))
    limits = [(place, each.limit) for place, each in known if each.limit is not None]
    held_out = [value for _, _, values in spans for value in values]
    scale = scale_of([*errors, *held_out, *(limit for _, limit in limits)], _HEIGHT)
    failed = {place for place, each in known if QUALITY in each.failed}
    points = [(place, error) for (place, _), error in zip(known, errors, strict=True)]
    svg = "".join(
        [
            *_lines(scale, grid),
            *(_band(grid, scale, *span) for span in spans),
            _limits(limits, grid, scale),
            _curve(points, grid, scale),
            *(_point(place, error, place in failed, grid, scale) for place, error in points),
        ]
    )
    unit = f" ({found.unit})" if found.unit else ""
    better = "lower is better" if found.small_is_good else "higher is better"
    labels = [Label(12, f"{found.metric}{unit}", "title", tip=better), Label(29, better, "quiet")]
    labels += [Label(scale.y(tick), _tick(tick), "tick") for tick in scale.ticks if scale.y(tick) > 40]
    return Panel(_HEIGHT + 8, f"<g>{svg}</g>", tuple(labels))


def _spans(found: Overview, grid: Grid) -> Iterator[tuple[int, int, tuple[float, ...]]]:
    """Per reign: first column, column after the last, and (held out[, low, high])."""
    for period in found.reigns:
        first = grid.since(period.since)
        last = len(grid.keys) if period.until is None else grid.since(period.until)
        value = found.held_out(period.row)
        if first < last and value is not None:
            yield first, last, (value, *found.intervals.get(period.row.version, ()))


def _band(grid: Grid, scale: Scale, first: int, last: int, values: Sequence[float]) -> str:
    left, right = grid.left(first), grid.left(last)
    value, *interval = values
    parts = []
    if interval:
        low, high = (scale.y(each) for each in (max(interval), min(interval)))
        parts.append(f'<rect class="band" x="{left:g}" y="{low:g}" width="{right - left:g}" height="{high - low:g}"/>')
    parts.append(f'<path class="heldout" d="M{left:g} {scale.y(value):g}H{right:g}"/>')
    return "".join(parts)


def _lines(scale: Scale, grid: Grid) -> Iterator[str]:
    lines = "".join(f"M0 {scale.y(tick):g}H{grid.width:g}" for tick in scale.ticks)
    yield f'<path class="rule" d="{lines}"/>'


def _limits(limits: Sequence[tuple[int, float]], grid: Grid, scale: Scale) -> str:
    """A step per window."""
    steps, before = [], None
    for place, limit in limits:
        y = scale.y(limit)
        steps.append(f"V{y:g}" if before == place - 1 else f"M{grid.left(place):g} {y:g}")
        steps.append(f"H{grid.left(place + 1):g}")
        before = place
    return f'<path class="limit" d="{"".join(steps)}"/>' if steps else ""


def _curve(points: Sequence[tuple[int, float]], grid: Grid, scale: Scale) -> str:
    """Lines between neighbours only: where a window has no error there is a gap."""
    steps, before = [], None
    for place, value in points:
        letter = "L" if before == place - 1 else "M"
        steps.append(f"{letter}{grid.middle(place):g} {scale.y(value):g}")
        before = place
    return f'<path class="curve" d="{"".join(steps)}"/>'


def _point(place: int, value: float, bad: bool, grid: Grid, scale: Scale) -> str:
    x, y = grid.middle(place), scale.y(value)
    size = min(5.5, grid.cell * 0.34)
    if bad:  # another shape, not only another colour
        return f'<path class="badpoint" d="M{x:g} {y - 1.35 * size:g}l{1.2 * size:g} {2.2 * size:g}h-{2.4 * size:g}z"/>'
    return f'<circle class="point" cx="{x:g}" cy="{y:g}" r="{0.7 * size:g}"/>'


def _tick(value: float) -> str:
    return f"{value:g}" if abs(value) < 1e5 else shown(value)
