"""One column of categories in a few thousand counts: exact while they suffice, the rest by hash.

Here belong making and merging the summary. Distances between two of them are in `distances.py`.
"""

from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from zlib import crc32

import numpy as np

MOST_CATEGORIES = 4096
"""Categories counted one by one. Up to so many the summary is exact."""
BUCKETS = 256


@dataclass(frozen=True, eq=False)
class CategorySummary:
    """What is known of a column of categories, without its rows.

    Attributes:
        rows: Rows.
        missing: Rows without a value.
        counts: Category -> its rows, of all rows; the most frequent ones where there are too many.
        rest: (BUCKETS,) int64, rows of all other categories by `bucket`. Rows of a category are either counted or
            in its bucket, never in both.
        distinct: Distinct categories; where some are in buckets, at least so many.
    """

    rows: int
    missing: int
    counts: Mapping[str, int]
    rest: np.ndarray
    distinct: int

    @property
    def values(self) -> int:
        """Rows with a value."""
        return self.rows - self.missing

    @property
    def exact(self) -> bool:
        """Whether every category is counted."""
        return not self.rest.any()

    def known(self, category: str) -> bool:
        """Whether its rows are counted, be it as none."""
        return category in self.counts or not self.rest[bucket(category)]

    def as_plain(self) -> dict[str, Any]:
        """What JSON can hold."""
        rest = [] if self.exact else self.rest.tolist()
        plain = {"kind": "categories", "rows": self.rows, "missing": self.missing, "distinct": self.distinct}
        return {**plain, "counts": dict(self.counts), "rest": rest}

    @classmethod
    def from_plain(cls, plain: dict[str, Any]) -> "CategorySummary":
        """The summary that `as_plain` gave."""
        rest = np.array(plain["rest"] or np.zeros(BUCKETS), dtype=np.int64)
        return cls(plain["rows"], plain["missing"], dict(sorted(plain["counts"].items())), rest, plain["distinct"])


def bucket(category: str) -> int:
    """Bucket of a category: the same everywhere and always."""
    return crc32(category.encode("utf-8", "surrogatepass")) % BUCKETS


def summarise_categories(
    values: Iterable[Hashable], counts: Iterable[int], missing: int, *, most: int = MOST_CATEGORIES
) -> CategorySummary:
    """Summary of counted values.

    Args:
        values: The values; not all the same type, not all distinct once spelled out.
        counts: Rows of each.
        missing: Rows without a value.
        most: Categories counted one by one.
    """
    spelled: dict[str, int] = {}
    for value, count in zip(values, counts, strict=True):
        name = value if isinstance(value, str) else _spelled(value)
        spelled[name] = spelled.get(name, 0) + int(count)
    rest = np.zeros(BUCKETS, dtype=np.int64)
    return _bounded(sum(spelled.values()) + missing, missing, spelled, rest, len(spelled), most)


def merge_categories(parts: Sequence[CategorySummary], *, most: int = MOST_CATEGORIES) -> CategorySummary:
    """Summary of all rows of the parts, without their rows; exact where they are and `most` suffices.

    A category that one part counted and another has in a bucket goes to its bucket.
    """
    rest = np.sum([part.rest for part in parts], axis=0)
    counts: dict[str, int] = {}
    for part in parts:
        for name, count in part.counts.items():
            counts[name] = counts.get(name, 0) + count
    for name in [name for name in counts if not all(part.known(name) for part in parts)]:
        rest[bucket(name)] += counts.pop(name)
    distinct = max(len(counts) + int((rest > 0).sum()), *(part.distinct for part in parts))
    rows, missing = sum(part.rows for part in parts), sum(part.missing for part in parts)
    return _bounded(rows, missing, counts, rest, distinct, most)


def _bounded(
    rows: int, missing: int, counts: Mapping[str, int], rest: np.ndarray, distinct: int, most: int
) -> CategorySummary:
    """The most frequent categories; of equally frequent ones the first by name."""
    if len(counts) > most:
        ranked = sorted(counts, key=lambda name: (-counts[name], name))
        rest = rest.copy()
        for name in ranked[most:]:
            rest[bucket(name)] += counts[name]
        counts = {name: counts[name] for name in ranked[:most]}
    return CategorySummary(rows, missing, dict(sorted(counts.items())), rest, distinct)


def _spelled(value: Hashable) -> str:
    """A code stays the same category when missing values among its rows turned it from 1 into 1.0."""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)
