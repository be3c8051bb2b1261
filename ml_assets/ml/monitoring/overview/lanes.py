"""What happened when: who was production, which checks failed, what was trained, what people were told."""

from collections.abc import Iterator
from html import escape

from ml_assets.ml.monitoring.alerting import Training
from ml_assets.ml.monitoring.overview.data import Notice, Overview
from ml_assets.ml.monitoring.overview.grid import Grid, squares
from ml_assets.ml.monitoring.overview.panels import Label, Panel

_ROW = 22.0
_LETTER = 6.2
"""About the width of a letter of a name, in pixels."""
_BAD_NEWS = ("checks_failed", "retraining_failed", "rejected")


def versions_lane(found: Overview, grid: Grid) -> Panel | None:
    """A bar per reign."""
    bars = []
    for number, period in enumerate(found.reigns):
        first = grid.since(period.since)
        last = len(grid.keys) if period.until is None else grid.since(period.until)
        if first >= last:
            continue
        left, width = grid.left(first), grid.left(last) - grid.left(first)
        text = f"version {period.row.version}" if width > 80 else f"v{period.row.version}" if width > 22 else ""
        tip = f"Version {period.row.version} since {period.since}: {period.row.reason}"
        bars.append(
            f'<g><title>{escape(tip)}</title><rect class="reign{number % 2}" x="{left + 1:g}" y="2" '
            f'width="{max(width - 2, 1):g}" height="20" rx="4"/>'
            f'<text class="onreign" x="{left + 8:g}" y="16">{text}</text></g>'
        )
    return Panel(34, "".join(bars), (Label(12, "in production", "title"),)) if bars else None


def checks_lane(found: Overview, grid: Grid) -> Panel | None:
    """A row per check: a square per window, a large one with a cross where it failed."""
    rows, labels = [], []
    for row, check in enumerate(found.checks):
        verdicts = [
            (grid.place(each.key) or 0, mark.passed)
            for each in found.judged
            for mark in each.marks
            if mark.check == check
        ]
        by = {value: [place for place, passed in verdicts if passed is value] for value in (True, False, None)}
        rows.append(f'<g transform="translate(0 {row * _ROW:g})">{_verdicts(by, grid)}</g>')
        bad = len(by[False])
        labels.append(
            Label(
                row * _ROW + _ROW / 2,
                check.replace("_", " "),
                "title",
                tip=f"failed in {bad} of {len(verdicts)} windows",
            )
        )
    return Panel(len(rows) * _ROW + 12, "".join(rows), tuple(labels)) if rows else None


def _verdicts(by: dict[bool | None, list[int]], grid: Grid) -> str:
    small, large, middle = min(grid.cell * 0.4, 8), min(grid.cell * 0.84, 16), _ROW / 2
    good = squares([(grid.middle(p) - small / 2, middle - small / 2) for p in by[True]], small, small)
    bad = squares([(grid.middle(p) - large / 2, middle - large / 2) for p in by[False]], large, large)
    arm = large * 0.26
    cross = "".join(
        f"M{grid.middle(p) - arm:.1f} {middle - arm:.1f}l{2 * arm:.1f} {2 * arm:.1f}"
        f"m0 {-2 * arm:.1f}l{-2 * arm:.1f} {2 * arm:.1f}"
        for p in by[False]
    )
    dash = "".join(f"M{grid.middle(p) - small / 2:.1f} {middle:g}h{small:.1f}" for p in by[None])
    drawn = {"ok": good, "failed": bad, "cross": cross, "unjudged": dash}
    return "".join(f'<path class="{name}" d="{path}"/>' for name, path in drawn.items() if path)


def trainings_lane(found: Overview, grid: Grid) -> Panel | None:
    """Per training a line from its first bad window to its cutoff, a dot for each bad window, and how it ended."""
    drawn = [_training(found, each, grid) for each in found.trainings if grid.place(each.cutoff) is not None]
    # Where the runs are gone, the ledger still knows of the versions.
    known = {each.cutoff for each in found.trainings}
    drawn += [
        _outcome(grid, place, row.action, f"v{row.version}", f"{row.action}: {row.reason}")
        for row in found.decisions
        if not row.by_hand and row.cutoff not in known and (place := grid.place(row.cutoff)) is not None
    ]
    return Panel(50, "".join(drawn), (Label(15, "trained", "title"),)) if drawn else None


def _training(found: Overview, training: Training, grid: Grid) -> str:
    place = grid.place(training.cutoff) or 0
    bad = [spot for key in training.windows if (spot := grid.place(key)) is not None]
    row = found.decided(training.cutoff)
    state = row.action if row and training.state == "succeeded" else training.state
    said = f"Training for {training.cutoff}: {training.cause or 'started by hand'}"
    if row and training.state == "succeeded":
        said += f" Version {row.version} {row.action}: {row.reason}"
    line = f'<path class="cause" d="M{grid.middle(bad[0]):g} 15H{grid.middle(place):g}"/>' if bad else ""
    dots = "".join(f'<circle class="dot" cx="{grid.middle(spot):g}" cy="15" r="3"/>' for spot in bad)
    name = f"v{row.version}" if row and training.state == "succeeded" else state.replace("_", " ")
    return line + dots + _outcome(grid, place, state, name, said)


def _outcome(grid: Grid, place: int, state: str, name: str, said: str) -> str:
    """Promoted: a full circle with a tick. Rejected: an empty one with a cross. Failed: a square with a bar."""
    x = grid.middle(place)
    named = min(x, grid.width - _LETTER * len(name) / 2)  # the picture's edge cuts off what is beyond
    signs = {
        "promoted": f'<circle class="won" cx="{x:g}" cy="15" r="9"/><path class="sign" d="M{x - 4:g} 15l3 3.5l5.5-7"/>',
        "rejected": f'<circle class="lost" cx="{x:g}" cy="15" r="8.5"/>'
        f'<path class="lostsign" d="M{x - 3:g} 12l6 6m0-6l-6 6"/>',
        "failed": f'<rect class="failed" x="{x - 8:g}" y="7" width="16" height="16" rx="3"/>'
        f'<path class="sign" d="M{x:g} 10v6m0 2.6v1"/>',
    }
    drawn = signs.get(state, f'<circle class="flying" cx="{x:g}" cy="15" r="8"/>')
    tip = f"<title>{escape(said)}</title>"
    return f'<g>{tip}{drawn}<text class="small" x="{named:g}" y="39" text-anchor="middle">{escape(name)}</text></g>'


def notices_lane(found: Overview, grid: Grid) -> Panel | None:
    """A mark per window that people were told about."""
    told: dict[int, list[Notice]] = {}
    for notice in found.notices:
        if (place := grid.place(notice.window)) is not None:
            told.setdefault(place, []).append(notice)
    marks = "".join(_mark(grid.middle(place), each) for place, each in sorted(told.items()))
    return Panel(30, marks, (Label(11, "people told", "title"),)) if told else None


def _mark(x: float, told: list[Notice]) -> str:
    bad = any(each.kind in _BAD_NEWS for each in told)
    tip = "\n".join(_lines(told))
    # An envelope; that of bad news is full.
    return (
        f'<g class="{"letter badnews" if bad else "letter"}"><title>{escape(tip)}</title>'
        f'<rect x="{x - 8:g}" y="5" width="16" height="12" rx="2"/><path d="M{x - 7:g} 6.5l7 5.5l7-5.5"/></g>'
    )


def _lines(told: list[Notice]) -> Iterator[str]:
    for each in told:
        yield f"{each.headline} ({each.outcome})"
