"""The page over all problems, and the few lines that each of them leaves for it."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from html import escape
from urllib.parse import quote

from ml_assets.ml.monitoring.overview.data import Overview
from ml_assets.ml.monitoring.overview.grid import scale_of
from ml_assets.ml.monitoring.overview.page import document, state_mark
from ml_assets.ml.monitoring.overview.sentence import Present, State, present

_POINTS, _WIDTH, _HEIGHT = 53, 300.0, 52.0


@dataclass(frozen=True)
class Summary:
    """A problem on the page over all of them; errors are of its newest windows, None where not known."""

    name: str
    state: State
    sentence: str
    metric: str
    errors: tuple[float | None, ...]
    as_of: str

    @classmethod
    def of(cls, found: Overview) -> "Summary":
        """In short."""
        now = present(found)
        errors = tuple(found.windows[key].error if key in found.windows else None for key in found.columns[-_POINTS:])
        return cls(found.problem.name, now.state, now.sentence, found.metric, errors, found.as_of)

    def as_json(self) -> str:
        """As it lies beside the problem's page."""
        return json.dumps(asdict(self), sort_keys=True, indent=1) + "\n"

    @classmethod
    def read(cls, text: str) -> "Summary":
        """From its JSON."""
        stored = json.loads(text)
        return cls(**stored | {"errors": tuple(stored["errors"])})


def front_page(summaries: Sequence[Summary]) -> str:
    """All problems, those that need attention first."""
    order: dict[State, int] = {"bad": 0, "watch": 1, "good": 2, "none": 3}
    cards = "".join(_card(each) for each in sorted(summaries, key=lambda each: (order[each.state], each.name)))
    return document("All problems", f'<header><h1>All problems</h1></header><div class="cards">{cards}</div>')


def _card(summary: Summary) -> str:
    mark = state_mark(Present(summary.state, summary.sentence))
    return (
        f'<a class="card" href="{quote(summary.name)}/index.html"><h2>{escape(summary.name)}</h2>{mark}'
        f"<p>{escape(summary.sentence)}</p>{_spark(summary)}</a>"
    )


def _spark(summary: Summary) -> str:
    known = [(place, value) for place, value in enumerate(summary.errors) if value is not None]
    if len(known) < 2:
        return ""
    scale, step = scale_of([value for _, value in known], _HEIGHT), _WIDTH / len(summary.errors)
    points = " ".join(f"{(place + 0.5) * step:.1f},{scale.y(value):.1f}" for place, value in known)
    said = f"{summary.metric} of the newest {len(known)} windows"
    return (
        f'<svg class="spark" viewBox="0 0 {_WIDTH:g} {_HEIGHT:g}" preserveAspectRatio="none" role="img" '
        f'aria-label="{escape(said)}"><polyline class="curve" vector-effect="non-scaling-stroke" points="{points}"/>'
        "</svg>"
    )
