"""What was dropped or mended while a source landed, and when it was too much. How it is found is in `cleaning.py`."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import pyarrow as pa

from ml_assets import errors
from ml_assets.spec import Source

Kind = Literal[
    "absent_columns",
    "emptied_unparsable",
    "ambiguous_times",
    "nonexistent_times",
    "dropped",
    "dropped_exact_duplicates",
    "dropped_null_keys",
    "dropped_outside_window",
    "emptied_not_a_number",
    "emptied_infinite",
]

_SAYS: dict[Kind, tuple[str, str]] = {
    "absent_columns": ("absent column", "landed empty"),
    "emptied_unparsable": ("unparsable text", "emptied"),
    "ambiguous_times": ("local time that the clocks repeat", "taken as the first"),
    "nonexistent_times": ("local time that the clocks skip", "moved on by the skip"),
    "dropped": ("rows declared in `cleaning.drop`", "dropped"),
    "dropped_exact_duplicates": ("exact duplicates", "dropped"),
    "dropped_null_keys": ("rows without a key", "dropped"),
    "dropped_outside_window": ("rows without a time or outside the window", "dropped"),
    "emptied_not_a_number": ("NaN", "emptied"),
    "emptied_infinite": ("infinite values", "emptied"),
}


_HEAD = "| found | done | where | count | share | example |"


@dataclass(frozen=True)
class Finding:
    """One kind of dirt in one window.

    `what` is the column, or the name of the reason; "" where it is about whole rows. `share` is of the delivered
    rows, 0 to 1. `example` shows one of them; "" where there is none. `expected` says that the declaration reckons
    with it.
    """

    kind: Kind
    what: str
    count: int
    share: float
    example: str
    expected: bool

    @property
    def metric(self) -> str:
        """Name of the count where it is plotted over the windows."""
        return f"dropped_{self.what}" if self.kind == "dropped" else self.kind


@dataclass(frozen=True)
class Landed:
    """A window's rows as they land, the number of rows delivered, and what became of the difference."""

    table: pa.Table
    delivered_rows: int
    findings: tuple[Finding, ...]

    def counts(self) -> dict[str, int]:
        """Counts by metric; of what is expected also zeros, so that a plot over the windows has no holes."""
        counts: dict[str, int] = {}
        for finding in (each for each in self.findings if each.count or each.expected):
            counts[finding.metric] = counts.get(finding.metric, 0) + finding.count
        return counts

    def markdown(self) -> str:
        """The findings as a table; one sentence where there are none."""
        lines = [
            f"| {' | '.join([*_SAYS[f.kind], _cell(f.what)])} | {f.count:,} | {f.share:.3%} | {_cell(f.example)} |"
            for f in self.findings
            if f.count
        ]
        if not lines:
            return "Nothing was dropped or mended."
        return "\n".join([_HEAD, "|---|---|---|---:|---:|---|", *lines])


class Findings:
    """Collects the findings of one window, and refuses the window when one of them exceeds its tolerance."""

    def __init__(self, source: Source, window: str, rows: int) -> None:
        self._source, self._window, self._rows = source.name, window, rows
        self._found: list[Finding] = []

    def add(self, kind: Kind, count: int, *, what: str = "", example: object = "", expected: bool = True) -> None:
        """Note a finding that refuses nothing."""
        share = count / self._rows if self._rows else 0.0
        self._found.append(Finding(kind, what, count, share, str(example) if count else "", expected))

    def tolerate(
        self,
        kind: Kind,
        count: int,
        tolerance: float,
        field: str,
        *,
        what: str = "",
        example: object = "",
        strict: Callable[[], errors.DeliveryError] | None = None,
    ) -> None:
        """Note a finding, or refuse the window for it.

        Args:
            kind: Kind of dirt.
            count: How much of it.
            tolerance: Largest share of the delivered rows, 0 to 1.
            field: Field of the declaration that sets the tolerance, for the remedy.
            what: Column or reason.
            example: One row or value.
            strict: The error where nothing is tolerated; a ToleranceError when left out.

        Raises:
            DeliveryError: More than tolerated.
        """
        self.add(kind, count, what=what, example=example, expected=tolerance > 0)
        if count == 0 or count / self._rows <= tolerance:
            return
        if strict is not None and tolerance == 0:
            raise strict()
        dirt = _SAYS[kind][0] + (f" ({what})" if what else "")
        raise errors.ToleranceError(self._source, self._window, dirt, count, self._rows, tolerance, field, str(example))

    def all(self) -> tuple[Finding, ...]:
        """The findings in the order in which they were made."""
        return tuple(self._found)


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")
