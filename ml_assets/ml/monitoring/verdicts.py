"""Verdicts on one window: which column drifted, and what could not be judged.

Distances are measured in `distances.py`, what is usual in `block_noise.py`; `report.py` puts them together and writes
them down.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from ml_assets.ml.monitoring.block_noise import (
    ColumnNoise,
    critical_distance,
    discoveries,
    p_value,
    sampling,
    usual_distance,
)
from ml_assets.ml.monitoring.distances import method_of
from ml_assets.ml.monitoring.preflight import Sides
from ml_assets.ml.monitoring.summaries import Bounded
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
        threshold: Distance from which the column has drifted; of features judged together, from which one alone
            would have.
        drifted: The verdict; None: not judged, and `note` says why.
        note: What a reader has to know beside the distance.
        missing_reference: Share of missing values in the reference, 0..1.
        missing_current: Share of missing values in the window, 0..1.
        error: How far the distance of all rows may be from `distance`; 0: it is that.
        p_value: Probability of such a distance if nothing changed; None where the reference has too few time blocks
            to tell, and the threshold decides.
        weight: How much the feature counts in the share of drifted ones: its importance in the model.
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
    p_value: float | None = None
    weight: float = 1.0


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
        """Weight of the drifted features / weight of the watched ones, 0..1; 0 where none is watched.

        Where the model says nothing of their importance, or needs none of them, all count alike.
        """
        watched = self.watched
        weights = [f.weight for f in watched]
        if not sum(weights):
            weights = [1.0] * len(watched)
        drifted = sum(weight for f, weight in zip(watched, weights, strict=True) if f.drifted)
        return drifted / sum(weights) if watched else 0.0


@dataclass(frozen=True)
class Judging:
    """What a column is judged by.

    Attributes:
        sides: Both sides.
        distances: What was measured; without a column, a side of it has no values.
        noise: Column -> what is usual; without a column, the policy's threshold decides alone.
        policy: The limits.
        enough: Whether both sides have enough rows.
    """

    sides: Sides
    distances: Mapping[str, Bounded]
    noise: Mapping[str, ColumnNoise]
    policy: DriftPolicy
    enough: bool

    def column(self, name: str) -> ColumnDrift:
        """The verdict on one column, by itself."""
        distance, missing = self.distances.get(name), self.sides.missing(name)
        notes = [self.sides.notes[name]] if name in self.sides.notes else []
        threshold, chance = self._usual(name)
        far = distance is not None and distance.value >= threshold  # Evidently's own rule
        drifted: bool | None = None
        values, least = min(self.sides.values(name)), self.policy.min_rows
        if not self.enough:
            notes.append("not judged: too few rows")
        elif self._missing(name, missing):
            drifted, chance = True, None
            notes.append(f"missing values: {missing[0]:.0%} before, {missing[1]:.0%} now")
        elif distance is None:
            notes.append("not judged: no values")
        elif values < least:
            notes.append(f"not judged: values in {values} rows, {least} needed")
        elif far and (noise := self._lost_in_noise(name, distance.value)):
            notes.append(noise)
        else:
            drifted = far
            if not distance.sure(threshold):
                notes.append(f"the threshold is within {distance.error:.2g} of the distance, which is its error")
        # Sums over categories follow their order in their last digits: nine decimals are always the same.
        shown, error = (None, 0.0) if distance is None else (round(distance.value, 9), round(distance.error, 9))
        method = method_of(self.sides, name)
        chance = None if chance is None else float(f"{chance:.3g}")
        return ColumnDrift(name, method, shown, threshold, drifted, "; ".join(notes), *missing, error, chance)

    def _usual(self, name: str) -> tuple[float, float | None]:
        """Distance from which the column has drifted, and the probability of the one that it has."""
        least, method = self.policy.column_threshold, method_of(self.sides, name)
        noise = self.noise.get(name)
        if noise is None or name not in self.distances:
            return least, None
        usual = usual_distance(noise, method, self.sides.values(name)[1])
        if usual is None:
            return least, None
        blocks = len(noise.distances[method])
        critical = critical_distance(usual, blocks, self.policy.false_alarm_rate)
        return max(least, float(f"{critical:.3g}")), p_value(self.distances[name].value, usual, blocks)

    def _missing(self, name: str, missing: tuple[float, float]) -> bool:
        """Whether more or fewer values are missing than in any block."""
        noise = self.noise.get(name)
        least, most = noise.missing if noise else (missing[0], missing[0])
        limit = self.policy.max_odd_share
        return missing[1] > most + limit or missing[1] < least - limit

    def _lost_in_noise(self, name: str, distance: float) -> str:
        """Why a distance above the threshold says nothing, or "": so few values that sampling gives it.

        Twice what sampling gives is drift all the same (convention).
        """
        before, _ = self.sides.of(name)
        (n, m), method = self.sides.values(name), method_of(self.sides, name)
        floor = sampling(before, n, m, method, self.sides.categories(name))
        if floor < self.policy.column_threshold or distance >= 2 * floor:
            return ""
        many = f"{self.sides.categories(name):,} categories" if method == "jensenshannon" else f"{min(n, m):,} values"
        return f"not judged: {many}, sampling alone gives about {floor:.2f}"


def together(features: tuple[ColumnDrift, ...], ignored: tuple[str, ...], rate: float) -> tuple[ColumnDrift, ...]:
    """Verdicts on many features at once: of those that drifted a share `rate` at most may be chance.

    Args:
        features: Each judged by itself.
        ignored: Features that do not count, and so cost the others nothing.
        rate: False discovery rate, 0..1.
    """
    tested = {
        f.column: f.p_value
        for f in features
        if f.p_value is not None and f.drifted is not None and f.column not in ignored
    }
    found = discoveries(tested, rate)
    return tuple(
        replace(f, drifted=False, note="; ".join(filter(None, [f.note, "drifted alone, but not among so many tests"])))
        if f.drifted and f.column in tested and f.column not in found
        else f
        for f in features
    )


def judged_on(reference_rows: int, rows: int, policy: DriftPolicy, judged: bool) -> str:
    """Which rows the verdicts come from, or why there are none."""
    if not judged:
        return (
            f"Not judged: {rows:,} rows in the window and {reference_rows:,} in the reference, "
            f"{policy.min_rows:,} needed on each side."
        )
    return f"Judged on all {rows:,} rows of the window and all {reference_rows:,} of the reference."
