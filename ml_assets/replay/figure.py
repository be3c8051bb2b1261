"""The picture of a replay as SVG: the metric by window, the error against another policy, and when each retrained."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape
from math import floor, log10

from ml_assets.ml.figures import BLUE, GREY, ORANGE
from ml_assets.ml.quality.metrics import shown
from ml_assets.replay.losses import Estimate
from ml_assets.replay.policies import DECLARED, EVERY
from ml_assets.replay.report import Outcome, Point, Report

INK = "#1c2430"
_OTHERS = ("#8b63c9", "#2f9277", "#b8527f", "#a08020")
_WIDTH, _LEFT, _RIGHT, _ROW, _GAP = 1060.0, 118.0, 14.0, 26.0, 46.0
_MOST_TICKS = 12


def colours(outcomes: Sequence[Outcome]) -> dict[str, str]:
    """Name of a policy -> its colour."""
    known = {"never": GREY, EVERY: INK, "any-drift": ORANGE, DECLARED: BLUE}
    others = [outcome.name for outcome in outcomes if outcome.name not in known]
    return known | {name: _OTHERS[place % len(_OTHERS)] for place, name in enumerate(others)}


@dataclass(frozen=True)
class _Panel:
    """A part of the picture with a scale of its own; y runs from `low` at its bottom to `high` at its top."""

    top: float
    height: float
    low: float
    high: float

    def y(self, value: float) -> float:
        share = (min(max(value, self.low), self.high) - self.low) / (self.high - self.low)
        return self.top + self.height * (1 - share)


def figure(report: Report) -> str:
    """One SVG element; all text is escaped, points and marks say their figures when pointed at."""
    paint, outcomes = colours(report.outcomes), _in_front_last(report.outcomes)
    places = len(report.outcomes[0].points)

    def x(place: float) -> float:
        return _LEFT + (_WIDTH - _LEFT - _RIGHT) * (place + 0.5) / places

    metric = _Panel(30, 210, *_range([e for o in outcomes for p in o.points for e in _ends(p.value)]))
    losses = [e for o in outcomes for p in o.points for e in ([p.loss.value] if p.loss else [])]
    last = [e for o in outcomes for e in _ends(o.loss)]
    loss = _Panel(metric.top + metric.height + _GAP + 14, 190, *_range([*losses, *last, 0.0, 0.012]))
    strips = loss.top + loss.height + _GAP + 8
    height = strips + _ROW * len(outcomes) + 26
    other = next(each for each in report.outcomes if each.name == report.against)
    unit = f", {report.unit}" if report.unit else ""
    parts = [
        _heading(metric.top - 12, f"{report.metric} of each window{unit}"),
        _axis(metric, shown),
        *(_lines(o, metric, x, paint[o.name], lambda p: p.value, shown) for o in outcomes),
        _heading(loss.top - 12, f"error since the beginning, against retraining {other.title}"),
        _axis(loss, _percent),
        _limit(loss),
        *(_lines(o, loss, x, paint[o.name], lambda p: p.loss, _percent) for o in outcomes if o is not other),
        _heading(strips - 14, "retrainings"),
        *(_strip(o, strips + _ROW * place, x, paint[o.name]) for place, o in enumerate(report.outcomes)),
        _dates(report.outcomes[0].points, x, height - 8),
    ]
    return f'<svg viewBox="0 0 {_WIDTH:.0f} {height:.0f}" role="img">{"".join(parts)}</svg>'


def _in_front_last(outcomes: Sequence[Outcome]) -> list[Outcome]:
    """The declared policy is drawn over the others."""
    return sorted(outcomes, key=lambda outcome: outcome.name == DECLARED)


def _lines(
    outcome: Outcome,
    panel: _Panel,
    x: Callable[[float], float],
    colour: str,
    value: Callable[[Point], Estimate | None],
    say: Callable[[float], str],
) -> str:
    known = [(place, point, found) for place, point in enumerate(outcome.points) if (found := value(point))]
    if not known:
        return ""
    line = " ".join(f"{x(place):.1f},{panel.y(found.value):.1f}" for place, _, found in known)
    declared = outcome.name == DECLARED
    band = _band([(x(place), found) for place, _, found in known], panel, colour) if declared else ""
    dots = "".join(
        _point(x(place), panel.y(found.value), _tip(outcome, point, found, say)) for place, point, found in known
    )
    dash = ' stroke-dasharray="5 4"' if outcome.name == "never" else ""
    width = 2.4 if declared else 1.5
    return f'{band}<polyline points="{line}" fill="none" stroke="{colour}" stroke-width="{width}"{dash}/>{dots}'


def _point(x: float, y: float, tip: str) -> str:
    return f'<circle cx="{x:.1f}" cy="{y:.1f}" r="7" class="tip"><title>{escape(tip)}</title></circle>'


def _tip(outcome: Outcome, point: Point, found: Estimate, say: Callable[[float], str]) -> str:
    return f"{point.window}, {outcome.title}: {_said(found, say)}; version of {point.version}"


def _band(known: Sequence[tuple[float, Estimate]], panel: _Panel, colour: str) -> str:
    ends = [(x, e.low, e.high) for x, e in known if e.low is not None and e.high is not None]
    there = [f"{x:.1f},{panel.y(high):.1f}" for x, _, high in ends]
    back = [f"{x:.1f},{panel.y(low):.1f}" for x, low, _ in reversed(ends)]
    return f'<polygon points="{" ".join(there + back)}" fill="{colour}" opacity=".13"/>' if ends else ""


def _strip(outcome: Outcome, y: float, x: Callable[[float], float], colour: str) -> str:
    middle = y + _ROW / 2
    place = {point.window: number for number, point in enumerate(outcome.points)}
    marks = []
    for each in outcome.retrainings:
        told = "promoted" if each.promoted else "rejected"
        tip = escape(f"{each.cutoff}: {told}; {each.reason.rstrip('.')}. Gate: {each.gate}")
        fill = colour if each.promoted else "#fff"
        # A version's cutoff is the beginning of its first window.
        marks.append(
            f'<circle cx="{x(place[each.cutoff] - 0.5):.1f}" cy="{middle:.1f}" r="5.5" fill="{fill}" '
            f'stroke="{colour}" stroke-width="2"><title>{tip}</title></circle>'
        )
    line = f'<line x1="{_LEFT}" x2="{_WIDTH - _RIGHT}" y1="{middle}" y2="{middle}" class="grid"/>'
    name = f'<text x="{_LEFT - 12}" y="{middle + 4}" text-anchor="end" class="name">{escape(outcome.title)}</text>'
    return f"{line}{name}{''.join(marks)}"


def _dates(points: Sequence[Point], x: Callable[[float], float], y: float) -> str:
    step = -(-len(points) // _MOST_TICKS)
    return "".join(
        f'<text x="{x(place):.1f}" y="{y}" text-anchor="middle">{escape(points[place].window)}</text>'
        for place in range(0, len(points), step)
    )


def _limit(panel: _Panel) -> str:
    zero, one = panel.y(0.0), panel.y(0.01)
    return (
        f'<line x1="{_LEFT}" x2="{_WIDTH - _RIGHT}" y1="{zero:.1f}" y2="{zero:.1f}" class="zero"/>'
        f'<line x1="{_LEFT}" x2="{_WIDTH - _RIGHT}" y1="{one:.1f}" y2="{one:.1f}" class="limit"/>'
    )


def _axis(panel: _Panel, say: Callable[[float], str]) -> str:
    parts = []
    for value in _ticks(panel.low, panel.high):
        y = panel.y(value)
        parts.append(f'<line x1="{_LEFT}" x2="{_WIDTH - _RIGHT}" y1="{y:.1f}" y2="{y:.1f}" class="grid"/>')
        parts.append(f'<text x="{_LEFT - 12}" y="{y + 4:.1f}" text-anchor="end">{escape(say(value))}</text>')
    return "".join(parts)


def _heading(y: float, text: str) -> str:
    return f'<text x="{_LEFT}" y="{y}" class="heading">{escape(text)}</text>'


def _ends(found: Estimate | None) -> list[float]:
    return [] if found is None else [each for each in (found.value, found.low, found.high) if each is not None]


def _range(values: Sequence[float]) -> tuple[float, float]:
    low, high = min(values), max(values)
    room = 0.05 * (high - low) or abs(high) or 1.0
    return low - room, high + room


def _ticks(low: float, high: float, most: int = 5) -> list[float]:
    rough = (high - low) / most
    power = 10.0 ** floor(log10(rough))
    step = next(factor * power for factor in (1, 2, 5, 10) if factor * power >= rough)
    first = -(-low // step)
    return [round((first + number) * step, 12) for number in range(most + 2) if (first + number) * step <= high]


def _percent(value: float) -> str:
    return f"{value:+.1%}" if value else "0%"


def _said(found: Estimate, say: Callable[[float], str]) -> str:
    text = say(found.value)
    return text if found.low is None or found.high is None else f"{text} ({say(found.low)} to {say(found.high)})"
