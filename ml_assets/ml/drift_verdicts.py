"""Verdicts on one window: which column drifted, and what could not be judged.

Distances are measured in `distances.py`; `drift.py` puts both together and writes them down.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from math import sqrt

from ml_assets.ml.distances import method_of
from ml_assets.ml.preflight import Sides
from ml_assets.ml.summaries import Bounded
from ml_assets.spec import DriftPolicy


@dataclass(frozen=True)
class ColumnDrift:
    """One column of the window against the same column of the reference.

    Attributes:
        column: Its name.
        method: Evidently's name of the distance: `wasserstein` (normed by the reference's standard deviation)
            for numbers, `jensenshannon` (natural logarithm, 0..0.83) for text, classes, and numbers of at most five
            distinct values.
        distance: The distance, >= 0; None where a side has no values.
        threshold: Distance from which the column has drifted.
        drifted: The verdict; None: not judged, and `note` says why.
        note: What a reader has to know beside the distance.
        missing_reference: Share of missing values in the reference, 0..1.
        missing_current: Share of missing values in the window, 0..1.
        error: How far the distance of all rows may be from `distance`; 0: it is that.
    """

    column: str
    method: str
    distance: float | None
    threshold: float
    drifted: bool | None
    note: str = ""
    missing_reference: float = 0.0
    missing_current: float = 0.0
    error: float = 0.0


@dataclass(frozen=True)
class DriftResult:
    """The verdicts on one window.

    Attributes:
        rows: Rows of the window.
        reference_rows: Rows of the reference.
        judged: Whether both sides have enough rows; if not, no column has a verdict.
        note: Why it was not judged, or which rows the verdicts come from.
        features: One entry per feature, in the declared order.
        prediction: The predictions.
        target: The labels that are known by now; None where no target was named.
        ignored: Features that the policy leaves out of the share.
    """

    rows: int
    reference_rows: int
    judged: bool
    note: str
    features: tuple[ColumnDrift, ...]
    prediction: ColumnDrift
    target: ColumnDrift | None
    ignored: tuple[str, ...] = ()

    @property
    def columns(self) -> tuple[ColumnDrift, ...]:
        """All columns: features, predictions, labels."""
        return (*self.features, self.prediction, *([self.target] if self.target else []))

    @property
    def watched(self) -> tuple[ColumnDrift, ...]:
        """Features with a verdict that the policy does not ignore."""
        return tuple(f for f in self.features if f.drifted is not None and f.column not in self.ignored)

    @property
    def drifted_share(self) -> float:
        """Drifted features / watched features, 0..1; 0 where none is watched."""
        watched = self.watched
        return sum(bool(f.drifted) for f in watched) / len(watched) if watched else 0.0


def judge_column(
    sides: Sides,
    column: str,
    distances: Mapping[str, Bounded],
    threshold: float,
    policy: DriftPolicy,
    judged: bool,
) -> ColumnDrift:
    """The verdict on one column.

    Args:
        sides: Both sides.
        column: The column.
        distances: What was measured; without the column, a side of it has no values.
        threshold: Distance from which it has drifted.
        policy: The other limits.
        judged: Whether both sides have enough rows.
    """
    distance = distances.get(column)
    missing = sides.missing(column)
    values = min(sides.values(column))
    far = distance is not None and distance.value >= threshold  # Evidently's own rule
    notes = [sides.notes[column]] if column in sides.notes else []
    drifted: bool | None = None
    if not judged:
        notes.append("not judged: too few rows")
    elif abs(missing[1] - missing[0]) > policy.null_share_threshold:
        drifted = True
        notes.append(f"missing values: {missing[0]:.0%} before, {missing[1]:.0%} now")
    elif distance is None:
        notes.append("not judged: no values")
    elif values < policy.min_rows:
        notes.append(f"not judged: values in {values} rows, {policy.min_rows} needed")
    elif far and (noise := _lost_in_noise(sides, column, distance.value, threshold)):
        notes.append(noise)
    else:
        drifted = far
        if not distance.sure(threshold):
            notes.append(f"the threshold is within {distance.error:.2g} of the distance, which is its error")
    # Sums over categories follow their order in their last digits: nine decimals are always the same.
    shown, error = (None, 0.0) if distance is None else (round(distance.value, 9), round(distance.error, 9))
    method = method_of(sides, column)
    return ColumnDrift(column, method, shown, threshold, drifted, "; ".join(notes), *missing, error)


def _lost_in_noise(sides: Sides, column: str, distance: float, threshold: float) -> str:
    """Why a distance above the threshold says nothing, or "": so many categories that sampling gives it.

    Two samples of one distribution over K categories are sqrt((K - 1) / 8 * (1/n + 1/m)) apart, from the
    chi-squared limit of the Jensen-Shannon divergence in nats. Twice that is drift all the same (convention).
    """
    if not sides.categorical(column):
        return ""
    (n, m), categories = sides.values(column), sides.categories(column)
    floor = sqrt((categories - 1) / 8 * (1 / n + 1 / m))
    if floor < threshold or distance >= 2 * floor:
        return ""
    return f"not judged: {categories:,} categories, sampling alone gives about {floor:.2f}"


def judged_on(reference_rows: int, rows: int, policy: DriftPolicy, judged: bool) -> str:
    """Which rows the verdicts come from, or why there are none."""
    if not judged:
        return (
            f"Not judged: {rows:,} rows in the window and {reference_rows:,} in the reference, "
            f"{policy.min_rows:,} needed on each side."
        )
    return f"Judged on all {rows:,} rows of the window and all {reference_rows:,} of the reference."
