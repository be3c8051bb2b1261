"""Segments of the gate: which rows each one has, and whether the challenger fares worse on them than it may.

The comparison over all rows is `gate.py`'s. Segments are compared by their errors as they are, without an
interval: a segment is watched because harm there is not made good elsewhere, and `min_segment_rows` keeps chance out.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ml_assets.errors import SegmentColumnError
from ml_assets.ml.quality.bootstrap import gain
from ml_assets.ml.quality.metrics import evaluate, shown
from ml_assets.ml.quality.scores import Labels, Scores, known
from ml_assets.spec import Promotion, Segment

MOST_VALUES = 1000
"""Different values of a column from which "each value" cannot be what was meant (a convention)."""

Rows = NDArray[np.bool_]


@dataclass(frozen=True)
class SegmentVerdict:
    """The comparison on one segment.

    Attributes:
        name: Declared name, or `column=value`.
        rows: Labelled rows.
        challenger, champion: Errors, as in `promotion.Verdict`; None where undefined.
        gain: Relative gain; below zero the challenger is worse.
        passed: False where it is worse by more than the limit.
        note: Why it was not judged; "" where it was.
    """

    name: str
    rows: int
    challenger: float | None
    champion: float | None
    gain: float | None
    passed: bool
    note: str = ""

    def __str__(self) -> str:
        """E.g. "origin_code=EWR 24.31 against 22.70 (-7.1%)"."""
        if self.challenger is None or self.champion is None or self.gain is None:
            return f"{self.name} ({self.note})"
        return f"{self.name} {shown(self.challenger)} against {shown(self.champion)} ({self.gain:+.1%})"


def segment_rows(segments: Sequence[Segment], frame: pd.DataFrame, *, least: int) -> dict[str, Rows]:
    """Name -> (n,) whether a row is in the segment.

    Args:
        segments: As declared.
        frame: (n, ...) rows with the columns that they name.
        least: Of segments by each value of a column, those with fewer rows are left out; declared ones are not.

    Raises:
        SegmentColumnError: A column is not there, or its values are of another kind than the segment's.
    """
    found: dict[str, Rows] = {}
    for segment in segments:
        if segment.column not in frame:
            raise SegmentColumnError(_title(segment), segment.column, "is none of the rows'")
        found |= dict(_rows_of(segment, frame[segment.column], least))
    return found


def judge_segments(
    label: Labels, challenger: Scores, champion: Scores, segments: Mapping[str, Rows], policy: Promotion
) -> tuple[SegmentVerdict, ...]:
    """Compare two models on each segment.

    Args:
        label: (n,) labels; rows without one are left out.
        challenger, champion: Scores of the same n rows.
        segments: From `segment_rows`.
        policy: Metric, least rows and limit.
    """
    there = known(challenger.task, label)
    return tuple(_judged(name, rows & there, label, challenger, champion, policy) for name, rows in segments.items())


def _judged(
    name: str, rows: Rows, label: Labels, challenger: Scores, champion: Scores, policy: Promotion
) -> SegmentVerdict:
    count = int(rows.sum())
    metrics = [evaluate(label[rows], scores.take(rows)) for scores in (challenger, champion)]
    if reason := metrics[0].undefined(policy.metric):
        return SegmentVerdict(name, count, None, None, None, passed=True, note=f"not judged: {reason}")
    ours, theirs = (found.error(policy.metric) for found in metrics)
    relative = float(gain(np.array([ours]), np.array([theirs]))[0])
    if count < policy.min_segment_rows:
        note = f"not judged: {count:,} rows < {policy.min_segment_rows:,}"
        return SegmentVerdict(name, count, ours, theirs, relative, passed=True, note=note)
    return SegmentVerdict(name, count, ours, theirs, relative, passed=relative >= -policy.max_segment_loss)


def _rows_of(segment: Segment, column: pd.Series, least: int) -> Iterator[tuple[str, Rows]]:
    if segment.name is None:
        yield from _each_value(segment, column, least)
    elif segment.values:
        if not (inside := column.isin(segment.values).to_numpy(dtype=bool)).any() and _strange(segment, column):
            raise SegmentColumnError(segment.name, segment.column, "holds values of another kind")
        yield segment.name, inside
    else:
        if not pd.api.types.is_numeric_dtype(column) or pd.api.types.is_bool_dtype(column):
            raise SegmentColumnError(segment.name, segment.column, "holds no numbers, so it has no range")
        numbers = column.to_numpy(dtype=np.float64, na_value=np.nan)
        low = -np.inf if segment.low is None else segment.low
        high = np.inf if segment.high is None else segment.high
        yield segment.name, (numbers >= low) & (numbers < high)  # NaN is in no range


def _each_value(segment: Segment, column: pd.Series, least: int) -> Iterator[tuple[str, Rows]]:
    values = column.astype(object).where(column.notna(), None)
    codes, names = pd.factorize(values, use_na_sentinel=True)
    if len(names) > MOST_VALUES:
        raise SegmentColumnError(
            _title(segment), segment.column, f"has {len(names):,} values (at most {MOST_VALUES:,}): declare ranges"
        )
    titled = {f"{segment.column}={name}": codes == code for code, name in enumerate(names)}
    titled[f"{segment.column} missing"] = codes == -1
    for title in sorted(titled):
        if titled[title].sum() >= least:
            yield title, titled[title]


def _strange(segment: Segment, column: pd.Series) -> bool:
    """Whether text is looked for among numbers, or the other way round: no row could ever match."""
    number = pd.api.types.is_numeric_dtype(column)
    return len(column) > 0 and all(isinstance(value, str) == number for value in segment.values)


def _title(segment: Segment) -> str:
    return segment.name or f"each value of {segment.column}"
