"""Which columns become features, and why the others do not."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ml_assets.errors import NoFeatureError
from ml_assets.onboarding.hints import entity_hint
from ml_assets.onboarding.keys import RowKey, counts_rows
from ml_assets.onboarding.profile import MAX_LISTED, ColumnProfile, TableProfile
from ml_assets.spec import ColumnType, FeatureType

MAX_KEY_VALUES = 50
"""A key with at most so many values (shops, regions) is a feature, too; one with more would be learned by heart."""
_FREE_TEXT = 30
"""Mean length, in characters, from which texts with many values are called free text."""
_MAX_CODES = 20
"""Whole numbers that sound like identifiers and have more values are no quantity."""
TYPES: dict[ColumnType, FeatureType] = {"int64": "int", "float64": "float", "string": "string", "bool": "int"}
RESERVED = frozenset(
    ("event_timestamp", "known_at", "label_known_at", "split", "prediction", "model_version", "model_cutoff")
)
"""Columns that the platform adds to rows on their way."""


@dataclass(frozen=True)
class Selection:
    """What the model sees.

    Attributes:
        view: Features of the feature view.
        request: Features that come with the row itself.
        left_out: Column -> why it is no feature.
    """

    view: Mapping[str, FeatureType]
    request: Mapping[str, FeatureType]
    left_out: Mapping[str, str]

    @property
    def all(self) -> dict[str, FeatureType]:
        """All features."""
        return {**self.request, **self.view}


def candidates(profile: TableProfile, taken: Sequence[str | None]) -> list[str]:
    """Columns that could be features: all but the time and the label."""
    return [name for name in profile.columns if name not in taken]


def select_features(
    profile: TableProfile, key: RowKey, time: str, label: str, entity: str | None, leaks: Mapping[str, str]
) -> Selection:
    """Sort the columns into features and those that are left out.

    Raises:
        NoFeatureError: None is left.
    """
    keys = {*key.columns, *key.joins, entity} - {None, time}
    view: dict[str, FeatureType] = {}
    request: dict[str, FeatureType] = {}
    left_out: dict[str, str] = dict(profile.unfit)
    for name in candidates(profile, (time, label)):
        column = profile.columns[name]
        reason = _why_not(column, leaks) or (_why_no_key(column) if name in keys else _why_no_value(column))
        if reason:
            left_out[name] = reason
        elif name in keys or not key.joins:
            request[name] = TYPES[column.type]
        else:
            view[name] = TYPES[column.type]
    if not view and not request:
        raise NoFeatureError(left_out)
    return Selection(view, request, left_out)


def _why_not(column: ColumnProfile, leaks: Mapping[str, str]) -> str:
    if column.known == 0:
        return "is empty"
    if column.distinct == 1 and column.nulls == 0:
        return f"is always {next(iter(column.values))}"
    if column.type == "timestamp":
        return "is a time; a model needs a duration: compute one in SQL"
    if column.name.casefold() in RESERVED:
        return "is called like a column of the platform: rename it"
    if column.name in leaks:
        return f"possible leak: it {leaks[column.name]}"
    return ""


def _why_no_key(column: ColumnProfile) -> str:
    if column.distinct > MAX_KEY_VALUES or column.type not in ("int64", "string"):
        return "identifies rows" + (f", and has {column.distinct:,} values" if column.distinct > 1 else "")
    return ""


def _why_no_value(column: ColumnProfile) -> str:
    many = column.distinct > MAX_LISTED
    if column.type == "string" and many and entity_hint(column.name) > 0:
        return f"is an identifier ({column.distinct:,} different ones)"
    if column.type == "string" and many:
        if column.mean_length >= _FREE_TEXT or column.distinct > column.known / 2:
            return f"is free text ({column.distinct:,} different ones)"
        return f"has {column.distinct:,} different texts, more than {MAX_LISTED} categories"
    if column.type == "string" and column.distinct > column.known / 2:
        return f"has a text of its own in most rows ({column.distinct:,} different ones)"
    if column.unique and counts_rows(column):
        return "numbers the rows"
    if column.type == "int64" and column.distinct > _MAX_CODES and entity_hint(column.name) >= 0.9:
        return "is an identifier, not a quantity"
    return ""
